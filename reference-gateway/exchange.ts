/**
 * One request on its way: body in, provider chosen, connection acquired, asked, and the answer passed on as it comes. It is
 * the handler that undici calls back. A client that goes away in any phase takes the upstream request with it; an upstream
 * that fails is answered for as long as nothing was passed on, and after that the client's connection breaks off, so that
 * half an answer never looks like a whole one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { Provider } from './config.ts'
import type { Connection } from './connection.ts'
import { holdFor } from './delay.ts'
import { join, type RawHeaders, type ResponseHead, requestHeaders, responseHead, responseTrailers } from './headers.ts'
import { type GatewayError, invalidRequest, sendError, upstreamError } from './openai-error.ts'
import type { ConnectionPool } from './pool.ts'
import { modelOf, receiveBody } from './request-body.ts'
import type { Router } from './routing.ts'
import { Timings } from './timings.ts'

export interface ExchangeContext {
  readonly router: Router
  readonly pool: ConnectionPool
  readonly injectDelayMs: number
  /** The gateway is shutting down: this answer is the last on its connection. */
  readonly draining: boolean
}

/** Up to this size an answer of known length is collected: its head then holds the final figures, and leaves with it. */
const COLLECT_BYTES = 256 * 1024
/** How long a refused body is read on and thrown away, so that its sender gets to read the answer. */
const LINGER_MS = 5_000
const CLIENT_GONE = new Error('the client went away')

export class Exchange implements Dispatcher.DispatchHandler {
  readonly #context: ExchangeContext
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #path: string
  readonly #timings = new Timings()
  #phase: 'receiving' | 'waiting' | 'asking' | 'answering' | 'done' = 'receiving'
  #provider: Provider | undefined
  #stopWaiting: (() => void) | undefined
  #connection: Connection | undefined
  #controller: Dispatcher.DispatchController | undefined
  #acquireStartMs = 0
  #status = 0
  #head: ResponseHead | undefined
  #collected: Buffer[] | undefined
  #sendsTrailer = false
  #bodyStarted = false

  /** `path` is what follows '/v1', query included. */
  constructor(context: ExchangeContext, request: IncomingMessage, response: ServerResponse, path: string) {
    this.#context = context
    this.#request = request
    this.#response = response
    this.#path = path
  }

  start(): void {
    this.#response.on('close', () => this.#onClientGone())
    // What can fail here is writing to a client that left: its 'close' follows.
    this.#response.on('error', () => {})
    receiveBody(
      this.#request,
      ({ bytes, arrivedMs }) => {
        this.#timings.arrived(arrivedMs)
        this.#choose(bytes)
      },
      (error) => this.#refuse(error),
    )
  }

  #choose(body: Buffer): void {
    const asked = modelOf(this.#request, body)
    const provider = 'status' in asked ? asked : this.#providerOf(asked.model)
    if ('status' in provider) {
      this.#refuse(provider)
      return
    }
    this.#provider = provider
    this.#phase = 'waiting'
    const routedMs = performance.now()
    this.#timings.routingMs = routedMs - this.#timings.arrivedMs
    if (this.#context.injectDelayMs === 0) {
      this.#acquire(provider, body)
      return
    }
    this.#stopWaiting = holdFor(this.#context.injectDelayMs, () => {
      this.#timings.injectMs = performance.now() - routedMs
      this.#acquire(provider, body)
    })
  }

  #providerOf(model: string | undefined): Provider | GatewayError {
    const provider = this.#context.router.route(model)
    return provider ?? invalidRequest('model_not_found', `no provider here serves the model '${model}'`, 404)
  }

  #acquire(provider: Provider, body: Buffer): void {
    this.#acquireStartMs = performance.now()
    this.#stopWaiting = this.#context.pool.acquire(provider.origin, (connection) => {
      this.#phase = 'asking'
      this.#connection = connection
      connection.client.dispatch(
        {
          method: this.#request.method ?? 'GET',
          path: provider.basePath + this.#path || '/',
          headers: requestHeaders(this.#request.rawHeaders, provider.apiKey),
          body: body.length > 0 ? body : null,
        },
        this,
      )
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    this.#timings.acquireMs = this.#timings.enter('upstream') - this.#acquireStartMs
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Informational answers are between the upstream and its next hop.
    if (status < 200) return
    this.#timings.enter('work')
    this.#status = status
    this.#head = responseHead(rawPairs(controller.rawHeaders))
    const { contentLength, isEventStream } = this.#head
    if (contentLength !== undefined && contentLength <= COLLECT_BYTES && !isEventStream) this.#collected = []
    else this.#startPassing(this.#head, controller)
    this.#timings.enter('upstream')
  }

  #startPassing(head: ResponseHead, controller: Dispatcher.DispatchController): void {
    this.#phase = 'answering'
    const response = this.#response
    const hasBody = this.#status !== 204 && this.#status !== 304 && this.#request.method !== 'HEAD'
    this.#sendsTrailer = hasBody && head.contentLength === undefined && this.#request.httpVersion === '1.1'
    this.#writeHead(head)
    // The head leaves with the first piece of the body where both came together, and does not wait for it otherwise.
    process.nextTick(() => {
      if (!this.#bodyStarted && !response.destroyed) response.flushHeaders()
    })
    response.on('drain', () => {
      if (this.#phase !== 'answering') return
      this.#timings.enter('upstream')
      controller.resume()
    })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#collected) {
      this.#collected.push(chunk)
      return
    }
    this.#timings.enter('work')
    this.#bodyStarted = true
    const ready = this.#response.write(chunk)
    if (!ready) controller.pause()
    this.#timings.enter(ready ? 'upstream' : 'client')
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const head = this.#head
    if (!head) return
    this.#timings.enter('work')
    if (this.#collected) this.#answerWhole(head, this.#collected)
    else this.#endPassing(controller)
    this.#phase = 'done'
    this.#connection?.release(head.closes)
  }

  #answerWhole(head: ResponseHead, collected: readonly Buffer[]): void {
    this.#writeHead(head)
    const [only] = collected
    this.#response.end(collected.length === 1 ? only : Buffer.concat(collected))
  }

  #endPassing(controller: Dispatcher.DispatchController): void {
    if (this.#sendsTrailer) {
      const { trailers, serverTiming } = responseTrailers(rawPairs(controller.rawTrailers))
      const own = this.#timings.serverTiming(this.#timings.overheadMs)
      this.#response.addTrailers([...trailers, ['Server-Timing', join(serverTiming, own)]])
    }
    this.#response.end()
  }

  #writeHead(head: ResponseHead): void {
    const overheadMs = this.#timings.overheadMs
    const headers = head.headers
    if (this.#sendsTrailer) headers.push('trailer', withServerTiming(head.trailer))
    headers.push('server-timing', join(head.serverTiming, this.#timings.serverTiming(overheadMs)))
    headers.push('x-kt-overhead-ms', overheadMs.toFixed(3), ...this.#lastHeader())
    this.#response.writeHead(this.#status, headers)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#phase === 'done') return
    const passing = this.#phase === 'answering'
    this.#phase = 'done'
    const answer = upstreamError(this.#provider?.name ?? '', error)
    // undici would not send it: the connection knows nothing of the request.
    if (answer.status === 400) this.#connection?.release(false)
    else this.#connection?.discard('error')
    if (passing) breakOff(this.#request, this.#response)
    else sendError(this.#response, answer, this.#lastHeader())
  }

  /** An answer of the gateway's own to a request that goes no further. */
  #refuse(error: GatewayError): void {
    this.#phase = 'done'
    refuse(this.#request, this.#response, error, this.#lastHeader())
  }

  #onClientGone(): void {
    const phase = this.#phase
    if (phase === 'done') return
    this.#phase = 'done'
    if (phase === 'waiting') this.#stopWaiting?.()
    // Before onRequestStart there is no controller: giving up the connection is the only way to take the request back.
    this.#controller?.abort(CLIENT_GONE)
    this.#connection?.discard('aborted')
  }

  #lastHeader(): string[] {
    return this.#context.draining ? ['connection', 'close'] : []
  }
}

/** Answers `error` and reads what is still to come of the body for a moment, without keeping it. */
export function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  error: GatewayError,
  extra: readonly string[] = [],
): void {
  sendError(response, error, extra)
  if (request.complete) return
  const linger = setTimeout(() => request.destroy(), LINGER_MS)
  linger.unref()
  request.once('close', () => clearTimeout(linger)).resume()
}

/** An answer that only the connection's end delimits would look complete after a plain close: it gets a reset. */
function breakOff(request: IncomingMessage, response: ServerResponse): void {
  if (request.httpVersion === '1.1') response.destroy()
  else request.socket.resetAndDestroy()
}

function withServerTiming(announced: string): string {
  return /\bserver-timing\b/i.test(announced) ? announced : join(announced, 'Server-Timing')
}

function rawPairs(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (Array.isArray(raw)) return raw
  return Object.entries(raw ?? {}).flatMap(([name, value]) => [value ?? ''].flat().flatMap((one) => [name, one]))
}
