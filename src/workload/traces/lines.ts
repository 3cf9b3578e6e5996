/** Cuts pieces of a file into lines, without a copy where a line lies within one piece. */
import { traceFault } from './row.ts'

const NEWLINE = 10
const RETURN = 13
const BLANK = 32
const BOM = Buffer.from('\uFEFF')
/** A longer line is no row of a trace. */
export const LONGEST_LINE = 64 * 1024 * 1024

/** Bytes of a line from `from` to `to`, without its end and the blanks around it. */
export type LineSink = (bytes: Buffer, from: number, to: number, line: number) => void

export class LineCutter {
  /** Lines that are over. */
  count = 0
  readonly #path: string
  readonly #sink: LineSink
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(path: string, sink: LineSink) {
    this.#path = path
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      if (this.#restBytes > 0) {
        const whole = Buffer.concat([...this.#rest, chunk.subarray(from, at)])
        this.#rest = []
        this.#restBytes = 0
        this.#line(whole, 0, whole.length)
      } else this.#line(chunk, from, at)
      from = at + 1
    }
    if (from === chunk.length) return
    this.#rest.push(chunk.subarray(from))
    this.#restBytes += chunk.length - from
    if (this.#restBytes > LONGEST_LINE) {
      throw traceFault(this.#path, this.count + 1, 'the line is longer than 64 MiB: not a trace')
    }
  }

  /** The last line may have no end. */
  end(): void {
    if (this.#restBytes === 0) return
    const whole = Buffer.concat(this.#rest)
    this.#rest = []
    this.#restBytes = 0
    this.#line(whole, 0, whole.length)
  }

  #line(bytes: Buffer, start: number, end: number): void {
    let [from, to] = [start, end]
    if (this.count === 0 && to - from >= BOM.length && BOM.equals(bytes.subarray(from, from + BOM.length))) {
      from += BOM.length
    }
    this.count++
    while (to > from && (bytes[to - 1] === RETURN || bytes[to - 1] === BLANK)) to--
    while (from < to && bytes[from] === BLANK) from++
    if (from < to) this.#sink(bytes, from, to, this.count)
  }
}
