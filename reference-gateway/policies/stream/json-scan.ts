/**
 * Finds the text in one JSON event of a stream without parsing it: one pass over the bytes that notes where text lies, which
 * text it continues, and what else matters to a filter. Chat completions and completions: every string inside `delta` or
 * `message` (content, reasoning, refusal, tool-call arguments, whatever a provider adds) but roles, ids, types and names, and
 * `text`, each by choice and by place (a tool call by its index). Events without `choices` (Responses): `delta`, and whole texts.
 */

/** One string of an event: its bytes lie between the quotes, from `from` to `to`. */
export interface ScannedText {
  /** Equal for strings that continue each other, in the same choice. */
  key: number
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
const MAX_DEPTH = 64

const hash = (text: string): number => {
  let value = 0
  for (let i = 0; i < text.length; i++) value = (Math.imul(value, 31) + text.charCodeAt(i)) | 0
  return value
}
const KEY = {
  choices: hash('choices'),
  index: hash('index'),
  delta: hash('delta'),
  message: hash('message'),
  text: hash('text'),
  logprobs: hash('logprobs'),
  finish: hash('finish_reason'),
  usage: hash('usage'),
  type: hash('type'),
}
/** What tells the parts of an answer apart in events without choices. */
const PARTS = new Set(['index', 'output_index', 'content_index', 'summary_index'].map(hash))
/** Strings that are structure and no text. */
const STRUCTURE = new Set(
  ['role', 'id', 'type', 'name', 'call_id', 'item_id', 'format', 'status', 'model', 'object'].map(hash),
)
const WHOLE_TEXTS = new Set(['text', 'arguments', 'refusal', 'transcript', 'content', 'output_text'].map(hash))

/** What a nested value is to the reader. */
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
  /** Of an event without choices: which part of the answer it belongs to, where it says so. */
  part: number | undefined
  /** Where the values of logprobs lie that are not null: from, to, from, to, ... They repeat the text. */
  readonly logprobs: number[] = []
  /** After the last byte that was read. */
  at = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #end = 0
  #key = 0
  #keyFrom = 0
  #keyTo = 0
  #pool: ScannedText[] = []

  /** Reads one JSON object. False: there is none, or it is not complete. */
  read(bytes: Uint8Array, from: number, end: number): boolean {
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
      if (this.#key === KEY.choices && this.#next() === OPEN_ARRAY) {
        this.hasChoices = true
        return this.#array(() => this.#choice())
      }
      if (this.#key === KEY.usage) this.hasUsage = this.#next() === OPEN_OBJECT
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
      if (key === KEY.delta || key === KEY.message || key === KEY.text) return this.#value(key, TEXT, 0)
      if (key === KEY.finish) this.ends ||= this.#next() === QUOTE
      if (key !== KEY.logprobs || this.#next() === 0x6e) return this.#skip(0)
      return this.#noteLogprobs()
    })
    for (let i = first; i < this.texts.length; i++) {
      const text = this.texts[i]
      if (text) text.choice = index
    }
    this.choices = this.choices === 'none' || (this.choices === 'one' && this.choice === index) ? 'one' : 'several'
    this.choice = index
    return read
  }

  /** An event of another shape: what it is, its `type` says. */
  #typed(): boolean {
    let part = 0
    const read = this.#object(() => {
      const key = this.#key
      if (PARTS.has(key)) {
        part = (Math.imul(part, 31) + this.#number() + key) & 0x3ff
        this.part = part
        return true
      }
      if (key === KEY.delta) return this.#value(key, TEXT, 0)
      if (key === KEY.type && this.#next() === QUOTE) {
        if (!this.#string()) return false
        const type = Buffer.from(this.#bytes.subarray(this.#keyFrom, this.#keyTo)).toString('latin1')
        this.ends = /(?:\.(?:done|completed|incomplete|failed)|_stop)$/.test(type)
        return true
      }
      if (key === KEY.logprobs && this.#next() !== 0x6e) return this.#noteLogprobs()
      return this.#value(key, WHOLE, 0)
    })
    for (const text of this.texts) text.choice = part
    return read
  }

  #noteLogprobs(): boolean {
    this.#next()
    const from = this.at
    if (!this.#skip(0)) return false
    this.logprobs.push(from, this.at)
    return true
  }

  /** A value whose strings are texts, or may be. */
  #value(key: number, mode: number, depth: number): boolean {
    if (depth > MAX_DEPTH) return false
    const first = this.#next()
    if (first === QUOTE) {
      if (!this.#string()) return false
      const wanted = mode === TEXT || WHOLE_TEXTS.has(this.#key)
      if (mode === WHOLE && !wanted) return true
      if (this.#keyTo > this.#keyFrom) this.#note(key, mode === WHOLE)
      return true
    }
    if (first === OPEN_ARRAY) return this.#array(() => this.#value(key, mode, depth + 1))
    if (first !== OPEN_OBJECT) return this.#skip(depth)
    const from = this.texts.length
    let index = 0
    const read = this.#object(() => {
      const own = this.#key
      if (own === KEY.index) {
        index = this.#number()
        return true
      }
      const next = this.#next()
      if (next === QUOTE && (STRUCTURE.has(own) || (mode === WHOLE && !WHOLE_TEXTS.has(own)))) return this.#string()
      if (next === QUOTE) {
        if (!this.#string()) return false
        if (this.#keyTo > this.#keyFrom) this.#note(Math.imul(key, 31) + own, mode === WHOLE)
        return true
      }
      return this.#value(Math.imul(key, 31) + own, mode, depth + 1)
    })
    if (index > 0) {
      for (let i = from; i < this.texts.length; i++) {
        const text = this.texts[i]
        if (text) text.key = Math.imul(text.key, 31) + index
      }
    }
    return read
  }

  #note(key: number, whole: boolean): void {
    const text = this.#pool.pop() ?? { key: 0, choice: 0, from: 0, to: 0, whole: false }
    text.key = key | 0
    text.choice = 0
    text.from = this.#keyFrom
    text.to = this.#keyTo
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

  /** `member` reads the value after each key, whose hash is in #key. */
  #object(member: () => boolean): boolean {
    if (this.#next() !== OPEN_OBJECT) return false
    this.at++
    if (this.#next() === CLOSE_OBJECT) {
      this.at++
      return true
    }
    for (;;) {
      if (this.#next() !== QUOTE || !this.#keyName()) return false
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

  #keyName(): boolean {
    const bytes = this.#bytes
    let value = 0
    let escaped = false
    for (let at = this.at + 1; at < this.#end; at++) {
      const byte = bytes[at] ?? 0
      if (byte === QUOTE) {
        this.#key = escaped ? unescapedHash(bytes, this.at, at + 1) : value
        this.at = at + 1
        return true
      }
      if (byte === BACKSLASH) {
        escaped = true
        at++
      }
      value = (Math.imul(value, 31) + byte) | 0
    }
    return false
  }

  /** Leaves where the string's content lies in #keyFrom and #keyTo. */
  #string(): boolean {
    const bytes = this.#bytes
    const from = this.at + 1
    for (let at = from; at < this.#end; at++) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#keyFrom = from
        this.#keyTo = at
        this.at = at + 1
        return true
      }
      if (byte === BACKSLASH) at++
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

/** A key with escapes is another spelling of one without. */
function unescapedHash(bytes: Uint8Array, from: number, to: number): number {
  try {
    return hash(String(JSON.parse(Buffer.from(bytes.subarray(from, to)).toString('utf8'))))
  } catch {
    return 0
  }
}
