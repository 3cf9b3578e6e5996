/**
 * The file behind --samples: lines in, to disk as fast as it takes them. A disk that is full (or gone) ends the file, is said once
 * and stands in the report; the run and its measurement go on.
 */
import { createWriteStream, openSync, type WriteStream } from 'node:fs'
import { UserError } from '../errors.ts'
import { systemReason } from '../parse/file.ts'

export interface SamplesResult {
  written: number
  /** Requests of which no line was written: the disk was too slow, or failed. */
  lost: number
  error: string | null
}

export class SampleFile {
  readonly result: SamplesResult = { written: 0, lost: 0, error: null }
  readonly #stream: WriteStream
  readonly #onError: (reason: string) => void

  constructor(path: string, onError: (reason: string) => void) {
    this.#onError = onError
    this.#stream = createWriteStream(path, { fd: opened(path) })
    this.#stream.on('error', (error) => this.#failed(error))
  }

  /** `count` requests, and `lost` more that did not come this far. Resolves when the lines are with the system, or will never be. */
  add(lines: string, count: number, lost: number): Promise<void> {
    this.result.lost += lost
    return new Promise((resolve) => {
      if (this.result.error !== null || count === 0) {
        this.result.lost += count
        resolve()
        return
      }
      this.#stream.write(lines, (error) => {
        if (error) {
          this.result.lost += count
          this.#failed(error)
        } else this.result.written += count
        resolve()
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.result.error !== null) resolve()
      else {
        this.#stream.once('error', () => resolve())
        this.#stream.end(() => resolve())
      }
    })
  }

  #failed(error: Error): void {
    if (this.result.error !== null) return
    this.result.error = systemReason(error)
    this.#onError(this.result.error)
  }
}

function opened(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (error) {
    throw new UserError(
      `cannot write ${path}: ${systemReason(error)}`,
      'Give --samples a path in a folder that exists and can be written.',
    )
  }
}
