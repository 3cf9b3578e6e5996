/**
 * One request from its head to the end of its response, step by step: admitted, read, judged by input policies, looked
 * up in the cache, routed, and sent to one provider after another until one answers. When the client leaves, in any
 * phase, the upstream request is cancelled. Another provider is asked only while the client has received nothing: after
 * a failed connection, a 429 or a 5xx. Every call from outside goes through the guard (see guard.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodyParser } from '../http/body-parser.ts'
import type { Route } from '../http/endpoints.ts'
import { type GatewayError, type GatewayResult, invalidRequest, upstreamError } from '../http/gateway-error.ts'
import type { RequestGuard } from '../http/guard.ts'
import { type RawHeaders, readHead } from '../http/headers.ts'
import type { CacheLookup, Maybe, PipelineHooks, PolicyVerdict, StoredResponse } from '../http/hooks.ts'
import { isLarge, readBody } from '../http/request-body.ts'
import { RequestContext } from '../http/request-context.ts'
import { ResponseWriter, type ResponseWriterOptions } from '../http/response-writer.ts'
import type { ResponseTranslation, TranslatedRequest } from '../protocols/protocol.ts'
import type { Translator } from '../protocols/translator.ts'
import { Attempt, type AttemptOwner } from '../upstream/attempt.ts'
import type { ConnectionPool } from '../upstream/pool.ts'
import { allCircuitsOpen, ProviderCandidates, type Router } from '../upstream/router.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { delay } from './delay.ts'
import { Intake, type IntakeRules } from './intake.ts'
import { notifyStart, observersHeaders } from './observers.ts'
import { ResponseRelay } from './response-relay.ts'

export interface PipelineDependencies extends ResponseWriterOptions, IntakeRules {
  readonly router: Router
  readonly pool: ConnectionPool
  readonly hooks: PipelineHooks
  readonly bodies: BodyParser
  readonly translator: Translator
  readonly injectDelayMs: number
  readonly passChunks: boolean
  readonly fallback: boolean
}

export class RequestPipeline implements AttemptOwner {
  readonly #dependencies: PipelineDependencies
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly context: RequestContext
  readonly #writer: ResponseWriter
  readonly #guard: RequestGuard
  readonly #intake: Intake
  #candidates: ProviderCandidates | undefined
  #upstream: Upstream | undefined
  #translation: ResponseTranslation | undefined
  #attempt: Attempt | undefined
  #relay: ResponseRelay | undefined
  #stopWaiting: (() => void) | undefined
  #acquireStartMs = 0

  /** `path` is what follows '/v1', query included. */
  constructor(
    dependencies: PipelineDependencies,
    request: IncomingMessage,
    response: ServerResponse,
    { path, route }: { path: string; route: Route },
  ) {
    this.#dependencies = dependencies
    this.#request = request
    this.#response = response
    this.context = new RequestContext(request, path, route)
    this.#writer = new ResponseWriter(request, response, this.context, dependencies, () => this.#onFinished())
    this.#guard = this.#writer.guard
    this.#intake = new Intake(dependencies, request, response, this.context, {
      guard: this.#guard,
      received: (bytes, arrivedMs) => this.#onBody(bytes, arrivedMs),
      refused: (error) => this.#writer.sendError(error),
    })
  }

  start(): void {
    this.#response.on('close', () => this.#guard.run(() => this.#onClientGone()))
    // Only writing to a client that left can fail here; the response's 'close' follows.
    this.#response.on('error', () => {})
    this.#guard.run(() => this.#begin())
  }

  #begin(): void {
    this.context.timings.arrived(performance.now())
    notifyStart(this.#dependencies.observers, this.context)
    this.#intake.start()
  }

  #onBody(bytes: Buffer, arrivedMs: number): void {
    const context = this.context
    context.timings.arrived(arrivedMs)
    context.body = bytes
    const read = this.#read()
    if (read instanceof Promise) {
      this.#guard.thenSync(read, (refused) => this.#onParsed(refused, arrivedMs))
      return
    }
    const readMs = performance.now()
    context.timings.routingMs = readMs - arrivedMs
    this.#onParsed(read, readMs)
  }

  #read(): Maybe<GatewayError | undefined> {
    const { hooks, bodies } = this.#dependencies
    if (!isLarge(this.context)) return readBody(this.context)
    return hooks.input?.read ? hooks.input.read(this.context) : bodies.read(this.context)
  }

  /** From `startMs` on the time belongs to the input policies. */
  #onParsed(refused: GatewayError | undefined, startMs: number): void {
    const context = this.context
    const refusal = refused ?? this.#dependencies.clientKeys?.checkBody(context)
    const { input } = this.#dependencies.hooks
    if (refusal) this.#writer.sendError(refusal)
    else if (!input || !context.isJson) this.#lookUp()
    else
      this.#guard.thenSync(input.check(context), (verdict) => {
        context.timings.inputPolicyMs = performance.now() - startMs
        this.#onVerdict(verdict)
      })
  }

  #onVerdict(verdict: PolicyVerdict): void {
    switch (verdict.kind) {
      case 'pass':
        this.#lookUp()
        break
      case 'changed':
        this.context.body = verdict.body
        this.#guard.thenSync(this.#read(), (refused) => (refused ? this.#writer.sendError(refused) : this.#lookUp()))
        break
      case 'blocked':
        this.#writer.sendError(verdict.error)
        break
      default:
        verdict satisfies never
    }
  }

  #lookUp(): void {
    const context = this.context
    const { cache } = this.#dependencies.hooks
    if (!cache) {
      this.#route()
      return
    }
    if (!context.isJson || context.method !== 'POST') {
      context.cache = 'bypass'
      this.#route()
      return
    }
    const startMs = performance.now()
    const waitedMs = context.timings.upstreamMs
    this.#guard.thenSync(
      cache.lookup(context),
      (found) => {
        // Waiting for another request's response is waiting for the provider.
        context.timings.cacheMs = performance.now() - startMs - (context.timings.upstreamMs - waitedMs)
        this.#onCacheLookup(found)
      },
      // The requests that wait for this one's response must not wait in vain.
      (found) => found.kind === 'miss' && found.fill.abandon(),
    )
  }

  #onCacheLookup(found: CacheLookup): void {
    this.context.cache = found.kind
    switch (found.kind) {
      case 'hit':
        this.#replay(found.answer, found.ageSeconds)
        break
      case 'miss':
        this.#writer.cacheFill = found.fill
        this.#route()
        break
      case 'bypass':
        this.#route()
        break
      default:
        found satisfies never
    }
  }

  #replay({ headers, body, stream }: StoredResponse, ageSeconds: number): void {
    const head = readHead(200, [...headers, 'age', String(ageSeconds)])
    head.isEventStream = stream
    this.#writer.begin(head, !stream || !this.#dependencies.passChunks, () => {})
    this.#writer.write(body)
    this.#writer.end()
  }

  #route(): void {
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
      keep: (bytes) => this.#intake.keep(bytes),
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

  // --- Endings

  #onClientGone(): void {
    if (this.#writer.ended) return
    this.context.abort()
    this.context.error ??= 'client_gone'
    this.#writer.onClientClosed()
  }

  #onFinished(): void {
    this.#stopWaiting?.()
    const guard = this.#guard
    // Each step runs alone: an error in one must not keep the others from releasing what they hold.
    guard.run(() => this.#intake.end())
    guard.run(() => this.#relay?.abort())
    if (this.context.aborted || guard.tripped) {
      this.#upstream?.circuits?.cancelled(this.context)
      guard.run(() => this.#attempt?.abort())
    }
    for (const observer of this.#dependencies.observers) guard.run(() => observer.onEnd?.(this.context))
  }
}
