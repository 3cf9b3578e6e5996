/**
 * What a response's bytes say on their way to the client: when the first token arrived, the usage, and whether the
 * provider told a failure in an answer of a good status. On its way nothing is read, since the answer would wait for
 * that: the first pieces of a stream are kept with their times, and read between requests until one bears a token. Of
 * the rest the last pieces are kept; the usage and a failure in them are read when the event is made.
 */
import { errorTextIn } from '../../src/wire/answer-error.ts'
import { bearsTokens, readStreamEvent, type StreamEvent } from '../../src/wire/formats.ts'
import { SseReader } from '../../src/wire/sse.ts'
import { lastUsageIn, mergeUsage, type TokenUsage } from '../../src/wire/usage.ts'
import { Tail } from '../http/chunks.ts'
import type { BodyObserver, ResponseHead } from '../http/hooks.ts'

interface BilledTokens {
  input_tokens: number | null
  output_tokens: number | null
}

/** Usage stands in one of the last events; this leaves room for what Azure and others send after it. */
const TAIL_BYTES = 8 * 1024
/** In the name of every failure, and beside the message of those that are told by their code. */
const FAILURE_MARKS = ['rror', '"code"']
const EVENT_END = '\n\n'
/** As much of a stream is kept from its beginning before it is read; the first token is in it as a rule. */
const EARLY_BYTES = 2 * 1024

interface EarlyPiece {
  chunk: Buffer
  atMs: number
}

export class ResponseFacts implements BodyObserver {
  readonly #isStream: boolean
  readonly #isGood: boolean
  #toldFailure = false
  /** Of a stream: no event so far bears a token. */
  #isEarly: boolean
  #reader: SseReader | undefined
  /** What it has not read yet. */
  #early: EarlyPiece[] = []
  #earlyBytes = 0
  #reads: NodeJS.Immediate | undefined
  /** Of the piece that is being read. */
  #atMs = 0
  #firstTokenMs = 0
  /** What the events before the first token told: Anthropic counts the input there. */
  #usage: TokenUsage | undefined
  readonly #tail = new Tail(TAIL_BYTES)

  constructor(head: ResponseHead) {
    this.#isStream = head.isEventStream
    this.#isGood = head.status >= 200 && head.status < 300
    this.#isEarly = head.isEventStream
  }

  data(chunk: Buffer): void {
    if (this.#isEarly) this.#keepEarly(chunk)
    this.#tail.push(chunk)
  }

  /** On the process's clock; 0 where there was no token. Ask for it when the body is complete. */
  get firstTokenMs(): number {
    this.#readEarly()
    return this.#firstTokenMs
  }

  usage(): BilledTokens {
    this.#readEarly()
    const last = lastUsageIn(this.#tail.read())
    const usage = last ? mergeUsage(this.#usage, last) : this.#usage
    const isTold = usage !== undefined && usage.input + usage.output > 0
    return { input_tokens: isTold ? usage.input : null, output_tokens: isTold ? usage.output : null }
  }

  /** An answer of a good status holds a failure: at its end, or before its first token. */
  failedWithin(): boolean {
    this.#readEarly()
    if (this.#toldFailure || !this.#isGood) return this.#toldFailure
    const end = this.#tail.read()
    if (!FAILURE_MARKS.some((mark) => end.includes(mark))) return false
    if (!this.#isStream) return errorTextIn(end.toString()) !== undefined
    // Where the beginning is cut off, the first event that is whole begins behind the end of another.
    const from = this.#tail.isCut ? end.indexOf(EVENT_END) : 0
    if (from < 0) return false
    const reader = new SseReader((data, name) => this.#noteFailure(readStreamEvent(data, name)))
    reader.push(end.subarray(from))
    reader.end()
    return this.#toldFailure
  }

  #noteFailure(event: StreamEvent | undefined): void {
    if (event?.error !== undefined) this.#toldFailure = true
  }

  #keepEarly(chunk: Buffer): void {
    this.#early.push({ chunk, atMs: performance.now() })
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > EARLY_BYTES) this.#reads ??= setImmediate(() => this.#readEarly())
  }

  #readEarly(): void {
    this.#reads = undefined
    if (this.#early.length === 0) return
    const pieces = this.#early
    this.#early = []
    this.#earlyBytes = 0
    this.#reader ??= new SseReader((data, name) => this.#read(data, name))
    for (const { chunk, atMs } of pieces) {
      if (!this.#isEarly) break
      this.#atMs = atMs
      try {
        this.#reader.push(chunk)
      } catch {
        // An event without end tells no first token.
        this.#isEarly = false
      }
    }
    if (!this.#isEarly) this.#reader = undefined
  }

  #read(data: string, name: string): void {
    if (!this.#isEarly) return
    const event = readStreamEvent(data, name)
    this.#noteFailure(event)
    if (event?.usage) this.#usage = mergeUsage(this.#usage, event.usage)
    if (!event || !bearsTokens(event)) return
    this.#firstTokenMs = this.#atMs
    this.#isEarly = false
  }
}
