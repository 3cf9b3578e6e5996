/**
 * The file of --samples. Lines are written as fast as the disk takes them. A disk that is full or gone ends the file;
 * the error is noted once and is in the report, while the run and its measurement go on. A file without all lines gives
 * the command the exit code of a report that cannot be written.
 */
import { EXIT, type ExitCode } from '../errors.ts'
import { systemReason } from '../parse/system-reason.ts'
import { type OutputWriter, openOutputWriter } from '../report/output-writer.ts'
import { resolveWritableTarget, unwritable } from '../report/write-output.ts'
import { formatNumber } from '../units.ts'

export interface SamplesResult {
  written: number
  /** Requests without a line, because the disk was too slow or failed. */
  lost: number
  error: string | null
}

/** Undefined where every request has its line. */
export function exitOfSamples(result: SamplesResult | undefined): ExitCode | undefined {
  return result && (result.error !== null || result.lost > 0) ? EXIT.usage : undefined
}

/** `head` stands before the first line. `note` hears what is missing, and why. */
export async function openSampleFile(path: string, note: (line: string) => void, head = ''): Promise<SampleFile> {
  const target = resolveWritableTarget(path, '--samples')
  try {
    return new SampleFile(await openOutputWriter(target), (why) => note(`--samples ${path}: ${why}`), head)
  } catch (error) {
    throw unwritable(path, error, '--samples')
  }
}

export class SampleFile {
  readonly result: SamplesResult = { written: 0, lost: 0, error: null }
  readonly #writer: OutputWriter
  readonly #note: (why: string) => void
  /** Lines are written one batch after another. */
  #last: Promise<void> = Promise.resolve()

  constructor(writer: OutputWriter, note: (why: string) => void, head = '') {
    this.#writer = writer
    this.#note = note
    if (head !== '') this.#last = this.#write(head, 0)
  }

  /**
   * Adds the lines of `count` requests; `lost` more have no line. Resolves when the system has the lines, or when they
   * cannot be written any more.
   */
  add(lines: string, count: number, lost: number): Promise<void> {
    this.result.lost += lost
    this.#last = this.#last.then(() => this.#write(lines, count))
    return this.#last
  }

  async close(): Promise<void> {
    await this.#last
    await this.#writer.close().catch((error) => this.#failed(error))
    const { written, lost, error } = this.result
    if (lost === 0 || error !== null) return
    this.#note(`${formatNumber(lost)} of ${formatNumber(written + lost)} requests have no line: the disk was too slow.`)
  }

  async #write(lines: string, count: number): Promise<void> {
    try {
      if (this.result.error === null && lines !== '') {
        await this.#writer.write(lines)
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
    this.#note(`${this.result.error}. The run goes on without them.`)
  }
}
