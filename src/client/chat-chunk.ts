/**
 * The common chunk of a streamed chat completion, read from its bytes without building an object: one choice, whose delta holds
 * text or reasoning, beside fields that say nothing about tokens. It walks the whole chunk by the grammar of RFC 8259 and
 * gives up (`read` is false) at anything it does not know, malformed or merely unusual: then readStreamEvent must speak.
 * What it accepts means the same to both. One instance a stream: chunks of a stream begin and end alike, so what was walked in the
 * last one and is the same byte for byte is not walked again.
 */
import { isUtf8 } from 'node:buffer'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const SYSTEM_FINGERPRINT = bytes('system_fingerprint')
const CHOICES = bytes('choices')
const DELTA = bytes('delta')
const TEXT = bytes('text')
const CONTENT = bytes('content')
const REFUSAL = bytes('refusal')
const REASONING = bytes('reasoning')
const REASONING_CONTENT = bytes('reasoning_content')
const USAGE = bytes('usage')
const USAGE_METADATA = bytes('usageMetadata')
const ERROR = bytes('error')
const NULL = bytes('null')
const TRUE = bytes('true')
const FALSE = bytes('false')

const NOWHERE = -1
const NOTHING = Buffer.alloc(0)
/** A stream whose chunks differ this often in what should be the same is walked whole from then on. */
const MOST_MISSES = 8

export class ChatChunk {
  visibleChars = 0
  reasoningChars = 0
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  #bytes: Buffer = NOTHING
  #end = 0
  #at = 0
  /** Of the string read last: UTF-16 units, as JSON.parse would count them, and whether it was written with escapes. */
  #units = 0
  #escaped = false
  #keyStart = 0
  #keyEnd = 0
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
    this.#bytes = bytes
    this.#at = start
    this.#end = end
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
      this.#at = this.#headEnd
    }
    if (!this.#root(!known)) return false
    if (this.#afterTail) return true
    if (this.#peek() !== NOWHERE) return false
    if (this.#misses < MOST_MISSES) this.#remember(start, known)
    return true
  }

  #remember(start: number, known: boolean): void {
    if (!known) {
      this.#misses++
      this.#head = Buffer.from(this.#bytes.subarray(start, this.#headEnd))
    }
    const from = this.#tailStart
    if (from === NOWHERE) return
    if (this.#tail.length > 0) this.#misses++
    this.#tail = Buffer.from(this.#bytes.subarray(from, this.#end))
  }

  #root(fromStart: boolean): boolean {
    let choices = false
    let fingerprint = false
    for (let first = fromStart; this.#member(first); first = false) {
      if (this.#keyIs(CHOICES)) {
        if (choices || !this.#choices()) return false
        if (this.#afterTail) return true
        choices = true
      } else if (this.#keyIs(SYSTEM_FINGERPRINT)) {
        if (fingerprint) return false
        fingerprint = true
        // It must not hide in a tail: an earlier one would count no more.
        if (choices) this.#tailStart = NOWHERE
        if (this.#peek() !== QUOTE) {
          if (!this.#literal(NULL)) return false
          continue
        }
        const start = this.#at + 1
        if (!this.#string() || this.#escaped) return false
        this.fingerprintStart = start
        this.fingerprintEnd = this.#at - 1
      } else if (this.#keyIs(USAGE) || this.#keyIs(USAGE_METADATA) || this.#keyIs(ERROR)) {
        // Anything but null in these would matter.
        if (this.#peek() === NOWHERE || !this.#literal(NULL)) return false
      } else if (!this.#scalar()) return false
      if (!choices && !fingerprint) this.#headEnd = this.#at
    }
    return choices && this.#closed
  }

  #choices(): boolean {
    if (this.#peek() !== OPEN_LIST) return false
    this.#at++
    if (this.#peek() === CLOSE_LIST) {
      this.#at++
      return true
    }
    let delta = false
    for (let first = true; this.#member(first); first = false) {
      if (this.#keyIs(DELTA)) {
        if (delta || !this.#delta()) return false
        if (this.#afterTail) return true
        delta = true
      } else if (this.#keyIs(TEXT) || !this.#scalar()) return false
    }
    if (!this.#closed || this.#peek() !== CLOSE_LIST) return false
    this.#at++
    return true
  }

  #delta(): boolean {
    let content = NOWHERE
    let refusal = NOWHERE
    let reasoning = NOWHERE
    let reasoningContent = NOWHERE
    for (let first = true; this.#member(first); first = false) {
      if (this.#keyIs(CONTENT)) {
        if (content !== NOWHERE) return false
        content = this.#lengthOfValue()
        if (content === NOWHERE) return false
        if (refusal === NOWHERE && reasoning === NOWHERE && reasoningContent === NOWHERE) {
          // With nothing counted before it, a known tail adds nothing to the text.
          this.visibleChars = content
          this.#tailStart = this.#at
          this.#afterTail = this.#tail.length > 0 && this.#isTail(this.#at)
          if (this.#afterTail) return true
        }
      } else if (this.#keyIs(REASONING_CONTENT)) {
        if (reasoningContent !== NOWHERE) return false
        reasoningContent = this.#lengthOfValue()
        if (reasoningContent === NOWHERE) return false
      } else if (this.#keyIs(REASONING)) {
        if (reasoning !== NOWHERE) return false
        reasoning = this.#lengthOfValue()
        if (reasoning === NOWHERE) return false
      } else if (this.#keyIs(REFUSAL)) {
        if (refusal !== NOWHERE) return false
        refusal = this.#lengthOfValue()
        if (refusal === NOWHERE) return false
      } else if (!this.#scalar()) return false
    }
    this.visibleChars = Math.max(0, content) + Math.max(0, refusal)
    this.reasoningChars = reasoningContent > 0 ? reasoningContent : Math.max(0, reasoning)
    if (this.visibleChars !== content || this.reasoningChars > 0) this.#tailStart = NOWHERE
    return this.#closed
  }

  /** Set by #member when it met the closing brace, and not something unexpected. */
  #closed = false

  /** Moves to the value of the next member of an object, the key read; false at its end, or when there is none. */
  #member(first: boolean): boolean {
    this.#closed = false
    let next = this.#peek()
    if (first) {
      if (next !== OPEN) return false
      this.#at++
      next = this.#peek()
    }
    if (next === CLOSE) {
      this.#at++
      this.#closed = true
      return false
    }
    if (!first) {
      if (next !== COMMA) return false
      this.#at++
      next = this.#peek()
    }
    if (next !== QUOTE) return false
    this.#keyStart = this.#at + 1
    if (!this.#string() || this.#escaped) return false
    this.#keyEnd = this.#at - 1
    if (this.#peek() !== COLON) return false
    this.#at++
    return true
  }

  #isTail(at: number): boolean {
    return this.#end - at === this.#tail.length && startsWith(this.#bytes, at, this.#end, this.#tail)
  }

  #keyIs(key: Buffer): boolean {
    const start = this.#keyStart
    if (this.#keyEnd - start !== key.length) return false
    for (let i = 0; i < key.length; i++) if (this.#bytes[start + i] !== key[i]) return false
    return true
  }

  /** Of a string its length, of null 0; -1 for anything else. */
  #lengthOfValue(): number {
    if (this.#peek() === QUOTE) return this.#string() ? this.#units : NOWHERE
    return this.#literal(NULL) ? 0 : NOWHERE
  }

  #scalar(): boolean {
    const next = this.#peek()
    if (next === QUOTE) return this.#string()
    if (next === 0x6e) return this.#literal(NULL)
    if (next === 0x74) return this.#literal(TRUE)
    if (next === 0x66) return this.#literal(FALSE)
    return this.#number()
  }

  /** The next byte that is no white space, left unread; -1 at the end. */
  #peek(): number {
    for (; this.#at < this.#end; this.#at++) {
      const byte = this.#bytes[this.#at]
      if (byte !== undefined && byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return byte
    }
    return NOWHERE
  }

  #string(): boolean {
    const { buffer, end } = { buffer: this.#bytes, end: this.#end }
    const start = this.#at + 1
    let units = 0
    let wide = false
    let escaped = false
    for (let i = start; i < end; i++) {
      const byte = buffer[i] ?? 0
      if (byte === QUOTE) {
        // A damaged character becomes another number of units when it is decoded.
        if (wide && !isUtf8(buffer.subarray(start, i))) return false
        this.#at = i + 1
        this.#units = units
        this.#escaped = escaped
        return true
      }
      if (byte < 0x20) return false
      if (byte === BACKSLASH) {
        const length = escapeLength(buffer, i + 1)
        if (length === 0) return false
        escaped = true
        units++
        i += length
      } else if (byte < 0x80) units++
      else {
        wide = true
        if (byte >= 0xf0) units += 2
        else if (byte >= 0xc0) units++
      }
    }
    return false
  }

  #literal(word: Buffer): boolean {
    for (let i = 0; i < word.length; i++) if (this.#bytes[this.#at + i] !== word[i]) return false
    this.#at += word.length
    return this.#at <= this.#end
  }

  #number(): boolean {
    if (this.#bytes[this.#at] === 0x2d) this.#at++
    const zero = this.#bytes[this.#at] === 0x30
    const whole = this.#digits()
    if (whole === 0 || (zero && whole > 1)) return false
    if (this.#at < this.#end && this.#bytes[this.#at] === 0x2e) {
      this.#at++
      if (this.#digits() === 0) return false
    }
    const exponent = this.#bytes[this.#at]
    return this.#at >= this.#end || (exponent !== 0x65 && exponent !== 0x45)
  }

  #digits(): number {
    const start = this.#at
    while (this.#at < this.#end && isDigit(this.#bytes[this.#at])) this.#at++
    return this.#at - start
  }
}

function startsWith(bytes: Buffer, start: number, end: number, head: Buffer): boolean {
  return end - start >= head.length && bytes.compare(head, 0, head.length, start, start + head.length) === 0
}

/** How many bytes follow the backslash before `at`; 0 when they are no escape. */
function escapeLength(buffer: Buffer, at: number): number {
  const byte = buffer[at]
  if (byte !== 0x75) {
    return byte === QUOTE || byte === BACKSLASH || byte === 0x2f || isLetterEscape(byte) ? 1 : 0
  }
  for (let i = at + 1; i <= at + 4; i++) if (!isHex(buffer[i])) return 0
  return 5
}

/** b f n r t */
function isLetterEscape(byte: number | undefined): boolean {
  return byte === 0x62 || byte === 0x66 || byte === 0x6e || byte === 0x72 || byte === 0x74
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39
}

function isHex(byte: number | undefined): boolean {
  return isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}
