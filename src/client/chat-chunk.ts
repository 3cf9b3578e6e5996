/**
 * The common chunk of a streamed chat completion, read from its bytes without building an object: one choice, whose delta holds
 * text or reasoning, beside fields that say nothing about tokens. It walks the whole chunk by the grammar of RFC 8259 and
 * gives up (`read` is false) at anything it does not know, malformed or merely unusual: then readStreamEvent must speak.
 * What it accepts means the same to both. One instance a stream: its chunks are alike but for the text and the fingerprint, so one that
 * is the last walked one's frame, byte for byte, around two other strings is not walked again.
 */
import { bytesOf, CLOSE_LIST, JsonWalk, NOWHERE, NULL, OPEN_LIST, QUOTE } from './json-walk.ts'

const SYSTEM_FINGERPRINT = bytesOf('system_fingerprint')
const CHOICES = bytesOf('choices')
const DELTA = bytesOf('delta')
const TEXT = bytesOf('text')
const CONTENT = bytesOf('content')
const REFUSAL = bytesOf('refusal')
const REASONING = bytesOf('reasoning')
const REASONING_CONTENT = bytesOf('reasoning_content')
const USAGE = bytesOf('usage')
const USAGE_METADATA = bytesOf('usageMetadata')
const ERROR = bytesOf('error')

/** A stream whose chunks differ this often in what should be the same is walked whole from then on. */
const MOST_MISSES = 8

/** From here on a call out of the engine costs less than what it saves. */
const LONG = 64

/** Where the strings that differ from chunk to chunk lie in the frame, quotes included. */
interface Slot {
  start: number
  end: number
  text: boolean
}

export class ChatChunk extends JsonWalk {
  visibleChars = 0
  reasoningChars = 0
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** The chunk that was walked last and in which only one string matters, and where that string lies in the one that is walked. */
  #frame: Buffer | undefined
  #slots: Slot[] = []
  #textStart = NOWHERE
  #textEnd = NOWHERE
  #misses = 0

  /** Another stream begins. Its frame may well be the one that is known. */
  forget(): void {
    this.#misses = 0
  }

  /** True when the bytes from `start` to `end` are a chunk of this shape; the fields then say what is in it. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#begin(bytes, start, end)
    if (this.#frame && this.#readFramed(this.#frame)) return true
    this.#begin(bytes, start, end)
    if (!this.#root() || this.peek() !== NOWHERE) return false
    if (this.#textStart !== NOWHERE && this.#misses < MOST_MISSES) this.#remember(start)
    return true
  }

  #begin(bytes: Buffer, start: number, end: number): void {
    this.begin(bytes, start, end)
    this.visibleChars = 0
    this.reasoningChars = 0
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    this.#textStart = NOWHERE
  }

  #readFramed(frame: Buffer): boolean {
    let from = 0
    for (const { start, end, text } of this.#slots) {
      if (!this.#follows(frame, from, start)) return false
      const at = this.at
      if (this.bytes[at] !== QUOTE || !this.string()) return false
      if (text) this.visibleChars = this.units
      else if (this.escaped) return false
      else this.#fingerprint(at)
      from = end
    }
    return this.end - this.at === frame.length - from && this.#follows(frame, from, frame.length)
  }

  /** Moves behind the frame's bytes from `from` to `to`, where they come next. */
  #follows(frame: Buffer, from: number, to: number): boolean {
    const { bytes, at } = this
    if (this.end - at < to - from) return false
    if (to - from >= LONG) {
      if (bytes.compare(frame, from, to, at, at + to - from) !== 0) return false
    } else for (let i = from, j = at; i < to; i++, j++) if (frame[i] !== bytes[j]) return false
    this.at = at + to - from
    return true
  }

  #remember(chunkStart: number): void {
    if (this.#frame) this.#misses++
    if (this.#misses === MOST_MISSES) {
      this.#frame = undefined
      return
    }
    this.#frame = Buffer.from(this.bytes.subarray(chunkStart, this.end))
    const text = { start: this.#textStart - chunkStart, end: this.#textEnd - chunkStart, text: true }
    this.#slots = [text]
    if (this.fingerprintStart === NOWHERE) return
    const start = this.fingerprintStart - 1 - chunkStart
    const fingerprint = { start, end: this.fingerprintEnd + 1 - chunkStart, text: false }
    if (start < text.start) this.#slots.unshift(fingerprint)
    else this.#slots.push(fingerprint)
  }

  #root(): boolean {
    let choices = false
    let fingerprint = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CHOICES)) {
        if (choices || !this.#choices()) return false
        choices = true
      } else if (this.keyIs(SYSTEM_FINGERPRINT)) {
        if (fingerprint) return false
        fingerprint = true
        if (this.peek() !== QUOTE) {
          if (!this.literal(NULL)) return false
          continue
        }
        const { at } = this
        if (!this.string() || this.escaped) return false
        this.#fingerprint(at)
      } else if (this.keyIs(USAGE) || this.keyIs(USAGE_METADATA) || this.keyIs(ERROR)) {
        // Anything but null in these would matter.
        if (this.peek() === NOWHERE || !this.literal(NULL)) return false
      } else if (!this.scalar()) return false
    }
    return choices && this.closed
  }

  /** The string that began at `start` and has just been read. */
  #fingerprint(start: number): void {
    this.fingerprintStart = start + 1
    this.fingerprintEnd = this.at - 1
  }

  #choices(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    this.at++
    if (this.peek() === CLOSE_LIST) {
      this.at++
      return true
    }
    let delta = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(DELTA)) {
        if (delta || !this.#delta()) return false
        delta = true
      } else if (this.keyIs(TEXT) || !this.scalar()) return false
    }
    if (!this.closed || this.peek() !== CLOSE_LIST) return false
    this.at++
    return true
  }

  #delta(): boolean {
    let content = NOWHERE
    let refusal = NOWHERE
    let reasoning = NOWHERE
    let reasoningContent = NOWHERE
    let textStart = NOWHERE
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CONTENT)) {
        if (content !== NOWHERE) return false
        if (this.peek() === QUOTE) textStart = this.at
        content = this.#lengthOfValue()
        if (content === NOWHERE) return false
        this.#textEnd = this.at
      } else if (this.keyIs(REASONING_CONTENT)) {
        if (reasoningContent !== NOWHERE) return false
        reasoningContent = this.#lengthOfValue()
        if (reasoningContent === NOWHERE) return false
      } else if (this.keyIs(REASONING)) {
        if (reasoning !== NOWHERE) return false
        reasoning = this.#lengthOfValue()
        if (reasoning === NOWHERE) return false
      } else if (this.keyIs(REFUSAL)) {
        if (refusal !== NOWHERE) return false
        refusal = this.#lengthOfValue()
        if (refusal === NOWHERE) return false
      } else if (!this.scalar()) return false
    }
    this.visibleChars = Math.max(0, content) + Math.max(0, refusal)
    this.reasoningChars = reasoningContent > 0 ? reasoningContent : Math.max(0, reasoning)
    if (this.visibleChars === content && this.reasoningChars === 0) this.#textStart = textStart
    return this.closed
  }

  /** Of a string its length, of null 0; -1 for anything else. */
  #lengthOfValue(): number {
    if (this.peek() === QUOTE) return this.string() ? this.units : NOWHERE
    return this.literal(NULL) ? 0 : NOWHERE
  }
}
