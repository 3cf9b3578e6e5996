/**
 * Cuts an event stream into whole events, as bytes: a filter passes them on as they came, so it splits them and does
 * not read them as wire's SseReader does. Lines end in LF, CRLF or CR. The beginning of an event at the end of a piece
 * waits for the next piece.
 */

const LF = 10
const CR = 13
/** No event that providers send comes near this size. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024

export class SseSplit {
  #rest: Buffer[] = []
  #restBytes = 0

  /**
   * Returns the events that are now complete, together, each with its blank line; empty where none is complete.
   * Undefined: an event is larger than 16 MiB.
   */
  push(chunk: Buffer): Buffer | undefined {
    // Without the end of a line there is no end of an event.
    if (this.#restBytes > 0 && !chunk.includes(LF) && !chunk.includes(CR)) return this.#keep(chunk)
    const all = this.#restBytes > 0 ? Buffer.concat([...this.#rest, chunk]) : chunk
    if (this.#restBytes > 0) this.#rest = []
    this.#restBytes = 0
    const end = lastEventEnd(all)
    return end === all.length ? all : this.#keep(all.subarray(end)) && all.subarray(0, end)
  }

  /** Returns the rest: the last event, where its blank line is missing. */
  end(): Buffer {
    return Buffer.concat(this.#rest)
  }

  #keep(piece: Buffer): Buffer | undefined {
    // A copy, because a view would keep a large chunk alive.
    this.#rest.push(Buffer.from(piece))
    this.#restBytes += piece.length
    return this.#restBytes > MAX_EVENT_BYTES ? undefined : NONE
  }
}

const NONE = Buffer.alloc(0)

/** After the last blank line; 0 where there is none. */
function lastEventEnd(bytes: Buffer): number {
  // The usual piece is whole events.
  if (bytes[bytes.length - 1] === LF && bytes[bytes.length - 2] === LF) return bytes.length
  if (!bytes.includes(CR)) {
    const blank = bytes.lastIndexOf('\n\n')
    return blank < 0 ? 0 : blank + 2
  }
  let end = 0
  for (let at = eventEnd(bytes, 0); at > 0; at = eventEnd(bytes, at)) end = at
  return end
}

/** After the first blank line from `from` on; 0 where there is none. */
export function eventEnd(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) {
    const line = lineEnd(bytes, at)
    if (line === 0) continue
    const blank = lineEnd(bytes, at + line)
    if (blank > 0) return at + line + blank
    at += line - 1
  }
  return 0
}

/** The length of the line end at `at`; 0 where there is none. */
export function lineEnd(bytes: Buffer, at: number): number {
  if (bytes[at] === LF) return 1
  if (bytes[at] !== CR) return 0
  return bytes[at + 1] === LF ? 2 : 1
}
