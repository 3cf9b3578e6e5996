/**
 * Bytes that have come in on the connections of this thread and wait to be read. Taking them from the system costs a few microseconds, reading
 * them and sending what follows tens: were each answer read where it came in, the last of fifty that come together would be seen when
 * the others were done, milliseconds late. So they are taken first, each with its time, and read after, a slice at a time, with
 * a look for newer ones between two slices.
 */
import type { Clock } from '../system/clock.ts'

/** Something that bytes wait for, and that reads the first of them when it is called. */
export interface Reader {
  readNext(): void
}

const SLICE_US = 100
/** More than this is read without a pause: what is taken in must not outgrow memory where it comes faster than it is read. */
const MOST_BYTES = 8 * 1024 * 1024

export class Inbox {
  readonly #clock: Clock
  #readers: Reader[] = []
  #bytes: number[] = []
  #head = 0
  #waitingBytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `reader` will be called once for this piece, after all that came before it. */
  add(reader: Reader, bytes: number): void {
    if (this.#readers.length === 0) setImmediate(this.#slice)
    this.#readers.push(reader)
    this.#bytes.push(bytes)
    this.#waitingBytes += bytes
  }

  readonly #slice = (): void => {
    const untilUs = this.#clock() + SLICE_US
    do {
      this.#waitingBytes -= this.#bytes[this.#head] ?? 0
      this.#readers[this.#head++]?.readNext()
    } while (this.#head < this.#readers.length && (this.#clock() < untilUs || this.#waitingBytes > MOST_BYTES))
    if (this.#head < this.#readers.length) setImmediate(this.#slice)
    else {
      this.#readers = []
      this.#bytes = []
      this.#head = 0
    }
  }
}
