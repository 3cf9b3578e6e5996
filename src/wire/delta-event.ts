/**
 * Reads the common events of Anthropic's Messages, OpenAI's Responses and Gemini from their bytes, without building an
 * object: those that add one text (visible, reasoning, or the arguments of a tool call) and say nothing else that
 * matters. `read` returns false at anything unknown, malformed or merely unusual: then readStreamEvent parses the
 * event. Both read an accepted event the same way.
 */
import { FramedWalk, OTHER } from './framed-walk.ts'
import { bytesOf, CLOSE_LIST, NOWHERE, OPEN, OPEN_LIST, QUOTE } from './json-walk.ts'
import { TEXT_DELTAS } from './openai-responses.ts'
import { type TokenUsage, toldUsage } from './usage.ts'

const TYPE = bytesOf('type')
const DELTA = bytesOf('delta')
const SYSTEM_FINGERPRINT = bytesOf('system_fingerprint')
const CANDIDATES = bytesOf('candidates')
const USAGE_METADATA = bytesOf('usageMetadata')
/** Members that say nothing of tokens, whatever they hold. */
const OTHERS = [
  ...['sequence_number', 'index', 'item_id', 'output_index', 'content_index', 'summary_index', 'logprobs'],
  ...['obfuscation', 'modelVersion', 'responseId'],
].map(bytesOf)

const CONTENT = bytesOf('content')
const PARTS = bytesOf('parts')
const ROLE = bytesOf('role')
const INDEX = bytesOf('index')
const THOUGHT = bytesOf('thought')
const TRUE = bytesOf('true')

const MOST_DIGITS = 9
const ZERO = 0x30

type Kind = 'visible' | 'reasoning' | 'tool'

const BLOCK_DELTA = bytesOf('content_block_delta')
/** The texts in the delta of a content block. */
const BLOCK_TEXTS = [
  [bytesOf('text'), 'visible'],
  [bytesOf('thinking'), 'reasoning'],
  [bytesOf('partial_json'), 'tool'],
] as const
const TYPES = Object.entries(TEXT_DELTAS).map(([type, kind]) => ({ type: bytesOf(type), kind }))

/** What the values of an event are. */
const IS_TEXT = 1
const IS_FINGERPRINT = 2
const IS_INPUT = 3
const IS_OUTPUT = 4
const IS_REASONING = 5
const IS_CACHED = 6
const COUNTS = [
  [bytesOf('promptTokenCount'), IS_INPUT],
  [bytesOf('candidatesTokenCount'), IS_OUTPUT],
  [bytesOf('thoughtsTokenCount'), IS_REASONING],
  [bytesOf('cachedContentTokenCount'), IS_CACHED],
] as const

/** What a type says of its delta. */
const UNTYPED = 0
const BLOCK = 1
const TEXT = 2

export class DeltaEvent extends FramedWalk {
  /** Length of the text, and what it is. */
  chars = 0
  kind: Kind = 'visible'
  /** The usage that the event tells; undefined where it tells none. */
  usage: TokenUsage | undefined
  /** The place of the text of `system_fingerprint`; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  #type = UNTYPED
  #typeKind: Kind = 'visible'
  /** The delta, or the candidate, is a text itself, or an object around it. */
  #found: 'nothing' | 'text' | 'block' | 'candidate' = 'nothing'
  /** What the frame's text is. */
  #framedKind: Kind = 'visible'
  /** The type that was seen last, which comes again most often. */
  #lastType = TYPES[0]
  #hasUsage = false
  #input = 0
  #output = 0
  #reasoning = 0
  #cached = 0

  /** True when the bytes from `start` to `end` are an event of such a shape; the fields then hold what was read. */
  read(bytes: Buffer, start: number, end: number): boolean {
    this.#begin(bytes, start, end)
    if (this.readFramed()) this.kind = this.#framedKind
    else {
      this.#begin(bytes, start, end)
      if (!this.#root() || this.peek() !== NOWHERE || this.chars === 0 || !this.#fits()) return false
      this.#framedKind = this.kind
      this.remember(start)
    }
    if (!this.#hasUsage) return true
    const [input, reasoning, cached] = [this.#input, this.#reasoning, this.#cached]
    this.usage = toldUsage({ input, output: this.#output + reasoning, reasoning, cached, cacheWritten: 0 })
    return true
  }

  #begin(bytes: Buffer, start: number, end: number): void {
    this.begin(bytes, start, end)
    this.chars = 0
    this.kind = 'visible'
    this.usage = undefined
    this.fingerprintStart = NOWHERE
    this.fingerprintEnd = NOWHERE
    this.#type = UNTYPED
    this.#found = 'nothing'
    this.#hasUsage = false
    this.#input = 0
    this.#output = 0
    this.#reasoning = 0
    this.#cached = 0
  }

  /** Whether the text stands where the type says. */
  #fits(): boolean {
    if (this.#found === 'text') this.kind = this.#typeKind
    return this.#found === (this.#type === BLOCK ? 'block' : this.#type === TEXT ? 'text' : 'candidate')
  }

  protected override take(is: number, start: number): boolean {
    if (is === IS_TEXT) {
      this.chars = this.units
      return this.chars > 0
    }
    if (is === IS_FINGERPRINT) {
      this.fingerprintStart = start + 1
      this.fingerprintEnd = this.at - 1
      return !this.escaped
    }
    const count = this.#countFrom(start)
    this.#hasUsage = true
    if (is === IS_INPUT) this.#input = count
    else if (is === IS_OUTPUT) this.#output = count
    else if (is === IS_REASONING) this.#reasoning = count
    else this.#cached = count
    return count >= 0
  }

  #root(): boolean {
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(TYPE)) {
        if (this.#type !== UNTYPED || !this.#readType()) return false
      } else if (this.keyIs(DELTA)) {
        if (this.#found !== 'nothing' || !this.#delta()) return false
      } else if (this.keyIs(CANDIDATES)) {
        if (this.#found !== 'nothing' || !this.#candidates()) return false
      } else if (this.keyIs(USAGE_METADATA)) {
        if (this.#hasUsage || !this.#usage()) return false
      } else if (this.keyIs(SYSTEM_FINGERPRINT)) {
        if (this.fingerprintStart !== NOWHERE || !this.#fingerprint()) return false
      } else if (!this.#isOther() || !this.#other()) return false
    }
    return this.closed
  }

  #isOther(): boolean {
    for (const name of OTHERS) if (this.keyIs(name)) return true
    return false
  }

  /** A value that may differ and does not matter. */
  #other(): boolean {
    const next = this.peek()
    if (next === QUOTE) return this.stringValue(OTHER)
    return isDigit(next) ? this.numberValue(OTHER) : this.skip()
  }

  #readType(): boolean {
    if (this.peek() !== QUOTE || !this.string() || this.escaped) return false
    if (this.stringIs(BLOCK_DELTA)) {
      this.#type = BLOCK
      return true
    }
    const last = this.#lastType
    const known = last && this.stringIs(last.type) ? last : TYPES.find(({ type }) => this.stringIs(type))
    if (!known) return false
    this.#lastType = known
    this.#type = TEXT
    this.#typeKind = known.kind
    return true
  }

  #fingerprint(): boolean {
    if (this.peek() !== QUOTE) return false
    const { at } = this
    return this.stringValue(IS_FINGERPRINT) && this.take(IS_FINGERPRINT, at)
  }

  #delta(): boolean {
    const next = this.peek()
    if (next === QUOTE) return this.#text('text')
    if (next !== OPEN) return false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(TYPE)) {
        if (!this.scalar()) return false
        continue
      }
      const text = BLOCK_TEXTS.find(([name]) => this.keyIs(name))
      if (!text || this.peek() !== QUOTE || !this.#text('block')) return false
      this.kind = text[1]
    }
    return this.closed
  }

  /** One candidate, whose content is one part. */
  #candidates(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    this.at++
    let content = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CONTENT)) {
        if (content || !this.#content()) return false
        content = true
      } else if (!this.keyIs(INDEX) || !this.scalar()) return false
    }
    return this.closed && this.#endsList()
  }

  #content(): boolean {
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(PARTS)) {
        if (this.#found !== 'nothing' || !this.#part()) return false
      } else if (!this.keyIs(ROLE) || !this.scalar()) return false
    }
    return this.closed
  }

  #part(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    this.at++
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(THOUGHT)) {
        this.kind = this.peek() === TRUE[0] ? 'reasoning' : 'visible'
        if (!this.scalar()) return false
      } else if (!this.keyIs(BLOCK_TEXTS[0][0]) || this.peek() !== QUOTE || !this.#text('candidate')) return false
    }
    return this.closed && this.#endsList()
  }

  #endsList(): boolean {
    if (this.peek() !== CLOSE_LIST) return false
    this.at++
    return true
  }

  /** The one text of the event. */
  #text(where: 'text' | 'block' | 'candidate'): boolean {
    if (this.#found !== 'nothing' || !this.stringValue(IS_TEXT)) return false
    this.#found = where
    this.chars = this.units
    return true
  }

  #usage(): boolean {
    if (this.peek() !== OPEN) return false
    this.#hasUsage = true
    for (let first = true; this.member(first); first = false) {
      const is = COUNTS.find(([name]) => this.keyIs(name))?.[1] ?? OTHER
      if (is === OTHER ? !this.#other() : !this.#count(is)) return false
    }
    return this.closed
  }

  #count(is: number): boolean {
    this.peek()
    const { at } = this
    return this.numberValue(is) && this.take(is, at)
  }

  /** The whole number that began at `start` and was read last; -1 for another one, or one that is too long. */
  #countFrom(start: number): number {
    if (this.at - start > MOST_DIGITS) return NOWHERE
    let value = 0
    for (let at = start; at < this.at; at++) {
      const byte = this.bytes[at] ?? 0
      if (!isDigit(byte)) return NOWHERE
      value = value * 10 + byte - ZERO
    }
    return value
  }
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= ZERO + 9
}
