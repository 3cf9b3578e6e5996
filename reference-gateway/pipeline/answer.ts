/**
 * An upstream answer on its way to the client: translated where the provider speaks another protocol, filtered where an
 * output policy is concerned, else passed on byte for byte.
 */

import type { RequestContext } from '../http/context.ts'
import { type FullHead, type RawHeaders, withoutLength } from '../http/headers.ts'
import type { GatewayError } from '../http/openai-error.ts'
import { joined, type Outlet } from '../http/outlet.ts'
import type { Flow, OutputStage, OutputVerdict, StreamFilter, StreamSink, WholeFilter } from '../http/stages.ts'
import type { Translation } from '../protocols/protocol.ts'

/** Up to this size an answer of known length leaves in one piece although nothing needs it whole. */
const ONE_PIECE_BYTES = 256 * 1024
/** The most that is collected for a filter or a translation. */
const LARGEST_WHOLE_BYTES = 16 * 1024 * 1024

export interface AnswerParts {
  context: RequestContext
  outlet: Outlet
  flow: Flow
  output: OutputStage | undefined
  translation: Translation | undefined
  /** False: streams leave whole. */
  passChunks: boolean
}

export class Answer implements StreamSink {
  readonly #parts: AnswerParts
  readonly #outlet: Outlet
  #isEventStream = false
  #collected: Buffer[] | undefined
  #collectedBytes = 0
  #wholeFilter: WholeFilter | undefined
  #streamFilter: StreamFilter | undefined
  #rawTrailers: RawHeaders = []

  constructor(parts: AnswerParts) {
    this.#parts = parts
    this.#outlet = parts.outlet
  }

  /** The upstream's head. */
  begin(head: FullHead): void {
    const { context, output, translation } = this.#parts
    context.status = head.status
    this.#isEventStream = head.isEventStream
    const filter = output?.filter(context, head)
    if (filter || translation) {
      if (head.isEncoded) {
        this.#giveUp({ status: 502, code: 'upstream_encoding', message: 'the provider compressed its answer unasked' })
        return
      }
      withoutLength(head)
    }
    if (filter?.kind === 'whole') this.#wholeFilter = filter
    if (this.#wholeFilter || (translation && !head.isEventStream)) this.#collected = []
    this.#outlet.open(head, this.#leavesWhole(head), () => this.#onDrain())
    if (filter?.kind === 'stream') this.#streamFilter = filter.start(this)
  }

  #leavesWhole(head: FullHead): boolean {
    if (this.#collected !== undefined || !this.#parts.passChunks) return true
    return !head.isEventStream && head.contentLength !== undefined && head.contentLength <= ONE_PIECE_BYTES
  }

  /** A piece of the upstream's body. */
  data(chunk: Buffer): void {
    if (this.#outlet.ended) return
    const { timings } = this.#parts.context
    timings.enter('work')
    if (this.#collected) {
      this.#collect(this.#collected, chunk)
      timings.enter('upstream')
      return
    }
    const bytes = this.#parts.translation ? this.#parts.translation.stream(chunk) : chunk
    const ready = bytes.length === 0 || (this.#streamFilter ? this.#throughFilter(bytes) : this.#outlet.write(bytes))
    if (this.#outlet.ended) return
    if (ready) timings.enter('upstream')
    else {
      this.#parts.flow.pause()
      timings.enter(this.#outlet.full ? 'client' : 'work')
    }
  }

  /** The upstream's answer is complete. */
  complete(rawTrailers: RawHeaders): void {
    if (this.#outlet.ended) return
    this.#parts.context.timings.enter('work')
    this.#rawTrailers = rawTrailers
    if (this.#collected) {
      this.#finishWhole(joined(this.#collected))
      return
    }
    const ending = this.#isEventStream ? this.#parts.translation?.streamEnd() : undefined
    const filter = this.#streamFilter
    if (ending?.complete === false) {
      this.#outlet.fail({ status: 502, code: 'upstream_failed', message: 'the provider’s stream broke off' })
      return
    }
    if (!filter) {
      if (ending?.rest.length) this.#outlet.write(ending.rest)
      this.end()
      return
    }
    if (ending?.rest.length) this.#throughFilter(ending.rest)
    const startMs = performance.now()
    filter.end()
    this.#addOutputPolicy(startMs)
  }

  /** The upstream failed, the client left, or whatever else ends this early. */
  abort(): void {
    this.#streamFilter?.abort()
  }

  // --- StreamSink

  run(step: () => void): void {
    this.#outlet.guard.run(step)
  }

  write(chunk: Buffer): boolean {
    return this.#outlet.write(chunk)
  }

  resume(): void {
    if (this.#outlet.ended || this.#outlet.full) return
    this.#parts.context.timings.enter('upstream')
    this.#parts.flow.resume()
  }

  end(): void {
    this.#outlet.end(this.#rawTrailers)
  }

  block(lastEvent: Buffer, code: string): void {
    if (this.#outlet.ended) return
    this.#parts.context.error = code
    this.#outlet.write(lastEvent)
    this.#outlet.end()
    this.#parts.flow.abort()
  }

  // --- Parts

  #throughFilter(bytes: Buffer): boolean {
    const startMs = performance.now()
    const ready = this.#streamFilter?.write(bytes) ?? true
    this.#addOutputPolicy(startMs)
    return ready
  }

  #addOutputPolicy(startMs: number): void {
    const { timings } = this.#parts.context
    timings.outputPolicyMs = (timings.outputPolicyMs ?? 0) + performance.now() - startMs
  }

  #onDrain(): void {
    this.#streamFilter?.drained()
    this.resume()
  }

  #collect(collected: Buffer[], chunk: Buffer): void {
    collected.push(chunk)
    this.#collectedBytes += chunk.length
    if (this.#collectedBytes <= LARGEST_WHOLE_BYTES) return
    this.#giveUp({ status: 502, code: 'answer_too_large', message: 'the provider’s answer is larger than 16 MiB' })
  }

  #finishWhole(collected: Buffer): void {
    const { translation, context } = this.#parts
    const body = translation && !this.#isEventStream ? translation.whole(context.status, collected) : collected
    if (!this.#wholeFilter) {
      this.#send(body)
      return
    }
    const startMs = performance.now()
    const judged = (verdict: OutputVerdict): void => {
      this.#addOutputPolicy(startMs)
      if (verdict.kind === 'blocked') this.#outlet.refuse(verdict.error)
      else this.#send(verdict.kind === 'changed' ? verdict.body : body)
    }
    this.#outlet.guard.whenThere(this.#wholeFilter.apply(body), judged)
  }

  #send(body: Buffer): void {
    this.#outlet.write(body)
    this.end()
  }

  #giveUp(error: GatewayError): void {
    this.#outlet.refuse(error)
    this.#parts.flow.abort()
  }
}
