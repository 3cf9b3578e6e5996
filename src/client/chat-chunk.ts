/**
 * The common chunk of a streamed chat completion, read from its bytes without building an object: one choice, whose delta holds
 * text or reasoning, beside fields that say nothing about tokens. It walks the whole chunk by the grammar of RFC 8259 and
 * gives up (`read` is false) at anything it does not know, malformed or merely unusual: then readStreamEvent must speak.
 * What it accepts means the same to both. One instance a stream: chunks of a stream begin and end alike, so what was walked in the
 * last one and is the same byte for byte is not walked again.
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

const NOTHING = Buffer.alloc(0)
/** A stream whose chunks differ this often in what should be the same is walked whole from then on. */
const MOST_MISSES = 8

export class ChatChunk extends JsonWalk {
  visibleChars = 0
  reasoningChars = 0
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** What came before the first member that matters, in the last chunk that was taken. */
  #head = NOTHING
  #headEnd = 0
  /** What came after the text, in the last chunk that was taken and in which nothing after the text matters. */
  #tail = NOTHING
  #tailStart = NOWHERE
  #afterTail = false
  #misses = 0

  /** True when the bytes from `start` to `end` are a chunk of this shape; the fields then say what is in it. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.begin(bytes, start, end)
    this.visibleChars = 0
    this.reasoningChars = 0
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    this.#headEnd = start
    this.#tailStart = NOWHERE
    this.#afterTail = false
    const known = this.#head.length > 0 && startsWith(bytes, start, end, this.#head)
    if (known) {
      this.#headEnd = start + this.#head.length
      this.at = this.#headEnd
    }
    if (!this.#root(!known)) return false
    if (this.#afterTail) return true
    if (this.peek() !== NOWHERE) return false
    if (this.#misses < MOST_MISSES) this.#remember(start, known)
    return true
  }

  #remember(start: number, known: boolean): void {
    if (!known) {
      this.#misses++
      this.#head = Buffer.from(this.bytes.subarray(start, this.#headEnd))
    }
    const from = this.#tailStart
    if (from === NOWHERE) return
    if (this.#tail.length > 0) this.#misses++
    this.#tail = Buffer.from(this.bytes.subarray(from, this.end))
  }

  #root(fromStart: boolean): boolean {
    let choices = false
    let fingerprint = false
    for (let first = fromStart; this.member(first); first = false) {
      if (this.keyIs(CHOICES)) {
        if (choices || !this.#choices()) return false
        if (this.#afterTail) return true
        choices = true
      } else if (this.keyIs(SYSTEM_FINGERPRINT)) {
        if (fingerprint) return false
        fingerprint = true
        // It must not hide in a tail: an earlier one would count no more.
        if (choices) this.#tailStart = NOWHERE
        if (this.peek() !== QUOTE) {
          if (!this.literal(NULL)) return false
          continue
        }
        const start = this.at + 1
        if (!this.string() || this.escaped) return false
        this.fingerprintStart = start
        this.fingerprintEnd = this.at - 1
      } else if (this.keyIs(USAGE) || this.keyIs(USAGE_METADATA) || this.keyIs(ERROR)) {
        // Anything but null in these would matter.
        if (this.peek() === NOWHERE || !this.literal(NULL)) return false
      } else if (!this.scalar()) return false
      if (!choices && !fingerprint) this.#headEnd = this.at
    }
    return choices && this.closed
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
        if (this.#afterTail) return true
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
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CONTENT)) {
        if (content !== NOWHERE) return false
        content = this.#lengthOfValue()
        if (content === NOWHERE) return false
        if (refusal === NOWHERE && reasoning === NOWHERE && reasoningContent === NOWHERE) {
          // With nothing counted before it, a known tail adds nothing to the text.
          this.visibleChars = content
          this.#tailStart = this.at
          this.#afterTail = this.#tail.length > 0 && this.#isTail(this.at)
          if (this.#afterTail) return true
        }
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
    if (this.visibleChars !== content || this.reasoningChars > 0) this.#tailStart = NOWHERE
    return this.closed
  }

  #isTail(at: number): boolean {
    return this.end - at === this.#tail.length && startsWith(this.bytes, at, this.end, this.#tail)
  }

  /** Of a string its length, of null 0; -1 for anything else. */
  #lengthOfValue(): number {
    if (this.peek() === QUOTE) return this.string() ? this.units : NOWHERE
    return this.literal(NULL) ? 0 : NOWHERE
  }
}

function startsWith(bytes: Buffer, start: number, end: number, head: Buffer): boolean {
  return end - start >= head.length && bytes.compare(head, 0, head.length, start, start + head.length) === 0
}
