/**
 * Writes one response to the client: head, pieces, trailers, and every way to end. A response leaves either in one
 * piece, with final timings in its head, or piece by piece with backpressure. A copy is kept where the cache asks for
 * one.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { drainRefusedBody, ReaderTimeout } from './bad-clients.ts'
import { ChunkedBody } from './chunked-body.ts'
import { concatChunks, Tail } from './chunks.ts'
import { type GatewayError, sendError } from './gateway-error.ts'
import { type GuardedResponse, RequestGuard } from './guard.ts'
import { joinLists, type RawHeaders, responseTrailers, type UpstreamHead } from './headers.ts'
import type { BodyObserver, CacheFill, Observer } from './hooks.ts'
import { breakOff, isHttp2 } from './http2-request.ts'
import type { RequestContext } from './request-context.ts'
import { idHeaders } from './request-id.ts'

export interface ResponseWriterOptions {
  observers: readonly Observer[]
  /** How long a client may take none of the waiting bytes. */
  readerTimeoutMs: number
  /** The gateway is shutting down: this response is the last on its connection. */
  readonly draining: boolean
  /** Receives problems that neither the client's request nor the provider explains. */
  readonly report: (problem: string) => void
}

export class ResponseWriter implements GuardedResponse {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #context: RequestContext
  readonly #options: ResponseWriterOptions
  readonly #finished: () => void
  #head: UpstreamHead | undefined
  /** The pieces of a response that leaves in one piece. */
  #gathered: Buffer[] | undefined
  #watches: BodyObserver[] | undefined
  /** For the cache. */
  #copy: Tail | undefined
  #readerLimit: ReaderTimeout | undefined
  #chunks: ChunkedBody | undefined
  #sendsTrailer = false
  #bodyStarted = false
  /** The response is complete, or will never be. */
  ended = false
  /** What to do with the response of a cache miss. */
  cacheFill: CacheFill | undefined
  /** All code that works for this response runs through it. */
  readonly guard: RequestGuard

  /** `finished` is called once, however the response ends. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    context: RequestContext,
    options: ResponseWriterOptions,
    finished: () => void,
  ) {
    this.#request = request
    this.#response = response
    this.#context = context
    this.#options = options
    this.#finished = finished
    this.guard = new RequestGuard(this, (error) => {
      if (error.status === 500) options.report(`request ${context.id}: ${error.message}`)
    })
  }

  /** The client has received a status: from now on an error can only break the response off. */
  get headSent(): boolean {
    return this.#response.headersSent
  }

  /** The client reads more slowly than the gateway writes. */
  get needsDrain(): boolean {
    return this.#response.writableNeedDrain
  }

  /** `whole`: the whole response leaves at the end. `onDrain`: the client has taken all that waited. */
  begin(head: UpstreamHead, whole: boolean, onDrain: () => void): void {
    const context = this.#context
    context.status = head.status
    this.#head = head
    if (head.status !== 200 || head.isEncoded || head.isPrivate) this.#abandon()
    this.#watch(head)
    if (whole) {
      this.#gathered = []
      return
    }
    if (this.cacheFill) this.#copy = new Tail(Number.POSITIVE_INFINITY)
    this.#sendsTrailer = this.#hasBody && head.contentLength === undefined && this.#request.httpVersion === '1.1'
    this.#writeHead(head)
    const response = this.#response
    this.#chunks = ChunkedBody.takeOver(response)
    // The head leaves together with the first piece of the body where that is there in this turn, and else alone.
    process.nextTick(() => {
      if (!this.#bodyStarted && !response.destroyed) response.flushHeaders()
    })
    response.on('drain', () => {
      this.#readerLimit?.stop()
      if (!this.ended) this.guard.run(onDrain)
    })
  }

  /** Returns false where the client reads slowly; `onDrain` follows. */
  write(chunk: Buffer): boolean {
    if (this.ended) return true
    this.#bodyStarted = true
    if (this.#context.firstByteMs === 0) this.#context.firstByteMs = performance.now()
    if (this.#watches) for (const watch of this.#watches) watch.data(chunk)
    if (this.cacheFill && !this.cacheFill.reserve(chunk.length)) this.#abandon()
    if (this.#gathered) {
      this.#gathered.push(chunk)
      return true
    }
    this.#copy?.push(chunk)
    if (this.#chunks ? this.#chunks.write(chunk) : this.#response.write(chunk)) return true
    this.#readerLimit ??= new ReaderTimeout(this.#response, this.#options.readerTimeoutMs)
    this.#readerLimit.start()
    return false
  }

  end(rawTrailers: RawHeaders = []): void {
    const head = this.#head
    if (this.ended || !head) return
    if (this.#gathered) this.#sendWhole(head, concatChunks(this.#gathered))
    else {
      if (this.#chunks) this.#chunks.end(this.#sendsTrailer ? this.#trailers(rawTrailers) : [])
      else this.#response.end()
      if (this.#copy) this.#store(head, Buffer.from(this.#copy.read()))
    }
    this.#finish()
  }

  /** Sends the gateway's own error as the response. */
  sendError(error: GatewayError): void {
    if (this.ended) return
    const context = this.#context
    context.status = error.status
    context.error = error.code
    const body = sendError(this.#response, error, this.#ownHeaders(''))
    const head = { status: error.status, isEventStream: false, contentType: 'application/json' }
    for (const observer of this.#options.observers) observer.onResponse?.(context, head)?.data(body)
    drainRefusedBody(this.#request)
    this.#finish()
  }

  /** No more of the response will come: sends an error where no status was sent, else breaks the connection off. */
  fail(error: GatewayError): void {
    if (this.ended) return
    if (!this.headSent) {
      this.sendError(error)
      return
    }
    this.#context.error = error.code
    breakOff(this.#request, this.#response)
    this.#finish()
  }

  destroy(error: GatewayError): void {
    this.#context.error = error.code
    this.#response.destroy()
    if (!this.ended) this.#finish()
  }

  /** The client has closed its connection. */
  onClientClosed(): void {
    if (!this.ended) this.#finish()
  }

  #watch(head: UpstreamHead): void {
    const { observers } = this.#options
    if (observers.length === 0) return
    const startMs = performance.now()
    for (const observer of observers) {
      const watch = observer.onResponse?.(this.#context, head)
      if (watch) this.#watches = [...(this.#watches ?? []), watch]
    }
    this.#context.timings.observed(startMs)
  }

  #sendWhole(head: UpstreamHead, body: Buffer): void {
    if (this.#hasBody && head.contentLength !== body.length) {
      head.headers.push('content-length', String(body.length))
      head.contentLength = body.length
    }
    this.#writeHead(head)
    this.#response.end(body)
    this.#store(head, body)
  }

  #store(head: UpstreamHead, body: Buffer): void {
    const headers = head.contentType === '' ? [] : ['content-type', head.contentType]
    this.cacheFill?.store({ headers, body, stream: head.isEventStream })
    this.cacheFill = undefined
  }

  #abandon(): void {
    this.cacheFill?.abandon()
    this.cacheFill = undefined
    this.#copy = undefined
  }

  #finish(): void {
    this.ended = true
    this.#context.endedMs = this.#context.timings.enter('work')
    this.#readerLimit?.stop()
    this.guard.run(() => this.#abandon())
    this.#finished()
  }

  get #hasBody(): boolean {
    const { status } = this.#context
    return status !== 204 && status !== 304 && this.#request.method !== 'HEAD'
  }

  #writeHead(head: UpstreamHead): void {
    const { headers } = head
    if (this.#sendsTrailer) headers.push('trailer', withServerTiming(head.trailer))
    headers.push(...this.#ownHeaders(head.serverTiming, head.isNamed))
    this.#response.writeHead(head.status, headers)
  }

  #ownHeaders(serverTiming: string, named = false): string[] {
    const { timings, cache } = this.#context
    const overheadMs = timings.overheadMs
    const own = ['server-timing', joinLists(serverTiming, timings.serverTiming(overheadMs))]
    own.push('x-kt-overhead-ms', overheadMs.toFixed(3), ...idHeaders(this.#context.id, named))
    if (cache) own.push('x-kt-cache', cache)
    if (this.#options.draining && !isHttp2(this.#request)) own.push('connection', 'close')
    return own
  }

  #trailers(rawTrailers: RawHeaders): [string, string][] {
    const { timings } = this.#context
    const { trailers, serverTiming } = responseTrailers(rawTrailers)
    const own = timings.serverTiming(timings.overheadMs)
    return [...trailers, ['Server-Timing', joinLists(serverTiming, own)]]
  }
}

function withServerTiming(announced: string): string {
  return /\bserver-timing\b/i.test(announced) ? announced : joinLists(announced, 'Server-Timing')
}
