/**
 * The common whole answer of a completion or embedding endpoint, read from its bytes without building an object: the
 * usage in the words of OpenAI and Anthropic, and `system_fingerprint`. It gives up (`read` is false) at anything it
 * does not know, an error above all, and where it sees no output: then json-answer.ts must speak. What it accepts means
 * the same to both.
 */
import { bytesOf, CLOSE_LIST, JsonWalk, NOWHERE, NULL, OPEN, OPEN_LIST, QUOTE } from './json-walk.ts'
import { type TokenUsage, toldUsage } from './usage.ts'

const FINGERPRINT = bytesOf('system_fingerprint')
const USAGE = bytesOf('usage')
const OBJECT = bytesOf('object')
const CHOICES = bytesOf('choices')
const FINISH_REASON = bytesOf('finish_reason')
const ERROR = bytesOf('error')
const DATA = bytesOf('data')
const MESSAGE = bytesOf('message')
const CONTENT = bytesOf('content')
const TEXT = bytesOf('text')
const EMBEDDING = bytesOf('embedding')
/** Anything in these would be another kind of answer. */
const UNKNOWN_KINDS = [
  ...['error', 'type', 'event', 'status', 'code', 'error_code', 'usageMetadata'],
  ...['content', 'candidates', 'output'],
].map(bytesOf)
const COUNTS = [
  ...['prompt_tokens', 'input_tokens', 'completion_tokens', 'output_tokens'],
  ...['cache_read_input_tokens', 'cache_creation_input_tokens'],
].map(bytesOf)
const [PROMPT, INPUT, COMPLETION, OUTPUT, CACHE_READ, CACHE_CREATION] = [0, 1, 2, 3, 4, 5]
/** Each a member of usage, the count in it that matters, and what it is. */
const DETAILS = [
  ['completion_tokens_details', 'reasoning_tokens', 'reasoning'],
  ['output_tokens_details', 'reasoning_tokens', 'reasoning'],
  ['prompt_tokens_details', 'cached_tokens', 'cached'],
  ['input_tokens_details', 'cached_tokens', 'cached'],
].map(([member = '', count = '', is]) => ({
  member: bytesOf(member),
  count: bytesOf(count),
  is: is as 'reasoning' | 'cached',
}))
const DETAIL_MEMBERS = DETAILS.map(({ member }) => member)
const THOUGHTS = ['thoughtsTokenCount', 'promptTokenCount', 'candidatesTokenCount'].map(bytesOf)

export class AnswerScan extends JsonWalk {
  usage: TokenUsage | undefined
  /** It is an answer that has output: any but one of embeddings. */
  hasOutput = false
  /** Where the text of `system_fingerprint` lies; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  /** The answer holds output: a text in its first choice, or a vector. */
  #holdsOutput = false
  readonly #counts = COUNTS.map(() => 0)
  readonly #details = { reasoning: NOWHERE, cached: NOWHERE }

  /** True when `bytes` are an answer of this shape; the fields then say what is in it. */
  read(bytes: Buffer): boolean {
    this.begin(bytes, 0, bytes.length)
    this.usage = undefined
    this.fingerprintStart = NOWHERE
    this.#holdsOutput = false
    this.hasOutput = false
    let seenList = false
    let seenUsage = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(USAGE)) {
        if (seenUsage || !this.#readUsage()) return false
        seenUsage = true
      } else if (this.keyIs(FINGERPRINT)) {
        if (this.fingerprintStart !== NOWHERE || !this.#readFingerprint()) return false
      } else if (this.keyIs(OBJECT)) {
        if (!this.#isNoError()) return false
      } else if (this.keyIs(CHOICES)) {
        if (seenList || !this.#readChoices()) return false
        seenList = true
        this.hasOutput = true
      } else if (this.keyIs(DATA)) {
        if (seenList || !this.#readData()) return false
        seenList = true
      } else if (this.#keyIn(UNKNOWN_KINDS) !== NOWHERE || !this.skip()) return false
    }
    return this.closed && this.#holdsOutput && this.peek() === NOWHERE
  }

  #keyIn(keys: readonly Buffer[]): number {
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]
      if (key && this.keyIs(key)) return i
    }
    return NOWHERE
  }

  #readFingerprint(): boolean {
    if (this.peek() !== QUOTE) return false
    this.fingerprintStart = this.at + 1
    if (!this.string() || this.escaped) return false
    this.fingerprintEnd = this.at - 1
    return true
  }

  /** Whole choices, none of which ended in an error, and the first of which holds a text. */
  #readChoices(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    for (let first = true; this.item(first); first = false) {
      if (this.peek() === OPEN ? !this.#readChoice(first) : !this.skip()) return false
      if (!this.#holdsOutput) return false
    }
    return this.closed
  }

  #readChoice(isFirst: boolean): boolean {
    let seen = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(FINISH_REASON)) {
        if (!this.#isNoError()) return false
      } else if (isFirst && (this.keyIs(MESSAGE) || this.keyIs(TEXT))) {
        if (seen || !(this.keyIs(TEXT) ? this.#readText(2) : this.#readMessage())) return false
        seen = true
      } else if (!this.skip(2)) return false
    }
    return this.closed
  }

  #readMessage(): boolean {
    if (this.peek() !== OPEN) return false
    let seen = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(CONTENT)) {
        if (seen || !this.#readText(3)) return false
        seen = true
      } else if (!this.skip(3)) return false
    }
    return this.closed
  }

  /** A string that is not empty. */
  #readText(depth: number): boolean {
    if (this.peek() !== QUOTE || this.bytes[this.at + 1] === QUOTE) return false
    this.#holdsOutput = true
    return this.skip(depth)
  }

  /** Embeddings. */
  #readData(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    for (let first = true; this.item(first); first = false) {
      if (this.peek() === OPEN ? !this.#readEmbedding() : !this.skip()) return false
    }
    return this.closed
  }

  #readEmbedding(): boolean {
    let seen = false
    for (let first = true; this.member(first); first = false) {
      if (this.keyIs(EMBEDDING)) {
        if (seen || !this.#readVector()) return false
        seen = true
      } else if (!this.skip(2)) return false
    }
    return this.closed
  }

  /** A list that is not empty, or a string. */
  #readVector(): boolean {
    if (this.peek() !== OPEN_LIST) return this.#readText(2)
    const { at } = this
    this.at++
    const isEmpty = this.peek() === CLOSE_LIST
    this.at = at
    this.#holdsOutput = true
    return !isEmpty && this.skip(2)
  }

  /** Any value but the word error, or a string that would have to be decoded to know. */
  #isNoError(): boolean {
    if (this.peek() !== QUOTE) return this.skip()
    return this.string() && !this.escaped && !this.stringIs(ERROR)
  }

  #readUsage(): boolean {
    if (this.peek() !== OPEN) return this.literal(NULL)
    const counts = this.#counts.fill(NOWHERE)
    const details = this.#details
    details.reasoning = NOWHERE
    details.cached = NOWHERE
    for (let first = true; this.member(first); first = false) {
      const which = this.#keyIn(COUNTS)
      const detail = which === NOWHERE ? this.#keyIn(DETAIL_MEMBERS) : NOWHERE
      if (which !== NOWHERE) {
        if (counts[which] !== NOWHERE) return false
        counts[which] = this.#count()
        if (counts[which] === NOWHERE) return false
      } else if (detail !== NOWHERE) {
        if (!this.#readDetails(detail)) return false
      } else if (this.#keyIn(THOUGHTS) !== NOWHERE || !this.skip()) return false
    }
    const of = (which: number | undefined): number => Math.max(0, counts[which ?? 0] ?? 0)
    this.usage = toldUsage({
      input: of(PROMPT) || of(INPUT) + of(CACHE_READ) + of(CACHE_CREATION),
      output: of(COMPLETION) || of(OUTPUT),
      reasoning: Math.max(0, details.reasoning),
      cached: of(CACHE_READ) || Math.max(0, details.cached),
      cacheWritten: of(CACHE_CREATION),
    })
    return this.closed
  }

  #readDetails(which: number): boolean {
    if (this.peek() !== OPEN) return this.literal(NULL)
    const detail = DETAILS[which]
    // A figure told twice: which one counts, the full parse must say.
    if (!detail || this.#details[detail.is] !== NOWHERE) return false
    this.#details[detail.is] = 0
    let seen = false
    for (let first = true; this.member(first); first = false) {
      if (!this.keyIs(detail.count)) {
        if (!this.skip()) return false
        continue
      }
      if (seen) return false
      seen = true
      const count = this.#count()
      if (count === NOWHERE) return false
      this.#details[detail.is] = count
    }
    return this.closed
  }

  /** A whole number, or -1. */
  #count(): number {
    this.peek()
    const start = this.at
    if (!this.number()) return NOWHERE
    let value = 0
    for (let i = start; i < this.at; i++) {
      const digit = (this.bytes[i] ?? 0) - 0x30
      if (digit < 0 || digit > 9) return NOWHERE
      value = value * 10 + digit
    }
    return this.at - start > 15 ? NOWHERE : value
  }
}
