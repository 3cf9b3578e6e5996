/**
 * One request from its head to the end of its response, step by step: admitted, read, judged by input policies, looked
 * up in the cache, and sent to providers (provider-exchange.ts). When the client leaves, in any phase, the upstream
 * request is cancelled. Every call from outside goes through the guard (see guard.ts).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodyParser } from '../http/body-parser.ts'
import type { Route } from '../http/endpoints.ts'
import type { GatewayError } from '../http/gateway-error.ts'
import type { RequestGuard } from '../http/guard.ts'
import { readHead } from '../http/headers.ts'
import type { CacheLookup, Maybe, PipelineHooks, PolicyVerdict, StoredResponse } from '../http/hooks.ts'
import { isLarge, readBody } from '../http/request-body.ts'
import { RequestContext } from '../http/request-context.ts'
import { ResponseWriter, type ResponseWriterOptions } from '../http/response-writer.ts'
import { Intake, type IntakeRules } from './intake.ts'
import { notifyStart } from './observers.ts'
import { type ExchangeDependencies, ProviderExchange } from './provider-exchange.ts'

export interface PipelineDependencies extends ResponseWriterOptions, IntakeRules, ExchangeDependencies {
  readonly hooks: PipelineHooks
  readonly bodies: BodyParser
}

export class RequestPipeline {
  readonly #dependencies: PipelineDependencies
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly context: RequestContext
  readonly #writer: ResponseWriter
  readonly #guard: RequestGuard
  readonly #intake: Intake
  /** Undefined while no provider is needed. */
  #exchange: ProviderExchange | undefined

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
      this.#ask()
      return
    }
    if (!context.isJson || context.method !== 'POST') {
      context.cache = 'bypass'
      this.#ask()
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
        this.#ask()
        break
      case 'bypass':
        this.#ask()
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

  #ask(): void {
    this.#exchange = new ProviderExchange(this.#dependencies, this.#request, this.context, this.#writer, (bytes) =>
      this.#intake.keep(bytes),
    )
    this.#exchange.start()
  }

  // --- Endings

  #onClientGone(): void {
    if (this.#writer.ended) return
    this.context.abort()
    this.context.error ??= 'client_gone'
    this.#writer.onClientClosed()
  }

  #onFinished(): void {
    const guard = this.#guard
    // Each step runs alone: an error in one must not keep the others from releasing what they hold.
    guard.run(() => this.#intake.end())
    guard.run(() => this.#exchange?.end())
    for (const observer of this.#dependencies.observers) guard.run(() => observer.onEnd?.(this.context))
  }
}
