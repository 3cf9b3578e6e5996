/**
 * What a response's bytes say on their way to the client: when the first token arrived, the usage, and whether the
 * provider told a failure in an answer of a good status. Events are read until the first token; after that only the
 * last pieces are kept, and at the end the last usage and a failure in them are read.
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

export class ResponseFacts implements BodyObserver {
  /** On the process's clock; 0 until there is a token. */
  firstTokenMs = 0
  readonly #isStream: boolean
  readonly #isGood: boolean
  #toldFailure = false
  /** Reads the events of a stream until one of them bears a token. */
  #reader: SseReader | undefined
  /** What the events before the first token told: Anthropic counts the input there. */
  #usage: TokenUsage | undefined
  readonly #tail = new Tail(TAIL_BYTES)

  constructor(head: ResponseHead) {
    this.#isStream = head.isEventStream
    this.#isGood = head.status >= 200 && head.status < 300
    if (head.isEventStream) this.#reader = new SseReader((data, name) => this.#read(data, name))
  }

  data(chunk: Buffer): void {
    if (this.#reader) this.#watch(this.#reader, chunk)
    this.#tail.push(chunk)
  }

  usage(): BilledTokens {
    const last = lastUsageIn(this.#tail.read())
    const usage = last ? mergeUsage(this.#usage, last) : this.#usage
    const isTold = usage !== undefined && usage.input + usage.output > 0
    return { input_tokens: isTold ? usage.input : null, output_tokens: isTold ? usage.output : null }
  }

  /** An answer of a good status holds a failure: at its end, or before its first token. */
  failedWithin(): boolean {
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

  #watch(reader: SseReader, chunk: Buffer): void {
    try {
      reader.push(chunk)
    } catch {
      // An event without end tells no first token.
      this.#reader = undefined
    }
    if (this.firstTokenMs > 0) this.#reader = undefined
  }

  #read(data: string, name: string): void {
    if (this.firstTokenMs > 0) return
    const event = readStreamEvent(data, name)
    this.#noteFailure(event)
    if (event?.usage) this.#usage = mergeUsage(this.#usage, event.usage)
    if (event && bearsTokens(event)) this.firstTokenMs = performance.now()
  }
}
