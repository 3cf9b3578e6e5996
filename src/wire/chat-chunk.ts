/**
 * Reads the common chunk of a streamed chat completion from its bytes, without building an object: one choice, whose
 * delta holds text or reasoning, beside fields that do not matter for tokens. It walks the whole chunk by the grammar
 * of RFC 8259. `read` returns false at anything unknown, malformed or merely unusual, and at an error: then
 * readStreamEvent parses the event. Both read an accepted chunk the same way.
 *   Chunks of a stream differ only in a few strings (the text, the fingerprint, padding). The last chunk that was
 * walked is remembered as a frame, with the places of the strings that were seen to differ. A chunk that equals the
 * frame byte for byte around these strings is not walked again. The reason why a choice ended never counts as such a
 * string.
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
const ROLE = bytesOf('role')
const ERROR = bytesOf('error')
const FINISH_REASON = bytesOf('finish_reason')

/** A stream whose chunks did not fit the frame this often is walked whole from then on. */
const MOST_MISSES = 8

/** From this length on a native comparison is faster than a loop, in spite of the cost of the call. */
const LONG = 64

/** A chunk with more strings is never remembered. */
const MOST_STRINGS = 16

/** The place of a string in a chunk, quotes included. */
interface StringSpan {
  start: number
  end: number
  is: 'text' | 'fingerprint' | 'other'
  /** The string differs from chunk to chunk. */
  varies: boolean
}

export class ChatChunk extends JsonWalk {
  visibleChars = 0
  reasoningChars = 0
  /** The chunk says why the choice ended. */
  finished = false
  /** The place of the text of `system_fingerprint`; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** The strings of the chunk that is walked, and their number; the same objects serve every chunk. */
  readonly #walked: StringSpan[] = Array.from({ length: MOST_STRINGS }, () => createSpan(0, 0, 'other', false))
  #strings = 0
  /** The chunk has a text, and nothing else in it counts. */
  #onlyText = false
  /** The last chunk that was walked and in which only the text counts, and its strings. */
  #frame: Buffer | undefined
  #framed: StringSpan[] = []
  #misses = 0

  /** Another stream begins. The frame is kept: the streams of a run are mostly alike. */
  beginStream(): void {
    this.#misses = 0
  }

  /** True when the bytes from `start` to `end` are a chunk of this shape; the fields then hold what was read. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#begin(bytes, start, end)
    if (this.#frame && this.#readFramed(this.#frame)) return true
    this.#begin(bytes, start, end)
    if (!this.#root() || this.peek() !== NOWHERE) return false
    if (this.#onlyText && !this.finished && this.#strings <= MOST_STRINGS && this.#misses < MOST_MISSES)
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
    this.finished = false
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
        this.#setFingerprint(at)
      }
      from = end
    }
    return this.end - this.at === frame.length - from && this.#follows(frame, from, frame.length)
  }

  /** If the frame's bytes from `from` to `to` come next, moves behind them. */
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
      .map(({ start, end, is }) => createSpan(start - chunkStart, end - chunkStart, is, is !== 'other'))
    if (known && equalAround(known, this.#framed, frame, framed)) {
      for (const [i, { start, end, varies }] of this.#framed.entries()) {
        const now = framed[i]
        if (now) now.varies ||= varies || !known.subarray(start, end).equals(frame.subarray(now.start, now.end))
      }
    }
    this.#frame = frame
    this.#framed = framed
  }

  /** Reads a string that is a value. */
  #value(is: StringSpan['is']): boolean {
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
        this.#setFingerprint(at)
      } else if (this.keyIs(USAGE) || this.keyIs(USAGE_METADATA) || this.keyIs(ERROR)) {
        // Any value but null would matter.
        if (this.peek() === NOWHERE || !this.literal(NULL)) return false
      } else if (!this.scalar()) return false
    }
    return choices && this.closed
  }

  /** Takes the string that began at `start` and was read last as the fingerprint. */
  #setFingerprint(start: number): void {
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

  /** Reads why the choice ended: null or a word; false for an error. */
  #finish(): boolean {
    this.finished = false
    if (this.peek() !== QUOTE) return this.scalar()
    if (!this.#value('other') || this.escaped || this.stringIs(ERROR)) return false
    if (this.units > 0) this.finished = true
    return true
  }

  #delta(): boolean {
    let content = NOWHERE
    let refusal = NOWHERE
    let reasoning = NOWHERE
    let reasoningContent = NOWHERE
    let text = false
    let others = false
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
      } else if (this.keyIs(ROLE) || this.peek() !== QUOTE) {
        if (!this.scalar()) return false
      } else {
        if (!this.#value('other')) return false
        others = true
      }
    }
    this.visibleChars = Math.max(0, content) + Math.max(0, refusal)
    this.reasoningChars = reasoningContent > 0 ? reasoningContent : Math.max(0, reasoning)
    // A string under a name that is unknown here may be output, where the delta has no other.
    if (others && this.visibleChars + this.reasoningChars === 0) return false
    this.#onlyText = text && !others && this.visibleChars === content && this.reasoningChars === 0
    return this.closed
  }

  /** Reads a string and returns its length, or null and returns 0; -1 for anything else. */
  #lengthOfValue(is: StringSpan['is'] = 'other'): number {
    if (this.peek() === QUOTE) return this.#value(is) ? this.units : NOWHERE
    return this.literal(NULL) ? 0 : NOWHERE
  }
}

function createSpan(start: number, end: number, is: StringSpan['is'], varies: boolean): StringSpan {
  return { start, end, is, varies }
}

/** Whether two chunks are equal around their strings. */
function equalAround(a: Buffer, inA: StringSpan[], b: Buffer, inB: StringSpan[]): boolean {
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
