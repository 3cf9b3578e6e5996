/**
 * Passes an upstream response on to the client: translated where the provider speaks another protocol, filtered where
 * an output policy applies, else byte for byte.
 */

import { breaksOff } from '../../src/wire/stream-end.ts'
import { concatChunks, Tail } from '../http/chunks.ts'
import { type GatewayError, OVERLOADED } from '../http/gateway-error.ts'
import { type RawHeaders, removeContentLength, type UpstreamHead } from '../http/headers.ts'
import type { OutputHook, PolicyVerdict, StreamFilter, StreamSink, UpstreamFlow, WholeFilter } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ResponseWriter } from '../http/response-writer.ts'
import { isJson } from '../protocols/json.ts'
import type { ResponseTranslation } from '../protocols/protocol.ts'

/** A response of known length up to this size leaves in one piece, although nothing needs it whole. */
const ONE_PIECE_BYTES = 256 * 1024
/** The largest body that is collected for a filter or a translation. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024
/** The last events of a stream fit in. */
const TAIL_BYTES = 16 * 1024
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i
const BROKEN_OFF: GatewayError = { status: 502, code: 'upstream_failed', message: 'the provider’s answer broke off' }

interface RelayOptions {
  context: RequestContext
  writer: ResponseWriter
  flow: UpstreamFlow
  output: OutputHook | undefined
  translation: ResponseTranslation | undefined
  /** False: streams leave whole. */
  passChunks: boolean
  /** Asks before a piece is kept. False: there is no room for it. */
  keep(bytes: number): boolean
}

export class ResponseRelay implements StreamSink {
  readonly #options: RelayOptions
  readonly #writer: ResponseWriter
  #isEventStream = false
  /** A JSON document whose framing does not show where it ends. */
  #isJson = false
  /** Of a stream, to see whether it came to its end. */
  #tail: Tail | undefined
  #collected: Buffer[] | undefined
  #collectedBytes = 0
  #wholeFilter: WholeFilter | undefined
  #streamFilter: StreamFilter | undefined
  #rawTrailers: RawHeaders = []
  /** Since when a filter judges; undefined while none does. What it writes in between is not judging. */
  #judgesSinceMs: number | undefined

  constructor(options: RelayOptions) {
    this.#options = options
    this.#writer = options.writer
  }

  /** The head of the upstream response. */
  begin(head: UpstreamHead): void {
    const { context, output, translation } = this.#options
    context.status = head.status
    this.#isEventStream = head.isEventStream
    const filter = output?.filter(context, head)
    if (filter?.kind === 'refused') {
      this.#giveUp(filter.error)
      return
    }
    if (filter || translation) {
      if (head.isEncoded) {
        this.#giveUp({ status: 502, code: 'upstream_encoding', message: 'the provider compressed its answer unasked' })
        return
      }
      removeContentLength(head)
    }
    if (filter?.kind === 'whole') this.#wholeFilter = filter
    this.#isJson = head.isOpenEnded && !head.isEncoded && JSON_TYPE.test(head.contentType) && context.method !== 'HEAD'
    if (this.#wholeFilter || this.#isJson || (translation && !head.isEventStream)) this.#collected = []
    if (head.isEventStream && head.status === 200 && !head.isEncoded && !translation) this.#tail = new Tail(TAIL_BYTES)
    this.#writer.begin(head, this.#leavesWhole(head), () => this.#onDrain())
    if (filter?.kind === 'stream') this.#streamFilter = filter.start(this)
  }

  #leavesWhole(head: UpstreamHead): boolean {
    if (this.#collected !== undefined || !this.#options.passChunks) return true
    return !head.isEventStream && head.contentLength !== undefined && head.contentLength <= ONE_PIECE_BYTES
  }

  /** A piece of the upstream response's body. */
  data(chunk: Buffer): void {
    if (this.#writer.ended) return
    const { context } = this.#options
    const { timings } = context
    const startMs = timings.enter('work')
    if (this.#collected) {
      this.#collect(this.#collected, chunk)
      timings.enter('upstream')
      return
    }
    this.#tail?.push(chunk)
    if (!this.#options.passChunks && !this.#countWhole(chunk)) return
    const bytes = this.#options.translation ? this.#options.translation.stream(chunk) : chunk
    let ready = true
    let nowMs: number | undefined
    if (this.#streamFilter && bytes.length > 0) {
      this.#judgesSinceMs = startMs
      ready = this.#streamFilter.write(bytes, startMs)
      nowMs = this.#stopJudging()
    } else if (bytes.length > 0) ready = this.#writer.write(bytes)
    if (this.#writer.ended) return
    if (!ready) {
      this.#options.flow.pause()
      timings.enter(this.#writer.needsDrain ? 'client' : 'work', nowMs)
    } else if (context.firstByteMs > 0 && this.#writer.headSent) timings.passed(nowMs)
    else timings.enter('upstream', nowMs)
  }

  /** The upstream response is complete. */
  complete(rawTrailers: RawHeaders): void {
    if (this.#writer.ended) return
    this.#options.context.timings.enter('work')
    this.#rawTrailers = rawTrailers
    if (this.#collected) {
      this.#finishWhole(concatChunks(this.#collected))
      return
    }
    const ending = this.#isEventStream ? this.#options.translation?.streamEnd() : undefined
    const filter = this.#streamFilter
    if (ending?.complete === false || (this.#tail && breaksOff(this.#tail.read()))) {
      this.#writer.fail(BROKEN_OFF)
      return
    }
    if (!filter) {
      if (ending?.rest.length) this.#writer.write(ending.rest)
      this.end()
      return
    }
    this.#judgesSinceMs = performance.now()
    if (ending?.rest.length) filter.write(ending.rest)
    filter.end()
    this.#stopJudging()
  }

  /** The response ends early: the upstream failed, or the client left. */
  abort(): void {
    this.#streamFilter?.abort()
  }

  // --- StreamSink

  run(step: () => void): void {
    this.#writer.guard.run(step)
  }

  write(chunk: Buffer): boolean {
    const judges = this.#judgesSinceMs !== undefined
    this.#stopJudging()
    const ready = this.#writer.write(chunk)
    if (judges) this.#judgesSinceMs = performance.now()
    return ready
  }

  resume(): void {
    if (this.#writer.ended || this.#writer.needsDrain) return
    this.#options.context.timings.enter('upstream')
    this.#options.flow.resume()
  }

  end(): void {
    this.#stopJudging()
    this.#writer.end(this.#rawTrailers)
  }

  block(lastEvent: Buffer, code: string): void {
    if (this.#writer.ended) return
    this.#stopJudging()
    this.#options.context.error = code
    this.#writer.write(lastEvent)
    this.#writer.end()
    this.#options.flow.abort()
  }

  // --- Parts

  /** Returns the current time. */
  #stopJudging(): number {
    const nowMs = performance.now()
    const { timings } = this.#options.context
    if (this.#judgesSinceMs !== undefined) {
      timings.judged(nowMs - this.#judgesSinceMs)
      this.#judgesSinceMs = undefined
    }
    return nowMs
  }

  #onDrain(): void {
    this.#streamFilter?.drained()
    this.resume()
  }

  #collect(collected: Buffer[], chunk: Buffer): void {
    if (this.#countWhole(chunk)) collected.push(chunk)
  }

  /** False: what must leave whole is too large, and was given up. */
  #countWhole(chunk: Buffer): boolean {
    this.#collectedBytes += chunk.length
    if (this.#collectedBytes <= MAX_WHOLE_BYTES) {
      if (this.#options.keep(chunk.length)) return true
      this.#giveUp(OVERLOADED)
      return false
    }
    this.#giveUp({ status: 502, code: 'answer_too_large', message: 'the provider’s answer is larger than 16 MiB' })
    return false
  }

  #finishWhole(collected: Buffer): void {
    const { translation, context } = this.#options
    if (this.#isJson && collected.length > 0 && !isJson(collected.toString('utf8'))) {
      this.#writer.sendError(BROKEN_OFF)
      return
    }
    const body = translation && !this.#isEventStream ? translation.whole(context.status, collected) : collected
    if (!this.#wholeFilter) {
      this.#send(body)
      return
    }
    this.#judgesSinceMs = performance.now()
    const judged = (verdict: PolicyVerdict): void => {
      this.#stopJudging()
      switch (verdict.kind) {
        case 'pass':
          this.#send(body)
          break
        case 'changed':
          this.#send(verdict.body)
          break
        case 'blocked':
          this.#writer.sendError(verdict.error)
          break
        default:
          verdict satisfies never
      }
    }
    this.#writer.guard.thenSync(this.#wholeFilter.apply(body), judged)
  }

  #send(body: Buffer): void {
    this.#writer.write(body)
    this.end()
  }

  #giveUp(error: GatewayError): void {
    this.#writer.sendError(error)
    this.#options.flow.abort()
  }
}
