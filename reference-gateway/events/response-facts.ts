/**
 * What a response's bytes say on their way to the client: when the first token arrived, and the usage. Events are read
 * until the first token; after that only the last pieces are kept, and at the end the last usage in them is read.
 */
import { readStreamEvent } from '../../src/wire/formats.ts'
import { SseReader } from '../../src/wire/sse.ts'
import { lastUsageIn, mergeUsage, type TokenUsage } from '../../src/wire/usage.ts'
import type { BodyObserver, ResponseHead } from '../http/hooks.ts'

interface BilledTokens {
  input_tokens: number | null
  output_tokens: number | null
}

/** Usage stands in one of the last events; this leaves room for what Azure and others send after it. */
const TAIL_BYTES = 8 * 1024

export class ResponseFacts implements BodyObserver {
  /** On the process's clock; 0 until there is a token. */
  firstTokenMs = 0
  /** Reads the events of a stream until one of them bears a token. */
  #reader: SseReader | undefined
  /** What the events before the first token told: Anthropic counts the input there. */
  #usage: TokenUsage | undefined
  #tail: Buffer[] = []
  #tailBytes = 0

  constructor(head: ResponseHead) {
    if (head.isEventStream) this.#reader = new SseReader((data, name) => this.#read(data, name))
  }

  data(chunk: Buffer): void {
    if (this.#reader) this.#watch(this.#reader, chunk)
    this.#tail.push(chunk)
    this.#tailBytes += chunk.length
    for (let first = this.#tail[0]; first && this.#tailBytes - first.length >= TAIL_BYTES; first = this.#tail[0]) {
      this.#tail.shift()
      this.#tailBytes -= first.length
    }
  }

  usage(): BilledTokens {
    const tail = Buffer.concat(this.#tail)
    const last = lastUsageIn(tail.subarray(Math.max(0, tail.length - TAIL_BYTES)))
    const usage = last ? mergeUsage(this.#usage, last) : this.#usage
    const isTold = usage !== undefined && usage.input + usage.output > 0
    return { input_tokens: isTold ? usage.input : null, output_tokens: isTold ? usage.output : null }
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
    if (event?.usage) this.#usage = mergeUsage(this.#usage, event.usage)
    if (event && event.visibleChars + event.reasoningChars + event.toolChars > 0) this.firstTokenMs = performance.now()
  }
}
