/**
 * A request's way to its providers: it is routed, and sent to one provider after another until one answers. Another one
 * is asked only while the client has received nothing: after a failed connection, a 429 or a 5xx.
 */
import type { IncomingMessage } from 'node:http'
import { type GatewayResult, invalidRequest, upstreamError } from '../http/gateway-error.ts'
import type { RequestGuard } from '../http/guard.ts'
import { type RawHeaders, readHead } from '../http/headers.ts'
import type { PipelineHooks } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ResponseWriter, ResponseWriterOptions } from '../http/response-writer.ts'
import type { ResponseTranslation, TranslatedRequest } from '../protocols/protocol.ts'
import type { Translator } from '../protocols/translator.ts'
import { Attempt, type AttemptOwner } from '../upstream/attempt.ts'
import type { ConnectionPool } from '../upstream/pool.ts'
import { allCircuitsOpen, ProviderCandidates, type Router } from '../upstream/router.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { delay } from './delay.ts'
import { observersHeaders } from './observers.ts'
import { ResponseRelay } from './response-relay.ts'

export interface ExchangeDependencies extends Pick<ResponseWriterOptions, 'observers'> {
  readonly router: Router
  readonly pool: ConnectionPool
  readonly hooks: Pick<PipelineHooks, 'output'>
  readonly translator: Translator
  readonly injectDelayMs: number
  readonly passChunks: boolean
  readonly fallback: boolean
}

export class ProviderExchange implements AttemptOwner {
  readonly #dependencies: ExchangeDependencies
  readonly #request: IncomingMessage
  readonly context: RequestContext
  readonly #writer: ResponseWriter
  readonly #guard: RequestGuard
  readonly #keep: (bytes: number) => boolean
  #candidates: ProviderCandidates | undefined
  #upstream: Upstream | undefined
  #translation: ResponseTranslation | undefined
  #attempt: Attempt | undefined
  #relay: ResponseRelay | undefined
  #stopWaiting: (() => void) | undefined
  #acquireStartMs = 0

  /** `keep`: whether so much more of an answer may be kept in memory. */
  constructor(
    dependencies: ExchangeDependencies,
    request: IncomingMessage,
    context: RequestContext,
    writer: ResponseWriter,
    keep: (bytes: number) => boolean,
  ) {
    this.#dependencies = dependencies
    this.#request = request
    this.context = context
    this.#writer = writer
    this.#guard = writer.guard
    this.#keep = keep
  }

  /** Routes the request, and asks the first provider. */
  start(): void {
    const context = this.context
    const startMs = performance.now()
    const found = this.#dependencies.router.route(context.model)
    if (found.length === 0) {
      this.#writer.sendError(invalidRequest('model_not_found', `no provider serves the model '${context.model}'`, 404))
      return
    }
    this.#candidates = new ProviderCandidates(this.#dependencies.fallback ? found : found.slice(0, 1), context)
    const routedMs = performance.now()
    context.timings.routingMs += routedMs - startMs
    if (this.#dependencies.injectDelayMs === 0) {
      this.#askFirst()
      return
    }
    const ask = (): void => {
      context.timings.injectMs = performance.now() - routedMs
      this.#askFirst()
    }
    this.#stopWaiting = delay(this.#dependencies.injectDelayMs, () => this.#guard.run(ask))
  }

  #askFirst(): void {
    const upstream = this.#candidates?.first()
    if (upstream) this.#ask(upstream)
    else this.#writer.sendError(allCircuitsOpen(this.#candidates?.waitMs ?? 0))
  }

  #ask(upstream: Upstream): void {
    const context = this.context
    this.#upstream = upstream
    context.provider = upstream.provider.name
    context.attempts++
    const { protocol } = upstream.provider
    const built = upstream.protocol.buildRequest(context, upstream.provider, (question) =>
      this.#dependencies.translator.translate(context.tenant, protocol, question),
    )
    this.#guard.thenSync(built, (asked) => this.#send(upstream, asked))
  }

  #send(upstream: Upstream, built: GatewayResult<TranslatedRequest>): void {
    const { context } = this
    if (!built.ok) {
      upstream.circuits?.cancelled(context)
      this.#writer.sendError(built.error)
      return
    }
    const { value: translated } = built
    this.#translation = translated.translation
    this.#attempt = new Attempt(this.#dependencies.pool, this)
    this.#acquireStartMs = performance.now()
    this.#attempt.start(upstream.provider.origin, {
      method: context.method,
      path: translated.path,
      headers: upstream.headers(
        this.#request.rawHeaders,
        translated,
        observersHeaders(this.#dependencies.observers, context),
      ),
      body: translated.body.length > 0 ? translated.body : null,
    })
  }

  // --- AttemptOwner

  get tenant(): string {
    return this.context.tenant
  }

  run(step: () => void): void {
    this.#guard.run(step)
  }

  onSent(): void {
    const { timings } = this.context
    timings.acquireMs += timings.enter('upstream') - this.#acquireStartMs
  }

  onUnread(): void {
    this.#acquireStartMs = this.context.timings.enter('work')
  }

  onHead(status: number, headers: RawHeaders): boolean {
    const nowMs = this.context.timings.enter('work')
    const head = readHead(status, headers)
    if (head.closes) this.#attempt?.closes()
    const upstream = this.#upstream
    const retryable = status >= 500 || status === 429
    if (retryable) upstream?.coolDown(this.context, head.retryAfter, nowMs)
    upstream?.circuits?.answered(this.context, status, nowMs)
    const other = retryable ? this.#candidates?.next() : undefined
    if (other) {
      this.#ask(other)
      return false
    }
    const attempt = this.#attempt
    if (!attempt) return false
    this.#relay = new ResponseRelay({
      context: this.context,
      writer: this.#writer,
      flow: attempt,
      output: this.#dependencies.hooks.output,
      translation: this.#translation,
      passChunks: this.#dependencies.passChunks,
      keep: this.#keep,
    })
    this.#relay.begin(head)
    if (!this.#writer.ended) this.context.timings.enter('upstream')
    return true
  }

  onData(chunk: Buffer): void {
    this.#relay?.data(chunk)
  }

  onEnd(trailers: RawHeaders): void {
    this.#relay?.complete(trailers)
  }

  onFailure(error: Error, sent: boolean): void {
    const nowMs = this.context.timings.enter('work')
    const upstream = this.#upstream
    const answer = upstreamError(upstream?.provider.name ?? '', error)
    // Neither the request's fault nor a full pool says anything about the provider.
    if (answer.status === 400 || answer.status === 503) upstream?.circuits?.cancelled(this.context)
    else upstream?.circuits?.failed(this.context, nowMs)
    if (!sent) this.context.timings.acquireMs += nowMs - this.#acquireStartMs
    const other = !sent && answer.status !== 400 ? this.#candidates?.next() : undefined
    if (other) this.#ask(other)
    else this.#writer.fail(answer)
  }

  /** The response has ended, or never will: releases what is held for it. */
  end(): void {
    this.#stopWaiting?.()
    const guard = this.#guard
    guard.run(() => this.#relay?.abort())
    if (!this.context.aborted && !guard.tripped) return
    this.#upstream?.circuits?.cancelled(this.context)
    guard.run(() => this.#attempt?.abort())
  }
}
