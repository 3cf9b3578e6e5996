/**
 * Finds the text in one JSON event of a stream, of any format, without parsing it: one pass over the bytes notes where
 * text lies, which text it continues, and what else matters to who changes text on its way. Text is every string except
 * structure (roles, ids, types) and encoded data. In choices and candidates, what a message or the delta of one says
 * continues what came before. In other events (Responses, Messages), what the event adds does; the rest is a text of
 * its own, or repeats one. An event of no type may be of any format: each of its strings continues the one in the same
 * place. It reads what JSON.parse would refuse as well, as far as strings go: a client may be as lenient.
 */
import {
  ADDED,
  ALONE,
  AT_TOP,
  BRIEF,
  CHOICES,
  ENCODED,
  FINISH,
  KEY,
  LOGPROBS,
  MESSAGE,
  meanings,
  PART,
  STRUCTURE,
  TYPE,
} from './event-keys.ts'
import { JsonWalk, MAX_DEPTH, OPEN, OPEN_LIST, QUOTE } from './json-walk.ts'
import { KeyNumbers, KeyPath, knownKey, TYPE_LEVEL } from './key-paths.ts'
import { ENCODED_FROM } from './strings.ts'

/** One string of an event: its bytes lie between the quotes, from `from` to `to`. */
interface ScannedText {
  /** Equal for strings that continue each other, and for no others. */
  place: KeyPath
  choice: number
  from: number
  to: number
  /** Not a continuation: a text of its own, or the whole text again, as Responses send it at the end of each part. */
  whole: boolean
  /** It continues what stands in the same place of the event before, if that has such a place. */
  loose: boolean
}

const BACKSLASH = 0x5c
const TRUE_START = 0x74
/** By byte: 1 in data that is encoded in base64, of either alphabet. */
const IN_BASE64 = Uint8Array.from({ length: 256 }, (_, byte) => (/[\w+/=-]/.test(String.fromCharCode(byte)) ? 1 : 0))

/**
 * How the strings of a nested value are read: each continues its place, does so only if the event before has that place
 * too, is alone, or that depends on the event's type.
 */
const CONTINUES = 0
const ADJOINS = 1
const STANDS_ALONE = 2
const REPEATS = 3
type Mode = typeof CONTINUES | typeof ADJOINS | typeof STANDS_ALONE | typeof REPEATS

export class EventScan extends JsonWalk {
  readonly texts: ScannedText[] = []
  /** The choices of the event: none, the one, or several. */
  choices: 'none' | 'one' | 'several' = 'none'
  choice = 0
  /** A choice, or a part of a response, ends with this event. */
  ends = false
  /** For an event without choices: the part of the response that it belongs to, where it says so. */
  part: number | undefined
  /** Where the values of logprobs lie that are not null: from, to, from, to, ... They repeat the text. */
  readonly logprobs: number[] = []
  /** Where strings lie whose content decides nothing else: from, to, ... in `freeCount` numbers, as far as they fit. */
  readonly free = new Int32Array(16)
  freeCount = 0
  #hasChoices = false
  /** The content of the string read last, keys included. */
  #from = 0
  #to = 0
  readonly #numbers = new KeyNumbers()
  readonly #root = new KeyPath()
  readonly #pool: ScannedText[] = []

  /** After the last byte that was read. */
  get after(): number {
    return this.at
  }

  /** Where the string ends whose content begins at `from`; -1 where it does not. */
  stringEnd(bytes: Buffer, from: number, end: number): number {
    this.begin(bytes, from - 1, end)
    return this.string() ? this.#to : -1
  }

  /** Reads one JSON value. False: there is none, or it is not complete. */
  read(bytes: Buffer, from: number, end: number): boolean {
    this.begin(bytes, from, end)
    this.#forget()
    this.#hasChoices = false
    if (this.peek() !== OPEN) {
      const isRead = this.#value(0, this.#root, REPEATS, 0)
      this.#loosen()
      return isRead
    }
    let part = this.#root
    let type = 0
    let addsString = false
    for (let first = true; this.member(first); first = false) {
      const key = this.#key
      const means = meanings[key] ?? 0
      if ((means & AT_TOP) === 0) {
        if (!this.#member(key, means, this.#root, REPEATS, 0)) return false
      } else if (means & CHOICES && this.peek() === OPEN_LIST) {
        if (!this.#readChoices()) return false
      } else if (means & PART && this.peek() !== QUOTE) {
        const index = this.#index()
        if (index < 0) return false
        part = part.to(key).toIndex(index, 0)
        this.part = part.id
      } else if (means & ADDED) {
        addsString ||= this.peek() === QUOTE
        if (!this.#value(key, this.#root.to(KEY.delta), CONTINUES, 0)) return false
      } else if (means & TYPE && this.peek() === QUOTE) {
        if (!this.string()) return false
        type = this.#numbers.numberOf(this.bytes, this.#from, this.#to, this.escaped)
        if (!this.#hasChoices) this.ends = this.#typeEnds()
      } else if (!this.#member(key, means, this.#root, REPEATS, 0)) return false
    }
    if (!this.closed) return false
    if (type === 0 && !this.#hasChoices) this.#loosen()
    if (this.#hasChoices) return true
    // Events of several types add to parts of the same index: what a voice says, and its sound.
    if (addsString) this.#moveOn(0, type, TYPE_LEVEL)
    this.#belong(0, part.id)
    return true
  }

  /** Without a type nothing says that a text is whole. */
  #loosen(): void {
    for (const text of this.texts) if (text.loose) text.whole = false
  }

  #forget(): void {
    for (const text of this.texts) this.#pool.push(text)
    this.texts.length = 0
    if (this.logprobs.length > 0) this.logprobs.length = 0
    this.freeCount = 0
    this.choices = 'none'
    this.choice = 0
    this.ends = false
    this.part = undefined
  }

  /** Whether an event of the type that was read last ends a part, or the response. */
  #typeEnds(): boolean {
    return /(?:\.(?:done|completed|incomplete|failed)|_stop)$/.test(this.bytes.toString('latin1', this.#from, this.#to))
  }

  #readChoices(): boolean {
    this.#hasChoices = true
    this.ends = false
    for (let first = true; this.item(first); first = false) {
      if (this.peek() === OPEN ? !this.#readChoice() : !this.skip()) return false
    }
    return this.closed
  }

  #readChoice(): boolean {
    const firstText = this.texts.length
    let index = 0
    for (let first = true; this.member(first); first = false) {
      const key = this.#key
      const means = meanings[key] ?? 0
      if (key === KEY.index && this.peek() !== QUOTE) {
        index = this.#index()
        if (index < 0) return false
      } else if (means & MESSAGE) {
        if (!this.#value(key, this.#root.to(key), CONTINUES, 0)) return false
      } else {
        if (means & FINISH) this.ends ||= this.peek() === QUOTE && this.bytes[this.at + 1] !== QUOTE
        if (!this.#member(key, means, this.#root, STANDS_ALONE, 0)) return false
      }
    }
    this.#belong(firstText, index)
    this.choices = this.choices === 'none' || (this.choices === 'one' && this.choice === index) ? 'one' : 'several'
    this.choice = index
    return this.closed
  }

  /** Marks the texts from `first` on as texts of one choice, or part. */
  #belong(first: number, choice: number): void {
    this.#moveOn(first, choice, 0)
    for (let i = first; i < this.texts.length; i++) {
      const text = this.texts[i]
      if (text) text.choice = choice
    }
  }

  /** Applies an index, which may come after the texts that it tells apart. Without an index it is 0. */
  #moveOn(first: number, index: number, level: number): void {
    if (index === 0) return
    for (let i = first; i < this.texts.length; i++) {
      const text = this.texts[i]
      if (text) text.place = text.place.toIndex(index, level)
    }
  }

  #noteLogprobs(): boolean {
    this.peek()
    const from = this.at
    if (!this.skip()) return false
    this.logprobs.push(from, this.at)
    return true
  }

  /** Reads the member `key` of the object at `place`. */
  #member(key: number, means: number, place: KeyPath, mode: Mode, depth: number): boolean {
    const next = this.peek()
    if (means & STRUCTURE && next === QUOTE) {
      if (!this.string()) return false
      if ((means & FINISH) === 0) this.#noteFree()
      return true
    }
    if (means & LOGPROBS && (next === OPEN || next === OPEN_LIST)) return this.#noteLogprobs()
    if (next !== QUOTE && next !== OPEN && next !== OPEN_LIST) return this.skip()
    // The place of a text that continues nothing does not matter.
    const inner = mode === STANDS_ALONE ? place : place.to(key || this.#otherKey())
    return this.#value(key, inner, modeWithin(means, mode), depth)
  }

  /** Reads the value of `key`, whose strings are text. */
  #value(key: number, place: KeyPath, mode: Mode, depth: number): boolean {
    const next = this.peek()
    if (next === QUOTE) {
      if (!this.string()) return false
      if (this.#to > this.#from && !this.#isEncoded(key)) this.#note(place, mode)
      return true
    }
    if (next === OPEN) return depth <= MAX_DEPTH && this.#members(place, mode, depth + 1)
    if (next !== OPEN_LIST) return this.skip()
    if (depth > MAX_DEPTH) return false
    for (let first = true; this.item(first); first = false) if (!this.#value(key, place, mode, depth + 1)) return false
    return this.closed
  }

  #members(place: KeyPath, mode: Mode, depth: number): boolean {
    const firstText = this.texts.length
    let index = 0
    let isThought = false
    for (let first = true; this.member(first); first = false) {
      const key = this.#key
      const means = meanings[key] ?? 0
      if (key === KEY.index && this.peek() !== QUOTE) {
        index = this.#index()
        if (index < 0) return false
      } else if (key === KEY.thought && this.peek() !== QUOTE) {
        isThought ||= this.peek() === TRUE_START
        if (!this.skip()) return false
      } else if (!this.#member(key, means, place, mode, depth)) return false
    }
    this.#moveOn(firstText, index, depth)
    if (isThought) {
      for (let i = firstText; i < this.texts.length; i++) {
        const text = this.texts[i]
        if (text) text.place = text.place.to(KEY.thought)
      }
    }
    return this.closed
  }

  /** Whether the string read last, the value of `key`, is encoded data. */
  #isEncoded(key: number): boolean {
    if (((meanings[key] ?? 0) & ENCODED) === 0 || this.#to - this.#from < ENCODED_FROM) return false
    for (let at = this.#from; at < this.#to; at++) if (IN_BASE64[this.bytes[at] ?? 0] !== 1) return false
    return true
  }

  #note(place: KeyPath, mode: Mode): void {
    const text = this.#pool.pop() ?? { place, choice: 0, from: 0, to: 0, whole: false, loose: false }
    text.place = place
    text.choice = 0
    text.from = this.#from
    text.to = this.#to
    text.whole = mode === STANDS_ALONE || mode === REPEATS
    text.loose = mode === ADJOINS || mode === REPEATS
    this.texts.push(text)
    this.#noteFree()
  }

  /** The string read last is free. */
  #noteFree(): void {
    this.free[this.freeCount++] = this.#from
    this.free[this.freeCount++] = this.#to
  }

  /** The number of the key read last, until another string is read; 0 for an unknown key. */
  get #key(): number {
    return knownKey(this.bytes, this.keyStart, this.keyEnd, this.escaped)
  }

  /** The number of an unknown key, for this stream. */
  #otherKey(): number {
    return this.#numbers.numberOf(this.bytes, this.keyStart, this.keyEnd, this.escaped)
  }

  protected override allowsEscapedKeys(): boolean {
    return true
  }

  /** Leaves the content of the string between #from and #to. */
  protected override string(): boolean {
    const { bytes, end } = this
    const from = this.at + 1
    let escaped = false
    for (let at = from; at < end; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#from = from
        this.#to = at
        this.escaped = escaped
        this.at = at + 1
        return true
      }
      if (byte === BACKSLASH) {
        escaped = true
        at++
      }
    }
    return false
  }

  protected override skipString(): boolean {
    return this.string()
  }

  /** A small number that is not negative; 0 for any other value, and -1 where there is no value. */
  #index(): number {
    const first = this.peek()
    if (first < 0x30 || first > 0x39) return this.skip() ? 0 : -1
    let value = 0
    for (; this.at < this.end; this.at++) {
      const digit = (this.bytes[this.at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    return value
  }
}

function modeWithin(means: number, mode: Mode): Mode {
  if (means & ALONE) return STANDS_ALONE
  return means & BRIEF && mode === CONTINUES ? ADJOINS : mode
}
