/**
 * Finds the text in one JSON event of a stream without parsing it: one pass over the bytes notes where text lies, which
 * text it continues, and what else matters to a filter. In completions, text is every string inside `delta` or
 * `message` except structure (roles, ids, types, names), and `text`, by choice and place. In events without `choices`
 * (Responses), text is `delta` and the whole texts.
 */
import { KeyNumbers, KeyPath, known, knownKey, MAX_DEPTH } from './json-keys.ts'

/** One string of an event: its bytes lie between the quotes, from `from` to `to`. */
interface ScannedText {
  /** Equal for strings that continue each other, and for no others. */
  place: KeyPath
  choice: number
  from: number
  to: number
  /** Not a continuation: the whole text again, as Responses send it at the end of each part. */
  whole: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

const KEY = {
  choices: known('choices'),
  index: known('index'),
  delta: known('delta'),
  message: known('message'),
  text: known('text'),
  logprobs: known('logprobs'),
  finish: known('finish_reason'),
  usage: known('usage'),
  type: known('type'),
}
/** Keys that tell the parts of a response apart in events without choices. */
const PARTS = new Set(['index', 'output_index', 'content_index', 'summary_index'].map(known))
/** Keys whose strings are structure, not text. */
const STRUCTURE = new Set(
  ['role', 'id', 'type', 'name', 'call_id', 'item_id', 'format', 'status', 'model', 'object'].map(known),
)
const WHOLE_TEXTS = new Set(['text', 'arguments', 'refusal', 'transcript', 'content', 'output_text'].map(known))
/** Keys without a meaning here that occur in many streams. */
for (const name of ['reasoning_content', 'reasoning', 'tool_calls', 'function']) known(name)

/** How the strings of a nested value are read. */
const TEXT = 1
const WHOLE = 2

export class JsonScan {
  readonly texts: ScannedText[] = []
  /** The choices of the event: none, the one, or several. */
  choices: 'none' | 'one' | 'several' = 'none'
  choice = 0
  hasChoices = false
  /** A choice, or a part of a Responses answer, ends with this event. */
  ends = false
  hasUsage = false
  /** For an event without choices: the part of the response that it belongs to, where it says so. */
  part: number | undefined
  /** Where the values of logprobs lie that are not null: from, to, from, to, ... They repeat the text. */
  readonly logprobs: number[] = []
  /** After the last byte that was read. */
  at = 0
  #bytes: Buffer = Buffer.alloc(0)
  #end = 0
  /** The content of the string read last, keys included. */
  #from = 0
  #to = 0
  #escaped = false
  readonly #numbers = new KeyNumbers()
  readonly #root = new KeyPath()
  #pool: ScannedText[] = []

  /** Reads one JSON object. False: there is none, or it is not complete. */
  read(bytes: Buffer, from: number, end: number): boolean {
    this.#bytes = bytes
    this.#end = end
    this.#reset(from)
    if (!this.#top()) return false
    if (this.hasChoices) return true
    this.#reset(from)
    return this.#typed()
  }

  #reset(from: number): void {
    this.at = from
    for (const text of this.texts) this.#pool.push(text)
    this.texts.length = 0
    if (this.logprobs.length > 0) this.logprobs.length = 0
    this.choices = 'none'
    this.choice = 0
    this.hasChoices = false
    this.ends = false
    this.hasUsage = false
    this.part = undefined
  }

  #top(): boolean {
    return this.#object(() => {
      const key = this.#key
      if (key === KEY.choices && this.#next() === OPEN_ARRAY) {
        this.hasChoices = true
        return this.#array(() => this.#choice())
      }
      if (key === KEY.usage) this.hasUsage = this.#next() === OPEN_OBJECT
      return this.#skip(0)
    })
  }

  #choice(): boolean {
    if (this.#next() !== OPEN_OBJECT) return this.#skip(0)
    const first = this.texts.length
    let index = 0
    const read = this.#object(() => {
      const key = this.#key
      if (key === KEY.index) {
        index = this.#number()
        return true
      }
      if (key === KEY.delta || key === KEY.message || key === KEY.text) return this.#text(key)
      if (key === KEY.finish) this.ends ||= this.#next() === QUOTE
      if (key !== KEY.logprobs || this.#next() === 0x6e) return this.#skip(0)
      return this.#noteLogprobs()
    })
    this.#belong(first, index)
    this.choices = this.choices === 'none' || (this.choices === 'one' && this.choice === index) ? 'one' : 'several'
    this.choice = index
    return read
  }

  /** Reads an event of another shape, whose `type` says what it is. */
  #typed(): boolean {
    let part = this.#root
    const read = this.#object(() => {
      const key = this.#key
      if (PARTS.has(key)) {
        part = part.to(key).toIndex(this.#number(), 0)
        this.part = part.id
        return true
      }
      if (key === KEY.delta) return this.#text(key)
      if (key === KEY.type && this.#next() === QUOTE) {
        if (!this.#string()) return false
        const type = this.#bytes.toString('latin1', this.#from, this.#to)
        this.ends = /(?:\.(?:done|completed|incomplete|failed)|_stop)$/.test(type)
        return true
      }
      if (key === KEY.logprobs && this.#next() !== 0x6e) return this.#noteLogprobs()
      return this.#value(key, this.#root, WHOLE, 0)
    })
    this.#belong(0, part.id)
    return read
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
    this.#next()
    const from = this.at
    if (!this.#skip(0)) return false
    this.logprobs.push(from, this.at)
    return true
  }

  #text(key: number): boolean {
    return this.#value(key, this.#root.to(key), TEXT, 0)
  }

  /** Reads the value of `key`, whose strings are text, or may be. */
  #value(key: number, place: KeyPath, mode: number, depth: number): boolean {
    const next = this.#next()
    if (next === QUOTE) {
      if (!this.#string()) return false
      if ((mode === TEXT || WHOLE_TEXTS.has(key)) && this.#to > this.#from) this.#note(place, mode === WHOLE)
      return true
    }
    if (depth > MAX_DEPTH) return false
    if (next === OPEN_ARRAY) return this.#values(key, place, mode, depth + 1)
    if (next === OPEN_OBJECT) return this.#members(place, mode, depth + 1)
    return this.#skip(depth)
  }

  // Apart from #value, so that a mere string needs no closure.
  #values(key: number, place: KeyPath, mode: number, depth: number): boolean {
    return this.#array(() => this.#value(key, place, mode, depth))
  }

  #members(place: KeyPath, mode: number, depth: number): boolean {
    const first = this.texts.length
    let index = 0
    const read = this.#object(() => {
      const key = this.#key
      if (key === KEY.index) {
        index = this.#number()
        return true
      }
      if (STRUCTURE.has(key) && this.#next() === QUOTE) return this.#string()
      // Whole texts continue nothing, so their place does not matter.
      return this.#value(key, mode === WHOLE ? place : place.to(key || this.#otherKey()), mode, depth)
    })
    this.#moveOn(first, index, depth)
    return read
  }

  #note(place: KeyPath, whole: boolean): void {
    const text = this.#pool.pop() ?? { place, choice: 0, from: 0, to: 0, whole }
    text.place = place
    text.choice = 0
    text.from = this.#from
    text.to = this.#to
    text.whole = whole
    this.texts.push(text)
  }

  // --- JSON

  /** The next byte that is not white space; -1 at the end. */
  #next(): number {
    const bytes = this.#bytes
    while (this.at < this.#end) {
      const byte = bytes[this.at] ?? 0
      if (byte > 0x20) return byte
      this.at++
    }
    return -1
  }

  /** `member` reads the value after each key; #key gives the key. */
  #object(member: () => boolean): boolean {
    if (this.#next() !== OPEN_OBJECT) return false
    this.at++
    if (this.#next() === CLOSE_OBJECT) {
      this.at++
      return true
    }
    for (;;) {
      if (this.#next() !== QUOTE || !this.#string()) return false
      if (this.#next() !== COLON) return false
      this.at++
      if (!member()) return false
      const after = this.#next()
      this.at++
      if (after === CLOSE_OBJECT) return true
      if (after !== COMMA) return false
    }
  }

  #array(element: () => boolean): boolean {
    if (this.#next() !== OPEN_ARRAY) return false
    this.at++
    if (this.#next() === CLOSE_ARRAY) {
      this.at++
      return true
    }
    for (;;) {
      if (!element()) return false
      const after = this.#next()
      this.at++
      if (after === CLOSE_ARRAY) return true
      if (after !== COMMA) return false
    }
  }

  /** The number of the key read last, until another string is read; 0 for an unknown key. */
  get #key(): number {
    return knownKey(this.#bytes, this.#from, this.#to, this.#escaped)
  }

  /** The number of an unknown key, for this stream. */
  #otherKey(): number {
    return this.#numbers.numberOf(this.#bytes, this.#from, this.#to, this.#escaped)
  }

  /** Leaves the content of the string between #from and #to. */
  #string(): boolean {
    const bytes = this.#bytes
    const from = this.at + 1
    let escaped = false
    for (let at = from; at < this.#end; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#from = from
        this.#to = at
        this.#escaped = escaped
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

  /** A small number that is not negative; 0 for any other value. */
  #number(): number {
    let value = 0
    const first = this.#next()
    if (first < 0x30 || first > 0x39) {
      this.#skip(0)
      return 0
    }
    for (; this.at < this.#end; this.at++) {
      const digit = (this.#bytes[this.at] ?? 0) - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    return value
  }

  #skip(depth: number): boolean {
    if (depth > MAX_DEPTH) return false
    const first = this.#next()
    if (first === QUOTE) return this.#string()
    if (first === OPEN_OBJECT) return this.#object(() => this.#skip(depth + 1))
    if (first === OPEN_ARRAY) return this.#array(() => this.#skip(depth + 1))
    const from = this.at
    for (; this.at < this.#end; this.at++) {
      const byte = this.#bytes[this.at] ?? 0
      // Numbers, true, false, null.
      const literal =
        (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x2b && byte <= 0x39 && byte !== COMMA) || byte === 0x45
      if (!literal) break
    }
    return this.at > from
  }
}
