/**
 * One request from its head to the end of its answer, step by step: admitted, read, judged by input policies, looked up in
 * the cache, routed, and asked of one provider after another until one answers. A client that goes away in any phase takes
 * the upstream request with it. Another provider is asked only while the client was told nothing: after a connection that
 * could not be made, a 429 or a 5xx. Every way in from outside goes through the guard (see guard.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ClientKeys } from '../http/auth.ts'
import { RequestContext } from '../http/context.ts'
import { refuseMisplacedForm } from '../http/forms.ts'
import type { Guard } from '../http/guard.ts'
import { answerHead, type RawHeaders } from '../http/headers.ts'
import { type GatewayError, invalidRequest, upstreamError } from '../http/openai-error.ts'
import { Outlet, type OutletOptions } from '../http/outlet.ts'
import { factsOf, isLarge, readBody, receiveBody } from '../http/request-body.ts'
import type { CacheAnswer, InputVerdict, Stages } from '../http/stages.ts'
import type { Translation } from '../protocols/protocol.ts'
import { Attempt, type AttemptOwner } from '../upstream/attempt.ts'
import type { ConnectionPool } from '../upstream/pool.ts'
import type { Router } from '../upstream/router.ts'
import { allOpen, Candidates } from '../upstream/router.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { Answer } from './answer.ts'
import { holdFor } from './delay.ts'

export interface Surroundings extends OutletOptions {
  readonly router: Router
  readonly pool: ConnectionPool
  readonly stages: Stages
  readonly clientKeys: ClientKeys | undefined
  readonly injectDelayMs: number
  readonly maxBodyBytes: number
  readonly passChunks: boolean
  readonly fallback: boolean
}

const NO_HEADERS: readonly string[] = []

export class Exchange implements AttemptOwner {
  readonly #around: Surroundings
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #context: RequestContext
  readonly #outlet: Outlet
  readonly #guard: Guard
  #candidates: Candidates | undefined
  #upstream: Upstream | undefined
  #translation: Translation | undefined
  #attempt: Attempt | undefined
  #answer: Answer | undefined
  #stopWaiting: (() => void) | undefined
  #acquireStartMs = 0

  /** `path` is what follows '/v1', query included. */
  constructor(around: Surroundings, request: IncomingMessage, response: ServerResponse, path: string) {
    this.#around = around
    this.#request = request
    this.#response = response
    this.#context = new RequestContext(request, path)
    this.#outlet = new Outlet(request, response, this.#context, around, () => this.#onFinished())
    this.#guard = this.#outlet.guard
  }

  start(): void {
    this.#response.on('close', () => this.#guard.run(() => this.#onClientGone()))
    // What can fail here is writing to a client that left: its 'close' follows.
    this.#response.on('error', () => {})
    this.#guard.run(() => this.#begin())
  }

  #begin(): void {
    this.#context.timings.arrived(performance.now())
    this.#observed()
    const refused = this.#around.clientKeys?.check(this.#context) ?? refuseMisplacedForm(this.#request, this.#context)
    if (refused) {
      this.#outlet.refuse(refused)
      return
    }
    receiveBody(
      this.#request,
      { limitBytes: this.#around.maxBodyBytes, shares: this.#around.stages.input?.read !== undefined },
      (bytes, arrivedMs) => this.#guard.run(() => this.#received(bytes, arrivedMs)),
      (error) => this.#guard.run(() => this.#outlet.refuse(error)),
    )
  }

  #observed(): void {
    const { observers } = this.#around
    if (observers.length === 0) return
    const startMs = performance.now()
    for (const observer of observers) observer.started?.(this.#context)
    this.#context.timings.observed(startMs)
  }

  #received(bytes: Buffer, arrivedMs: number): void {
    const context = this.#context
    context.timings.arrived(arrivedMs)
    context.body = bytes
    const { input } = this.#around.stages
    if (input?.read && isLarge(context)) {
      this.#guard.whenThere(input.read(context), (refused) => this.#read(refused, arrivedMs))
      return
    }
    const refused = readBody(context)
    const readMs = performance.now()
    context.timings.routingMs = readMs - arrivedMs
    this.#read(refused, readMs)
  }

  /** `startMs`: from when on the time is the input policies'. */
  #read(refused: GatewayError | undefined, startMs: number): void {
    const context = this.#context
    if (refused) {
      this.#outlet.refuse(refused)
      return
    }
    const { input } = this.#around.stages
    if (!input || !context.isJson) {
      this.#lookUp()
      return
    }
    this.#guard.whenThere(input.check(context), (verdict) => {
      context.timings.inputPolicyMs = performance.now() - startMs
      this.#judged(verdict)
    })
  }

  #judged(verdict: InputVerdict): void {
    if (verdict.kind === 'blocked') {
      this.#outlet.refuse(verdict.error)
      return
    }
    if (verdict.kind === 'changed') {
      const changed = factsOf(verdict.json, this.#context.endpoint)
      if ('code' in changed) {
        this.#outlet.refuse(changed)
        return
      }
      this.#context.takeOver(changed)
      this.#context.body = Buffer.from(JSON.stringify(verdict.json))
    }
    this.#lookUp()
  }

  #lookUp(): void {
    const context = this.#context
    const { cache } = this.#around.stages
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
    this.#guard.whenThere(
      cache.lookup(context),
      (found) => {
        // Waiting for another request's answer is waiting for the provider.
        context.timings.cacheMs = performance.now() - startMs - (context.timings.upstreamMs - waitedMs)
        this.#found(found)
      },
      // Those who wait for this request's answer must not wait for nothing.
      (found) => found.kind === 'miss' && found.flight.abandon(),
    )
  }

  #found(found: CacheAnswer): void {
    this.#context.cache = found.kind
    if (found.kind === 'miss') this.#outlet.flight = found.flight
    if (found.kind !== 'hit') {
      this.#route()
      return
    }
    const { headers, body, stream } = found.answer
    const head = answerHead(200, headers)
    head.isEventStream = stream
    this.#outlet.open(head, !stream || !this.#around.passChunks, () => {})
    this.#outlet.write(body)
    this.#outlet.end()
  }

  #route(): void {
    const context = this.#context
    const startMs = performance.now()
    const found = this.#around.router.route(context.model)
    if (found.length === 0) {
      const message = `no provider here serves the model '${context.model}'`
      this.#outlet.refuse(invalidRequest('model_not_found', message, 404))
      return
    }
    this.#candidates = new Candidates(this.#around.fallback ? found : found.slice(0, 1), context)
    const routedMs = performance.now()
    context.timings.routingMs += routedMs - startMs
    if (this.#around.injectDelayMs === 0) {
      this.#askFirst()
      return
    }
    const ask = (): void => {
      context.timings.injectMs = performance.now() - routedMs
      this.#askFirst()
    }
    this.#stopWaiting = holdFor(this.#around.injectDelayMs, () => this.#guard.run(ask))
  }

  #askFirst(): void {
    const upstream = this.#candidates?.first()
    if (upstream) this.#ask(upstream)
    else this.#outlet.refuse(allOpen(this.#candidates?.waitMs ?? 0))
  }

  #ask(upstream: Upstream): void {
    const context = this.#context
    this.#upstream = upstream
    context.provider = upstream.provider.name
    context.attempts++
    const asked = upstream.protocol.ask(context, upstream.provider.basePath)
    if ('code' in asked) {
      upstream.breaker?.withdrawn()
      this.#outlet.refuse(asked)
      return
    }
    this.#translation = asked.translation
    this.#attempt = new Attempt(this.#around.pool, this)
    this.#acquireStartMs = performance.now()
    this.#attempt.start(upstream.provider.origin, {
      method: context.method,
      path: asked.path,
      headers: upstream.headers(this.#request.rawHeaders, asked, this.#observersHeaders()),
      body: asked.body.length > 0 ? asked.body : null,
    })
  }

  #observersHeaders(): readonly string[] {
    const { observers } = this.#around
    if (observers.length === 0) return NO_HEADERS
    const startMs = performance.now()
    const headers: string[] = []
    for (const observer of observers) {
      const own = observer.upstreamHeaders?.(this.#context)
      if (own) headers.push(...own)
    }
    this.#context.timings.observed(startMs)
    return headers
  }

  // --- AttemptOwner

  run(step: () => void): void {
    this.#guard.run(step)
  }

  onSent(): void {
    const { timings } = this.#context
    timings.acquireMs += timings.enter('upstream') - this.#acquireStartMs
  }

  onTakenBack(): void {
    this.#acquireStartMs = this.#context.timings.enter('work')
  }

  onHead(status: number, headers: RawHeaders): boolean {
    const nowMs = this.#context.timings.enter('work')
    const head = answerHead(status, headers)
    if (head.closes) this.#attempt?.closes()
    const upstream = this.#upstream
    const unwell = status >= 500 || status === 429
    if (unwell) upstream?.restFor(this.#context, head.retryAfter, nowMs)
    if (status >= 500) upstream?.breaker?.failed(nowMs)
    else upstream?.breaker?.succeeded()
    const other = unwell ? this.#candidates?.second() : undefined
    if (other) {
      this.#ask(other)
      return false
    }
    const attempt = this.#attempt
    if (!attempt) return false
    this.#answer = new Answer({
      context: this.#context,
      outlet: this.#outlet,
      flow: attempt,
      output: this.#around.stages.output,
      translation: this.#translation,
      passChunks: this.#around.passChunks,
    })
    this.#answer.begin(head)
    if (!this.#outlet.ended) this.#context.timings.enter('upstream')
    return true
  }

  onData(chunk: Buffer): void {
    this.#answer?.data(chunk)
  }

  onEnd(trailers: RawHeaders): void {
    this.#answer?.complete(trailers)
  }

  onFailure(error: Error, sent: boolean): void {
    const nowMs = this.#context.timings.enter('work')
    const upstream = this.#upstream
    const answer = upstreamError(upstream?.provider.name ?? '', error)
    if (answer.status === 400) upstream?.breaker?.withdrawn()
    else upstream?.breaker?.failed(nowMs)
    if (!sent) this.#context.timings.acquireMs += nowMs - this.#acquireStartMs
    const other = !sent && answer.status !== 400 ? this.#candidates?.second() : undefined
    if (other) this.#ask(other)
    else this.#outlet.fail(answer)
  }

  // --- Endings

  #onClientGone(): void {
    if (this.#outlet.ended) return
    this.#context.abort()
    this.#context.error ??= 'client_gone'
    this.#outlet.lost()
  }

  #onFinished(): void {
    this.#stopWaiting?.()
    const guard = this.#guard
    // Each for itself: what fails here must not keep the others from being given back.
    guard.run(() => this.#answer?.abort())
    if (this.#context.aborted || guard.tripped) {
      this.#upstream?.breaker?.withdrawn()
      guard.run(() => this.#attempt?.abort())
    }
    for (const observer of this.#around.observers) guard.run(() => observer.done?.(this.#context))
  }
}
