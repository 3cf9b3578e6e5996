/**
 * Bytes that have arrived on the connections of this thread and wait to be read. Taking them from the system costs a
 * few microseconds; reading them and sending the next request costs tens. If each answer were read where it arrived,
 * the last of fifty that arrive together would be seen when the others were done, milliseconds late. So all bytes are
 * taken first, each with its time, and read afterwards in slices of time; between two slices newer bytes are taken.
 */

import { Outbox } from '../http1/outbox.ts'
import type { Clock } from '../system/clock.ts'

export interface Reader {
  /** Reads bytes that arrived at `atUs`. */
  read(bytes: Buffer, atUs: number): void
}

/** A link in the chain of pieces that wait. */
interface Piece {
  /** Undefined when the piece has been read. */
  reader: Reader | undefined
  bytes: Buffer
  atUs: number
  next: Piece | undefined
}

const SLICE_US = 200
/**
 * Beyond this many waiting bytes reading does not pause: bytes that arrive faster than they are read must not fill the
 * memory.
 */
const MOST_BYTES = 8 * 1024 * 1024

export class Inbox {
  /** Of the same connections. */
  readonly outbox = new Outbox()
  readonly #clock: Clock
  #first: Piece | undefined
  #last: Piece | undefined
  #waitingBytes = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `reader` gets `bytes` after everything that arrived before them. */
  add(reader: Reader, bytes: Buffer): void {
    const piece = { reader, bytes, atUs: this.#clock(), next: undefined }
    if (this.#last) this.#last.next = piece
    else {
      this.#first = piece
      setImmediate(this.#slice)
    }
    this.#last = piece
    this.#waitingBytes += bytes.length
  }

  /** Reads everything that waits for `reader`, now. */
  readAll(reader: Reader): void {
    for (let piece = this.#first; piece; piece = piece.next) if (piece.reader === reader) this.#read(piece)
  }

  readonly #slice = (): void => {
    const untilUs = this.#clock() + SLICE_US
    do {
      const piece = this.#first
      if (!piece) break
      this.#read(piece)
      this.#first = piece.next
    } while (this.#waitingBytes > MOST_BYTES || this.#clock() < untilUs)
    if (this.#first) setImmediate(this.#slice)
    else this.#last = undefined
  }

  #read(piece: Piece): void {
    const { reader, bytes, atUs } = piece
    if (!reader) return
    piece.reader = undefined
    this.#waitingBytes -= bytes.length
    reader.read(bytes, atUs)
  }
}
