/**
 * The file behind --samples: lines in, to disk as fast as it takes them. A disk that is full (or gone) ends the file,
 * is said once and stands in the report; the run and its measurement go on.
 */
import { systemReason } from '../parse/file.ts'
import { type Outlet, openOutlet } from '../report/outlet.ts'
import { placeToWrite, unwritable } from '../report/write.ts'

export interface SamplesResult {
  written: number
  /** Requests of which no line was written: the disk was too slow, or failed. */
  lost: number
  error: string | null
}

export async function openSampleFile(path: string, onError: (reason: string) => void): Promise<SampleFile> {
  const place = placeToWrite(path, '--samples')
  try {
    return new SampleFile(await openOutlet(place), onError)
  } catch (error) {
    throw unwritable(path, error, '--samples')
  }
}

export class SampleFile {
  readonly result: SamplesResult = { written: 0, lost: 0, error: null }
  readonly #outlet: Outlet
  readonly #onError: (reason: string) => void
  /** Lines are written one batch after another. */
  #last: Promise<void> = Promise.resolve()

  constructor(outlet: Outlet, onError: (reason: string) => void) {
    this.#outlet = outlet
    this.#onError = onError
  }

  /**
   * `count` requests, and `lost` more that did not come this far. Resolves when the lines are with the system, or will
   * never be.
   */
  add(lines: string, count: number, lost: number): Promise<void> {
    this.result.lost += lost
    this.#last = this.#last.then(() => this.#write(lines, count))
    return this.#last
  }

  async close(): Promise<void> {
    await this.#last
    await this.#outlet.close().catch((error) => this.#failed(error))
  }

  async #write(lines: string, count: number): Promise<void> {
    try {
      if (this.result.error === null && count > 0) {
        await this.#outlet.write(lines)
        this.result.written += count
      } else this.result.lost += count
    } catch (error) {
      this.result.lost += count
      this.#failed(error)
    }
  }

  #failed(error: unknown): void {
    if (this.result.error !== null) return
    this.result.error = systemReason(error)
    this.#onError(this.result.error)
  }
}
