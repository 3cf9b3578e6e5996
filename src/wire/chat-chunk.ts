/**
 * The common chunk of a streamed chat completion, read from its bytes without building an object: one choice, whose delta holds
 * text or reasoning, beside fields that say nothing about tokens. It walks the whole chunk by the grammar of RFC 8259 and
 * gives up (`read` is false) at anything it does not know, malformed or merely unusual, and at an error: then
 * readStreamEvent must speak. What it accepts means the same to both. Chunks of a stream are alike but for a few strings (the
 * text, the fingerprint, padding): one that is the last walked one, byte for byte, around other strings in the places where
 * strings were seen to differ is not walked again. How a choice ended is never such a place.
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
const FINISH_REASON = bytesOf('finish_reason')

/** A stream whose chunks differ this often in what should be the same is walked whole from then on. */
const MOST_MISSES = 8

/** From here on a call out of the engine costs less than what it saves. */
const LONG = 64

/** A chunk with more strings is walked each time. */
const MOST_STRINGS = 16

/** Where a string lies, quotes included. */
interface Place {
  start: number
  end: number
  is: 'text' | 'fingerprint' | 'other'
  /** It differs from chunk to chunk. */
  varies: boolean
}

export class ChatChunk extends JsonWalk {
  visibleChars = 0
  reasoningChars = 0
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** The strings of the chunk that is walked, and how many it has; used again for every one. */
  readonly #walked: Place[] = Array.from({ length: MOST_STRINGS }, () => place(0, 0, 'other', false))
  #strings = 0
  /** It has a text, and nothing else in it counts. */
  #onlyText = false
  /** It says how the choice ended. */
  #finished = false
  /** The chunk that was walked last and in which only the text counts, and its strings. */
  #frame: Buffer | undefined
  #framed: Place[] = []
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
    if (this.#onlyText && !this.#finished && this.#strings <= MOST_STRINGS && this.#misses < MOST_MISSES)
      this.#remember(start)
    return true
  }

  #begin(bytes: Buffer, start: number, end: number): void {
    this.begin(bytes, start, end)
    this.visibleChars = 0
    this.reasoningChars = 0
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    this.#strings = 0
    this.#onlyText = false
    this.#finished = false
  }

  #readFramed(frame: Buffer): boolean {
    let from = 0
    for (const { start, end, is, varies } of this.#framed) {
      if (!varies) continue
      if (!this.#follows(frame, from, start)) return false
      const at = this.at
      if (this.bytes[at] !== QUOTE || !this.string()) return false
      if (is === 'text') this.visibleChars = this.units
      else if (is === 'fingerprint') {
        if (this.escaped) return false
        this.#fingerprint(at)
      }
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
    const known = this.#frame
    if (known && ++this.#misses === MOST_MISSES) {
      this.#frame = undefined
      return
    }
    const frame = Buffer.from(this.bytes.subarray(chunkStart, this.end))
    const framed = this.#walked
      .slice(0, this.#strings)
      .map(({ start, end, is }) => place(start - chunkStart, end - chunkStart, is, is !== 'other'))
    if (known && sameBetween(known, this.#framed, frame, framed)) {
      for (const [i, { start, end, varies }] of this.#framed.entries()) {
        const now = framed[i]
        if (now) now.varies ||= varies || !known.subarray(start, end).equals(frame.subarray(now.start, now.end))
      }
    }
    this.#frame = frame
    this.#framed = framed
  }

  /** A string that is a value. */
  #value(is: Place['is']): boolean {
    const start = this.at
    if (!this.string()) return false
    const walked = this.#walked[this.#strings++]
    if (walked) {
      walked.start = start
      walked.end = this.at
      walked.is = is
    }
    return true
  }

  protected override scalar(): boolean {
    return this.peek() === QUOTE ? this.#value('other') : super.scalar()
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
        if (!this.#value('fingerprint') || this.escaped) return false
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
    let delta = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(DELTA)) {
        if (delta || !this.#delta()) return false
        delta = true
      } else if (this.keyIs(FINISH_REASON)) {
        if (!this.#finish()) return false
      } else if (this.keyIs(TEXT) || !this.scalar()) return false
    }
    if (!this.closed || this.peek() !== CLOSE_LIST) return false
    this.at++
    return true
  }

  /** How the choice ended: null or a word, but not an error. */
  #finish(): boolean {
    if (this.peek() !== QUOTE) return this.scalar()
    if (!this.#value('other') || this.escaped || this.stringIs(ERROR)) return false
    if (this.units > 0) this.#finished = true
    return true
  }

  #delta(): boolean {
    let content = NOWHERE
    let refusal = NOWHERE
    let reasoning = NOWHERE
    let reasoningContent = NOWHERE
    let text = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CONTENT)) {
        if (content !== NOWHERE) return false
        text = this.peek() === QUOTE
        content = this.#lengthOfValue('text')
        if (content === NOWHERE) return false
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
    this.#onlyText = text && this.visibleChars === content && this.reasoningChars === 0
    return this.closed
  }

  /** Of a string its length, of null 0; -1 for anything else. */
  #lengthOfValue(is: Place['is'] = 'other'): number {
    if (this.peek() === QUOTE) return this.#value(is) ? this.units : NOWHERE
    return this.literal(NULL) ? 0 : NOWHERE
  }
}

function place(start: number, end: number, is: Place['is'], varies: boolean): Place {
  return { start, end, is, varies }
}

/** Whether two chunks are the same but for what their strings say. */
function sameBetween(a: Buffer, inA: Place[], b: Buffer, inB: Place[]): boolean {
  if (inA.length !== inB.length) return false
  let [fromA, fromB] = [0, 0]
  for (const [i, { start, end }] of inA.entries()) {
    const other = inB[i]
    if (!other || !a.subarray(fromA, start).equals(b.subarray(fromB, other.start))) return false
    fromA = end
    fromB = other.end
  }
  return a.subarray(fromA).equals(b.subarray(fromB))
}
