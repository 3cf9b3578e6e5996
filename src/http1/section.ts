/**
 * Lines up to an empty one: a head, or trailers. They may come cut anywhere. Those that come in one piece are not
 * copied; of others so much is kept as a head may have at most.
 */
import { HeadTooLarge } from './faults.ts'

export const MOST_HEAD_BYTES = 16_384
export const CR = 0x0d
export const LF = 0x0a
const EMPTY_LINE = Buffer.from('\r\n\r\n')
const LINE_END = 2

export class Section {
  /** The bytes that hold the lines, and where these lie in them, without the empty one. */
  bytes: Buffer = EMPTY_LINE
  from = 0
  to = 0
  /** Where the section ends in the piece that was read last. */
  after = 0
  /** How many bytes are kept, a line end before the first line included where there may be no lines. */
  kept = 0
  #mayBeEmpty = false
  #store: Buffer | undefined

  begin(mayBeEmpty: boolean): void {
    this.kept = 0
    this.#mayBeEmpty = mayBeEmpty
  }

  /** Reads from `at` on; false where the end has not come. */
  read(piece: Buffer, at: number): boolean | HeadTooLarge {
    if (this.kept > 0) return this.#keep(piece, at)
    const isEmpty = this.#mayBeEmpty && piece[at] === CR && piece[at + 1] === LF
    const found = isEmpty ? at : piece.indexOf(EMPTY_LINE, at)
    if ((found < 0 ? piece.length : found) - at > MOST_HEAD_BYTES) return new HeadTooLarge(MOST_HEAD_BYTES)
    if (found < 0) return this.#keep(piece, at)
    this.bytes = piece
    this.from = at
    this.to = found
    this.after = found + (isEmpty ? LINE_END : EMPTY_LINE.length)
    return true
  }

  #keep(piece: Buffer, at: number): boolean | HeadTooLarge {
    this.#store ??= Buffer.allocUnsafeSlow(MOST_HEAD_BYTES + EMPTY_LINE.length)
    const store = this.#store
    // With a line end before it, no line at all ends like any other.
    if (this.kept === 0 && this.#mayBeEmpty) this.kept = store.write('\r\n', 'latin1')
    const { kept } = this
    this.kept += piece.copy(store, kept, at)
    this.bytes = store.subarray(0, this.kept)
    const found = this.bytes.indexOf(EMPTY_LINE, Math.max(0, kept - EMPTY_LINE.length + 1))
    if (found < 0) return this.kept < store.length ? false : new HeadTooLarge(MOST_HEAD_BYTES)
    this.from = Math.min(found, this.#mayBeEmpty ? LINE_END : 0)
    this.to = found
    this.after = at + found + EMPTY_LINE.length - kept
    return true
  }
}

/** Some servers end a body with an empty line that it does not count. */
export function skipLineEnds(bytes: Buffer, from: number): number {
  let at = from
  while (bytes[at] === CR || bytes[at] === LF) at++
  return at
}
