/**
 * Cuts an event stream into whole events, as bytes: a filter passes them on, with fields and comments, so it splits them
 * and does not read them as wire's SseReader does. LF, CRLF and CR line ends become LF; a byte order mark is dropped.
 * The beginning of an event at the end of a piece waits for the next piece.
 */

const LF = 10
const CR = 13
/** No event that providers send comes near this size. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024

export class SseSplit {
  #rest: Buffer[] = []
  #restBytes = 0
  #atStart = true
  #afterCr = false

  /**
   * Returns the events that are now complete, together, each with its blank line; empty where none is complete.
   * Undefined: an event is larger than 16 MiB.
   */
  push(chunk: Buffer): Buffer | undefined {
    const piece = chunk.includes(CR) || this.#afterCr ? this.#withoutCr(chunk) : chunk
    // Without the end of a line there is no end of an event.
    if (this.#restBytes > 0 && !piece.includes(LF)) return this.#keep(piece)
    let all = this.#restBytes > 0 ? Buffer.concat([...this.#rest, piece]) : piece
    if (this.#atStart) all = this.#withoutMark(all)
    this.#rest = []
    this.#restBytes = 0
    const end = all.lastIndexOf('\n\n')
    if (end < 0) return this.#keep(all)
    if (this.#keep(all.subarray(end + 2)) === undefined) return undefined
    return all.subarray(0, end + 2)
  }

  /** Returns the rest: the last event, where its blank line is missing. */
  end(): Buffer {
    const kept = Buffer.concat(this.#rest)
    const rest = this.#atStart ? this.#withoutMark(kept) : kept
    return rest.length > 0 ? Buffer.concat([rest, Buffer.from(rest.at(-1) === LF ? '\n' : '\n\n')]) : rest
  }

  #keep(piece: Buffer): Buffer | undefined {
    if (piece.length > 0) {
      // A copy, because a view would keep a large chunk alive.
      this.#rest.push(Buffer.from(piece))
      this.#restBytes += piece.length
    }
    return this.#restBytes > MAX_EVENT_BYTES ? undefined : NONE
  }

  #withoutCr(chunk: Buffer): Buffer {
    const result = Buffer.allocUnsafe(chunk.length)
    let length = 0
    for (const byte of chunk) {
      const second = this.#afterCr && byte === LF
      this.#afterCr = byte === CR
      if (!second) result[length++] = byte === CR ? LF : byte
    }
    return result.subarray(0, length)
  }

  #withoutMark(piece: Buffer): Buffer {
    this.#atStart &&= piece.length < 3
    return piece[0] === 0xef && piece[1] === 0xbb && piece[2] === 0xbf ? piece.subarray(3) : piece
  }
}

const NONE = Buffer.alloc(0)
