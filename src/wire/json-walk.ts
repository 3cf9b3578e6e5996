/**
 * Walks JSON (RFC 8259) in its bytes without building anything, for the hot path: members, strings, scalars, whole
 * values. It refuses what is malformed or merely unusual (a key with escapes, very deep nesting): then JSON.parse reads
 * it. Both read accepted text the same way.
 */
import { isUtf8 } from 'node:buffer'

export const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
export const OPEN = 0x7b
const CLOSE = 0x7d
export const OPEN_LIST = 0x5b
export const CLOSE_LIST = 0x5d
export const NOWHERE = -1

const BACKSLASH = 0x5c
/** JSON that nests deeper is not walked. */
export const MAX_DEPTH = 64

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')
export const NULL = bytesOf('null')
const TRUE = bytesOf('true')
const FALSE = bytesOf('false')
const NOTHING = Buffer.alloc(0)

export class JsonWalk {
  protected bytes: Buffer = NOTHING
  protected at = 0
  protected end = 0
  /** Of the string read last: its length in UTF-16 units, as JSON.parse would give it, and whether it has escapes. */
  protected units = 0
  protected escaped = false
  /** The key of the current member. */
  protected keyStart = 0
  protected keyEnd = 0
  /** Set by member() and item() when they met the closing bracket, and not something unexpected. */
  protected closed = false

  protected begin(bytes: Buffer, start: number, end: number): void {
    this.bytes = bytes
    this.at = start
    this.end = end
  }

  /** Reads the next key of an object and moves to its value; false at the end, or when there is no member. */
  protected member(first: boolean): boolean {
    this.closed = false
    let next = this.peek()
    if (first) {
      if (next !== OPEN) return false
      this.at++
      next = this.peek()
    }
    if (next === CLOSE) {
      this.at++
      this.closed = true
      return false
    }
    if (!first) {
      if (next !== COMMA) return false
      this.at++
      next = this.peek()
    }
    if (next !== QUOTE) return false
    this.keyStart = this.at + 1
    if (!this.string() || (this.escaped && !this.allowsEscapedKeys())) return false
    this.keyEnd = this.at - 1
    if (this.peek() !== COLON) return false
    this.at++
    return true
  }

  /** Keys with escapes are unusual; who knows what to do with them says so. */
  protected allowsEscapedKeys(): boolean {
    return false
  }

  protected keyIs(key: Buffer): boolean {
    const start = this.keyStart
    if (this.keyEnd - start !== key.length) return false
    for (let i = 0; i < key.length; i++) if (this.bytes[start + i] !== key[i]) return false
    return true
  }

  /** Whether the string that was read last, which has no escapes, equals `word`. */
  protected stringIs(word: Buffer): boolean {
    const start = this.at - 1 - word.length
    if (this.units !== word.length || start < 0 || this.bytes[start - 1] !== QUOTE) return false
    for (let i = 0; i < word.length; i++) if (this.bytes[start + i] !== word[i]) return false
    return true
  }

  protected scalar(): boolean {
    const next = this.peek()
    if (next === QUOTE) return this.string()
    if (next === 0x6e) return this.literal(NULL)
    if (next === 0x74) return this.literal(TRUE)
    if (next === 0x66) return this.literal(FALSE)
    return this.number()
  }

  /** The next byte that is no white space; it stays unread. -1 at the end. */
  protected peek(): number {
    const { bytes, end } = this
    for (let at = this.at; at < end; at++) {
      const byte = bytes[at] ?? 0
      if (byte > 0x20 || (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)) {
        this.at = at
        return byte
      }
    }
    this.at = end
    return NOWHERE
  }

  protected string(): boolean {
    const { buffer, end } = { buffer: this.bytes, end: this.end }
    const start = this.at + 1
    let units = 0
    let wide = false
    let escaped = false
    for (let i = start; i < end; i++) {
      const byte = buffer[i] ?? 0
      if (byte === QUOTE) {
        // Invalid UTF-8 decodes to another number of units than was counted here.
        if (wide && !isUtf8(buffer.subarray(start, i))) return false
        this.at = i + 1
        this.units = units
        this.escaped = escaped
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

  protected literal(word: Buffer): boolean {
    for (let i = 0; i < word.length; i++) if (this.bytes[this.at + i] !== word[i]) return false
    this.at += word.length
    return this.at <= this.end
  }

  protected number(): boolean {
    if (this.bytes[this.at] === 0x2d) this.at++
    const zero = this.bytes[this.at] === 0x30
    const whole = this.#digits()
    if (whole === 0 || (zero && whole > 1)) return false
    if (this.at < this.end && this.bytes[this.at] === 0x2e) {
      this.at++
      if (this.#digits() === 0) return false
    }
    const exponent = this.at < this.end ? this.bytes[this.at] : NOWHERE
    if (exponent !== 0x65 && exponent !== 0x45) return true
    this.at++
    const sign = this.bytes[this.at]
    if (sign === 0x2b || sign === 0x2d) this.at++
    return this.#digits() > 0
  }

  #digits(): number {
    const { bytes, at: start, end } = this
    let at = start
    while (at < end && isDigit(bytes[at])) at++
    this.at = at
    return at - start
  }

  /** Skips any value, nested ones too. */
  protected skip(depth = 0): boolean {
    const next = this.peek()
    if (next === QUOTE) return this.skipString()
    if (next !== OPEN && next !== OPEN_LIST) return this.scalar()
    if (depth === MAX_DEPTH) return false
    if (next === OPEN) {
      for (let first = true; this.member(first); first = false) if (!this.skip(depth + 1)) return false
      return this.closed
    }
    for (let first = true; this.item(first); first = false) if (!this.skip(depth + 1)) return false
    return this.closed
  }

  /** Moves to the next value of a list; false at the end, or when there is no value. */
  protected item(first: boolean): boolean {
    this.closed = false
    if (first) this.at++
    if (this.peek() === CLOSE_LIST && first) {
      this.at++
      this.closed = true
      return false
    }
    if (first) return true
    const next = this.peek()
    this.at++
    this.closed = next === CLOSE_LIST
    return next === COMMA
  }

  /** Skips a string, without counting its units. */
  protected skipString(): boolean {
    const { bytes, end } = this
    for (let i = this.at + 1; i < end; i++) {
      const byte = bytes[i] ?? 0
      if (byte === QUOTE) {
        this.at = i + 1
        return true
      }
      if (byte < 0x20) return false
      if (byte === BACKSLASH) {
        const length = escapeLength(bytes, i + 1)
        if (length === 0) return false
        i += length
      }
    }
    return false
  }
}

/** The number of bytes of the escape that begins at `at`, behind the backslash; 0 when it is no escape. */
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
