/**
 * Reads the common whole answer of a completion or embedding endpoint from its bytes, without building an object: the
 * usage in the fields of OpenAI and Anthropic, and `system_fingerprint`. `read` returns false at anything unknown,
 * above all at an error: then json-answer.ts parses the whole. Both read an accepted answer the same way.
 */
import { bytesOf, JsonWalk, NOWHERE, NULL, OPEN, OPEN_LIST, QUOTE } from './json-walk.ts'
import type { TokenUsage } from './stream-event.ts'

const FINGERPRINT = bytesOf('system_fingerprint')
const USAGE = bytesOf('usage')
const OBJECT = bytesOf('object')
const CHOICES = bytesOf('choices')
const FINISH_REASON = bytesOf('finish_reason')
const ERROR = bytesOf('error')
/** One of these lists, or `choices`, makes it an answer. */
const LISTS = ['data', 'content', 'candidates', 'output'].map(bytesOf)
/** A member of one of these names makes it another kind of answer. */
const UNKNOWN_KINDS = ['error', 'type', 'event', 'status', 'code', 'error_code', 'usageMetadata'].map(bytesOf)
const COUNTS = ['prompt_tokens', 'input_tokens', 'completion_tokens', 'output_tokens'].map(bytesOf)
const [PROMPT, INPUT, COMPLETION, OUTPUT] = [0, 1, 2, 3]
const DETAILS = ['completion_tokens_details', 'output_tokens_details'].map(bytesOf)
const REASONING = bytesOf('reasoning_tokens')
const THOUGHTS = ['thoughtsTokenCount', 'promptTokenCount', 'candidatesTokenCount'].map(bytesOf)

export class AnswerScan extends JsonWalk {
  usage: TokenUsage | undefined
  /** The place of the text of `system_fingerprint`; -1 when there is none. */
  fingerprintStart = NOWHERE
  fingerprintEnd = NOWHERE
  readonly #counts = [0, 0, 0, 0]
  #reasoning = 0
  #details = false

  /** True when `bytes` are an answer of this shape; the fields then hold what was read. */
  read(bytes: Buffer): boolean {
    this.begin(bytes, 0, bytes.length)
    this.usage = undefined
    this.fingerprintStart = NOWHERE
    let lists = 0
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
        if (!this.#readChoices()) return false
        lists++
      } else if (this.#keyIn(UNKNOWN_KINDS) !== NOWHERE) return false
      else if (this.#keyIn(LISTS) !== NOWHERE) {
        if (this.peek() === OPEN_LIST) lists++
        else return false
        if (!this.skip()) return false
      } else if (!this.skip()) return false
    }
    return this.closed && lists > 0 && this.peek() === NOWHERE
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

  /** Reads all choices; false when one of them ended in an error. */
  #readChoices(): boolean {
    if (this.peek() !== OPEN_LIST) return false
    for (let first = true; this.item(first); first = false) {
      if (this.peek() !== OPEN) {
        if (!this.skip()) return false
        continue
      }
      for (let first = true; this.member(first); first = false) {
        if (this.keyIs(FINISH_REASON) ? !this.#isNoError() : !this.skip(2)) return false
      }
      if (!this.closed) return false
    }
    return this.closed
  }

  /** Reads a value; false for the word error, and for a string that would have to be decoded to compare it. */
  #isNoError(): boolean {
    if (this.peek() !== QUOTE) return this.skip()
    return this.string() && !this.escaped && !this.stringIs(ERROR)
  }

  #readUsage(): boolean {
    if (this.peek() !== OPEN) return this.literal(NULL)
    const counts = this.#counts.fill(NOWHERE)
    this.#reasoning = NOWHERE
    this.#details = false
    for (let first = true; this.member(first); first = false) {
      const which = this.#keyIn(COUNTS)
      if (which !== NOWHERE) {
        if (counts[which] !== NOWHERE) return false
        counts[which] = this.#count()
        if (counts[which] === NOWHERE) return false
      } else if (this.#keyIn(DETAILS) !== NOWHERE) {
        if (!this.#readDetails()) return false
      } else if (this.#keyIn(THOUGHTS) !== NOWHERE || !this.skip()) return false
    }
    const countOf = (which: number | undefined): number => Math.max(0, counts[which ?? 0] ?? 0)
    this.usage = {
      input: countOf(PROMPT) || countOf(INPUT),
      output: countOf(COMPLETION) || countOf(OUTPUT),
      reasoning: Math.max(0, this.#reasoning),
    }
    return this.closed
  }

  #readDetails(): boolean {
    if (this.peek() !== OPEN) return this.literal(NULL)
    if (this.#details) return false
    this.#details = true
    for (let first = true; this.member(first); first = false) {
      if (!this.keyIs(REASONING)) {
        if (!this.skip()) return false
        continue
      }
      if (this.#reasoning !== NOWHERE) return false
      this.#reasoning = this.#count()
      if (this.#reasoning === NOWHERE) return false
    }
    return this.closed
  }

  /** Reads a whole number; -1 for anything else. */
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
