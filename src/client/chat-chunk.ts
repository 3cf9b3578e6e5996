/**
 * The common chunk of a streamed chat completion, read from its bytes without building an object: one choice, whose delta holds
 * text or reasoning, beside fields that say nothing about tokens. It walks the whole chunk by the grammar of RFC 8259 and
 * gives up (`read` is false) at anything it does not know, malformed or merely unusual: then readStreamEvent must speak.
 * What it accepts means the same to both.
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
/** At the root these may only be null: anything else in them would matter. */
const MUST_BE_NULL = [bytes('usage'), bytes('usageMetadata'), bytes('error')]
const NULL = bytes('null')
const TRUE = bytes('true')
const FALSE = bytes('false')

const NOWHERE = -1

export class ChatChunk {
  visibleChars = 0
  reasoningChars = 0
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0
  #at = 0
  /** Of the string read last: UTF-16 units, as JSON.parse would count them, and whether it was written with escapes. */
  #units = 0
  #escaped = false
  #keyStart = 0
  #keyEnd = 0

  /** True when the bytes from `start` to `end` are a chunk of this shape; the fields then say what is in it. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.visibleChars = 0
    this.reasoningChars = 0
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    return this.#root() && this.#peek() === NOWHERE
  }

  #root(): boolean {
    let choices = false
    let fingerprint = false
    for (let first = true; this.#member(first); first = false) {
      if (this.#keyIs(CHOICES)) {
        if (choices || !this.#choices()) return false
        choices = true
      } else if (this.#keyIs(SYSTEM_FINGERPRINT)) {
        if (fingerprint) return false
        fingerprint = true
        if (this.#peek() !== QUOTE) {
          if (!this.#literal(NULL)) return false
          continue
        }
        const start = this.#at + 1
        if (!this.#string() || this.#escaped) return false
        this.fingerprintStart = start
        this.fingerprintEnd = this.#at - 1
      } else if (MUST_BE_NULL.some((key) => this.#keyIs(key))) {
        if (this.#peek() === NOWHERE || !this.#literal(NULL)) return false
      } else if (!this.#scalar()) return false
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
