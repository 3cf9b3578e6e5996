/**
 * The timings of one stream of events after another: when the first and the last token came, the gaps between
 * token-bearing events, how many tokens were streamed, and the stamps. A token is visible text, reasoning text, a tool
 * call's name or arguments, or output of another kind: a role-only or empty delta is none.
 */
import { type AnswerContent, missedTokens } from '../wire/answer-content.ts'
import { ChatChunk } from '../wire/chat-chunk.ts'
import { DeltaEvent } from '../wire/delta-event.ts'
import { bearsTokens, readStreamEvent } from '../wire/formats.ts'
import { ERROR_EVENT } from '../wire/sse.ts'
import { parseStamp, readStamp, type Stamp, stampInText } from '../wire/stamp.ts'
import { hiddenTokensOf, mergeUsage, type TokenUsage, usageOfAnswer } from '../wire/usage.ts'

/** Names of members that kt does not know are kept up to this number. */
const MOST_NAMES = 8

/** Called for every token-bearing event: its time, the gap to the one before (NaN for the first), its stamp. */
type TokenEventListener = (atUs: number, gapUs: number, stamp: Stamp | undefined) => void

export class StreamTimings implements AnswerContent {
  firstTokenUs = Number.NaN
  lastTokenUs = Number.NaN
  events = 0
  tokenEvents = 0
  usage: TokenUsage | undefined
  stamp: Stamp | undefined
  error: string | undefined
  /** Whether the protocol's end mark was seen. */
  ended = false
  hidden = false
  readonly unknown: string[] = []
  /** The beginning of the first data that are no event of any known protocol. */
  garbage: string | undefined
  readonly #onToken: TokenEventListener
  readonly #chunk = new ChatChunk()
  readonly #delta = new DeltaEvent()
  /** Whether the last event that was read from its bytes was no chunk of a chat completion. */
  #readsDeltas = false
  /** The number of token-bearing events before the model said why it ended; NaN where it has not. */
  #finishedAfter = Number.NaN
  #firstChars = 0
  #chars = 0
  #reasoningChars = 0
  /** The stamps of this stream stand in its text alone, by its first token. */
  #stampsInText = false

  constructor(onToken: TokenEventListener) {
    this.#onToken = onToken
  }

  /** Another stream begins: forgets the one before. */
  begin(): void {
    this.firstTokenUs = Number.NaN
    this.lastTokenUs = Number.NaN
    this.events = 0
    this.tokenEvents = 0
    this.usage = undefined
    this.stamp = undefined
    this.error = undefined
    this.ended = false
    this.#finishedAfter = Number.NaN
    this.hidden = false
    if (this.unknown.length > 0) this.unknown.length = 0
    this.garbage = undefined
    this.#chunk.beginStream()
    this.#delta.beginStream()
    this.#firstChars = 0
    this.#chars = 0
    this.#reasoningChars = 0
    this.#stampsInText = false
  }

  get shown(): boolean {
    return this.tokenEvents > 0
  }

  /** The model said why it ended, and no token came after that. */
  get finished(): boolean {
    return this.#finishedAfter === this.tokenEvents
  }

  /** Takes the data of one event. */
  event(data: string, atUs: number, name = ''): void {
    // An event without data only keeps the connection alive.
    if (data === '' && name !== ERROR_EVENT) return
    this.events++
    const event = readStreamEvent(data, name)
    if (!event) {
      this.garbage ??= data.slice(0, 200)
      return
    }
    if (event.error !== undefined) this.error ??= event.error
    if (event.ended) this.ended = true
    if (event.usage) this.usage = mergeUsage(this.usage, event.usage)
    const stamp = event.fingerprint === undefined ? this.#stampInText(data) : parseStamp(event.fingerprint)
    if (stamp) this.stamp = stamp
    const { visibleChars, reasoningChars, toolChars } = event
    if (bearsTokens(event)) this.#countTokens(visibleChars + reasoningChars + toolChars, reasoningChars, stamp, atUs)
    if (event.finished) this.#finishedAfter = this.tokenEvents
    if (event.hidden) this.hidden = true
    if (event.unknown) this.#noteUnknown(event.unknown)
  }

  #noteUnknown(names: readonly string[]): void {
    for (const name of names) {
      if (this.unknown.length < MOST_NAMES && !this.unknown.includes(name)) this.unknown.push(name)
    }
  }

  /** The same from bytes, for the common shapes; false where an event has another shape: then call `event`. */
  eventBytes(bytes: Buffer, start: number, end: number, atUs: number): boolean {
    if (this.#readsDeltas ? this.#deltaBytes(bytes, start, end, atUs) : this.#chunkBytes(bytes, start, end, atUs)) {
      return true
    }
    if (this.#readsDeltas ? this.#chunkBytes(bytes, start, end, atUs) : this.#deltaBytes(bytes, start, end, atUs)) {
      this.#readsDeltas = !this.#readsDeltas
      return true
    }
    return false
  }

  #chunkBytes(bytes: Buffer, start: number, end: number, atUs: number): boolean {
    if (!this.#chunk.read(bytes, start, end)) return false
    this.events++
    const { fingerprintStart, fingerprintEnd, visibleChars, reasoningChars, finished } = this.#chunk
    const chars = visibleChars + reasoningChars
    const stamp =
      fingerprintStart < 0
        ? this.#stampInText(bytes, start, end)
        : this.#stampIn(bytes, fingerprintStart, fingerprintEnd)
    if (chars > 0) this.#countTokens(chars, reasoningChars, stamp, atUs)
    if (finished) this.#finishedAfter = this.tokenEvents
    return true
  }

  #deltaBytes(bytes: Buffer, start: number, end: number, atUs: number): boolean {
    if (!this.#delta.read(bytes, start, end)) return false
    this.events++
    const { fingerprintStart, fingerprintEnd, chars, kind, usage } = this.#delta
    if (usage) this.usage = mergeUsage(this.usage, usage)
    const stamp =
      fingerprintStart < 0
        ? this.#stampInText(bytes, start, end)
        : this.#stampIn(bytes, fingerprintStart, fingerprintEnd)
    this.#countTokens(chars, kind === 'reasoning' ? chars : 0, stamp, atUs)
    return true
  }

  #stampIn(bytes: Buffer, start: number, end: number): Stamp | undefined {
    const stamp = readStamp(bytes, start, end, this.stamp?.nonce ?? '')
    if (stamp) this.stamp = stamp
    return stamp
  }

  /** The text up to the first token shows whether the others are worth a search. */
  #stampInText(data: Buffer | string, start = 0, end = Number.POSITIVE_INFINITY): Stamp | undefined {
    if (!this.#stampsInText && this.tokenEvents > 0) return undefined
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    const stamp = stampInText(bytes, start, end, this.stamp?.nonce ?? '')
    if (!stamp) return undefined
    this.#stampsInText = true
    this.stamp = stamp
    return stamp
  }

  #countTokens(chars: number, reasoningChars: number, stamp: Stamp | undefined, atUs: number): void {
    if (this.tokenEvents === 0) {
      this.firstTokenUs = atUs
      this.#firstChars = chars
    }
    this.#onToken(atUs, atUs - this.lastTokenUs, stamp)
    this.lastTokenUs = atUs
    this.tokenEvents++
    this.#chars += chars
    this.#reasoningChars += reasoningChars
  }

  /** The usage that the stream told; undefined where it counts no output although text was streamed. */
  usageOfStream(): TokenUsage | undefined {
    return usageOfAnswer(this.usage, this.tokenEvents > 0)
  }

  /** Output tokens of reasoning whose text was not streamed. */
  hiddenTokens(): number {
    return hiddenTokensOf(this.usage, this.#reasoningChars > 0)
  }

  /**
   * Tokens that were streamed: billed tokens without hidden reasoning; without usage, one for each token-bearing event.
   */
  streamedTokens(): number {
    if (!this.usage || this.usage.output === 0) return this.tokenEvents
    return Math.max(this.usage.output - this.hiddenTokens(), this.tokenEvents > 0 ? 1 : 0)
  }

  /** Output tokens that the usage tells and that were not seen, where there were members that kt does not know. */
  missedTokens(): number {
    return this.usage ? missedTokens(this, this.streamedTokens(), this.tokenEvents, this.#chars) : 0
  }

  /**
   * Time per output token after the first event: (last − first) / (streamed − tokens in the first event). The first
   * event holds one token where the numbers of events and tokens agree, else its share of the characters. NaN when all
   * tokens came at once.
   */
  tpotUs(): number {
    const streamed = this.streamedTokens()
    const oneEach = this.tokenEvents >= streamed - 2
    const first = oneEach ? 1 : Math.max(1, (streamed * this.#firstChars) / this.#chars)
    const later = (oneEach ? this.tokenEvents : streamed) - first
    return this.tokenEvents >= 2 && later > 0 ? (this.lastTokenUs - this.firstTokenUs) / later : Number.NaN
  }
}
