/**
 * Reads server-sent events to the letter of the WHATWG specification: LF, CRLF and CR line ends, `data:` with and
 * without a space, several data lines in an event, comments, event/id/retry fields, a BOM, and splits at any byte. Two
 * deviations, on purpose: end() delivers an event that lacks its blank line when the connection closes, since several
 * providers send that; and an event named `error` is delivered without data too, with the comments after its name
 * (NVIDIA Dynamo puts the reason there). It works on bytes, so that a split UTF-8 character costs nothing.
 */

import { UnreadableAnswer } from './strict.ts'

/** Called once for each event, with its data lines joined by '\n' and its event name ('' when there was none). */
type SseListener = (data: string, event: string) => void

/**
 * Called with the bytes of an event whose data is one line, before a string is made of them. Returns true when it has
 * handled the event. It does not get events named `error`: their name says more than their data.
 */
type SseBytesHandler = (bytes: Buffer, start: number, end: number) => boolean

const LF = 10
const CR = 13
const COLON = 58
const SPACE = 32
/** The data by which OpenAI's formats end a stream. */
const END_MARK = '[DONE]'
/** Some servers leave blanks around it. */
export function isEndMark(data: string): boolean {
  return data === END_MARK || (data.length < 16 && data.trim() === END_MARK)
}
/** The name of an event that is a failure, whatever its data. */
export const ERROR_EVENT = 'error'
const MAX_EVENT_BYTES = 64 * 1024 * 1024

export class SseReader {
  readonly #listener: SseListener
  readonly #bytesHandler: SseBytesHandler | undefined
  /** The pieces of a line that is not complete yet. */
  #pieces: Buffer[] = []
  #pendingBytes = 0
  #data: string | undefined
  /** The event's first data line, as long as it is the only one. */
  #bytes: Buffer | undefined
  #start = 0
  #end = 0
  #event = ''
  #lastEvent = ''
  /** The comments after the name of an event named `error`. */
  #comment = ''
  #firstLine = true
  #afterCr = false

  constructor(listener: SseListener, bytesHandler?: SseBytesHandler) {
    this.#listener = listener
    this.#bytesHandler = bytesHandler
  }

  /** Another body begins: forgets what is left of the one before, which may have been aborted. */
  begin(): void {
    if (this.#pieces.length > 0) this.#pieces = []
    this.#pendingBytes = 0
    this.#data = undefined
    this.#bytes = undefined
    this.#event = ''
    this.#firstLine = true
    this.#afterCr = false
  }

  /** Takes the next bytes of the body. Throws when one event exceeds 64 MiB. */
  push(chunk: Buffer): void {
    let start = 0
    if (this.#afterCr && chunk.length > 0) {
      if (chunk[0] === LF) start = 1
      this.#afterCr = false
    }
    let cr = chunk.indexOf(CR, start)
    for (;;) {
      if (cr !== -1 && cr < start) cr = chunk.indexOf(CR, start)
      const lf = chunk[start] === LF ? start : chunk.indexOf(LF, start)
      const end = cr === -1 || (lf !== -1 && lf < cr) ? lf : cr
      if (end === -1) break
      this.#line(chunk, start, end)
      start = end + 1
      if (chunk[end] === CR) {
        if (start === chunk.length) this.#afterCr = true
        else if (chunk[start] === LF) start++
      }
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
  }

  /** The body has ended: delivers the event that is still pending. */
  end(): void {
    if (this.#pieces.length > 0) this.#line(Buffer.alloc(0), 0, 0)
    this.#dispatch()
  }

  #keep(piece: Buffer): void {
    this.#pendingBytes += piece.length
    if (this.#pendingBytes > MAX_EVENT_BYTES) throw new UnreadableAnswer('an event of more than 64 MiB')
    this.#pieces.push(piece)
  }

  #line(chunk: Buffer, start: number, end: number): void {
    if (this.#pieces.length > 0) {
      this.#pieces.push(chunk.subarray(start, end))
      const whole = Buffer.concat(this.#pieces)
      this.#pieces = []
      this.#pendingBytes = 0
      this.#field(whole, 0, whole.length)
    } else {
      this.#field(chunk, start, end)
    }
  }

  #field(line: Buffer, from: number, end: number): void {
    let start = from
    if (this.#firstLine) {
      this.#firstLine = false
      if (line[start] === 0xef && line[start + 1] === 0xbb && line[start + 2] === 0xbf && end - start >= 3) start += 3
    }
    if (start === end) {
      this.#dispatch()
      return
    }
    if (line[start] === COLON) {
      if (this.#event === ERROR_EVENT) this.#addComment(line.toString('utf8', valueStart(line, start, end), end))
      return
    }
    if (isData(line, start) && end - start >= 5) {
      this.#addData(line, valueStart(line, start + 4, end), end)
      return
    }
    const colon = line.indexOf(COLON, start)
    const nameEnd = colon === -1 || colon >= end ? end : colon
    const length = nameEnd - start
    // Only two fields matter. Length and first letter decide which, before a string is made of the name.
    if (length === 4 && isDataName(line, start)) {
      this.#addData(line, end, end)
    } else if (length === 5 && equals(line, start, nameEnd, 'event')) {
      const from = valueStart(line, nameEnd, end)
      // The events of a stream have few names, and most often the one before.
      if (!equals(line, from, end, this.#lastEvent)) this.#lastEvent = line.toString('utf8', from, end)
      this.#event = this.#lastEvent
      this.#comment = ''
    }
  }

  #addComment(text: string): void {
    this.#comment = this.#comment === '' ? text : `${this.#comment}\n${text}`
  }

  #addData(line: Buffer, start: number, end: number): void {
    if (this.#bytes === undefined && this.#data === undefined) {
      this.#bytes = line
      this.#start = start
      this.#end = end
      return
    }
    const before = this.#bytes ? this.#bytes.toString('utf8', this.#start, this.#end) : this.#data
    this.#bytes = undefined
    this.#data = `${before}\n${line.toString('utf8', start, end)}`
  }

  #dispatch(): void {
    const bytes = this.#bytes
    const data = this.#data
    const event = this.#event
    this.#bytes = undefined
    this.#data = undefined
    this.#event = ''
    if (bytes) {
      const isForHandler = this.#start < this.#end && event !== ERROR_EVENT
      if (isForHandler && this.#bytesHandler?.(bytes, this.#start, this.#end)) return
      this.#listener(bytes.toString('utf8', this.#start, this.#end), event)
    } else if (data !== undefined) this.#listener(data, event)
    else if (event === ERROR_EVENT) this.#listener(this.#comment, event)
  }
}

/** Whether bytes are a text in ASCII. */
function equals(line: Buffer, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false
  for (let i = 0; i < text.length; i++) {
    const byte = line[start + i] ?? 0
    if (byte > 0x7f || byte !== text.charCodeAt(i)) return false
  }
  return true
}

function isDataName(line: Buffer, at: number): boolean {
  return line[at] === 0x64 && line[at + 1] === 0x61 && line[at + 2] === 0x74 && line[at + 3] === 0x61
}

function isData(line: Buffer, at: number): boolean {
  return line[at + 4] === COLON && isDataName(line, at)
}

function valueStart(line: Buffer, nameEnd: number, end: number): number {
  const start = Math.min(nameEnd + 1, end)
  return start < end && line[start] === SPACE ? start + 1 : start
}
