/**
 * Reads the common chunk of a streamed chat completion from its bytes, without building an object: one choice, whose
 * delta holds text or reasoning, beside fields that do not matter for tokens. It walks the whole chunk by the grammar
 * of RFC 8259. `read` returns false at anything unknown, malformed or merely unusual, and at an error: then
 * readStreamEvent parses the event. Both read an accepted chunk the same way.
 */
import { FramedWalk, OTHER } from './framed-walk.ts'
import { bytesOf, CLOSE_LIST, NOWHERE, NULL, OPEN_LIST, QUOTE } from './json-walk.ts'

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

/** What the values of a chunk are. */
const IS_TEXT = 1
const IS_FINGERPRINT = 2

export class ChatChunk extends FramedWalk {
  visibleChars = 0
  reasoningChars = 0
  /** The chunk says why the choice ended. */
  finished = false
  /** The place of the text of `system_fingerprint`; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** The chunk has a text, and nothing else in it counts. */
  #onlyText = false

  /** True when the bytes from `start` to `end` are a chunk of this shape; the fields then hold what was read. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#begin(bytes, start, end)
    if (this.readFramed()) return true
    this.#begin(bytes, start, end)
    if (!this.#root() || this.peek() !== NOWHERE) return false
    if (this.#onlyText && !this.finished) this.remember(start)
    return true
  }

  #begin(bytes: Buffer, start: number, end: number): void {
    this.begin(bytes, start, end)
    this.visibleChars = 0
    this.reasoningChars = 0
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    this.#onlyText = false
    this.finished = false
  }

  protected override take(is: number, start: number): boolean {
    if (is === IS_TEXT) this.visibleChars = this.units
    else {
      if (this.escaped) return false
      this.#setFingerprint(start)
    }
    return true
  }

  protected override scalar(): boolean {
    return this.peek() === QUOTE ? this.stringValue(OTHER) : super.scalar()
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
        if (!this.stringValue(IS_FINGERPRINT) || this.escaped) return false
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
    if (!this.stringValue(OTHER) || this.escaped || this.stringIs(ERROR)) return false
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
        content = this.#lengthOfValue(IS_TEXT)
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
        if (!this.stringValue(OTHER)) return false
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
  #lengthOfValue(is = OTHER): number {
    if (this.peek() === QUOTE) return this.stringValue(is) ? this.units : NOWHERE
    return this.literal(NULL) ? 0 : NOWHERE
  }
}
