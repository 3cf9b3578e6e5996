/** One request on an HTTP/2 session. */

import { type ClientHttp2Session, type ClientHttp2Stream, constants, type OutgoingHttpHeaders } from 'node:http2'
import { UpstreamFailure } from '../http/gateway-error.ts'
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamControl, UpstreamHandler, UpstreamRequest } from './types.ts'

/** The provider did not look at the request, so it can be sent again (RFC 9113, 8.7). */
export class RefusedStream extends Error {}

interface StreamLimits {
  responseTimeoutMs: number
  bodyIdleTimeoutMs: number
}

export class H2Stream implements UpstreamControl {
  readonly #handler: UpstreamHandler
  readonly #limits: StreamLimits
  readonly #over: () => void
  #stream: ClientHttp2Stream | undefined
  #done = false
  #headed = false
  #expectedBytes: number | undefined
  #receivedBytes = 0
  /** The provider said that the answer ends here (END_STREAM). */
  #isWhole = false
  #aborted = false
  #paused = false
  #rawTrailers: RawHeaders = []

  /** `over` is called once, when nothing more will come. */
  constructor(handler: UpstreamHandler, limits: StreamLimits, over: () => void) {
    this.#handler = handler
    this.#limits = limits
    this.#over = over
  }

  start(session: ClientHttp2Session | undefined, url: URL, request: UpstreamRequest): void {
    if (!session || session.closed || session.destroyed) {
      // The session was lost after the connection was granted.
      queueMicrotask(() => this.#fail(new RefusedStream('the session is gone')))
      return
    }
    this.#handler.onRequestStart(this)
    if (this.#aborted) return
    let stream: ClientHttp2Stream
    try {
      stream = session.request(buildHeaders(url, request), { endStream: request.body === null })
    } catch (error) {
      queueMicrotask(() => this.#fail(error instanceof Error ? invalid(error) : new RefusedStream()))
      return
    }
    this.#stream = stream
    this.#watchEnd(stream)
    stream.setTimeout(this.#limits.responseTimeoutMs, () => this.#onTimeout(stream))
    stream.on('response', (_headers, _flags, raw) => this.#onHead(stream, raw ?? []))
    stream.on('trailers', (_headers, _flags, raw) => {
      this.#rawTrailers = raw ?? []
    })
    stream.on('data', (chunk: Buffer) => {
      this.#receivedBytes += chunk.length
      if (!this.#done) this.#handler.onResponseData(chunk)
    })
    stream.on('end', () => this.#onEnd(stream))
    stream.on('error', (error: Error) => this.#fail(this.#meaning(stream, error)))
    stream.on('close', () => {
      this.#fail(this.#meaning(stream, broken()))
      this.#finish()
    })
    if (request.body !== null) stream.end(request.body)
  }

  pause(): void {
    this.#paused = true
    this.#stream?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#stream?.resume()
  }

  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#done = true
    if (this.#stream) cancel(this.#stream)
    this.#finish()
  }

  #onHead(stream: ClientHttp2Stream, raw: readonly string[]): void {
    let status = 0
    const headers: string[] = []
    for (let i = 0; i + 1 < raw.length; i += 2) {
      const name = raw[i] ?? ''
      const value = raw[i + 1] ?? ''
      if (name === ':status') status = Number(value)
      else headers.push(name, value)
      if (name === 'content-length') this.#expectedBytes = Number(value)
    }
    this.#headed = true
    stream.setTimeout(this.#limits.bodyIdleTimeoutMs)
    if (!this.#done) this.#handler.onResponseStart(status, headers)
  }

  #onEnd(stream: ClientHttp2Stream): void {
    if (this.#done) return
    // A lost session ends its streams as if they were complete; only their being destroyed shows the difference.
    if (stream.rstCode !== constants.NGHTTP2_NO_ERROR || stream.destroyed || !this.#headed) return
    if (!this.#isWhole) {
      this.#fail(broken())
      return
    }
    if (this.#expectedBytes !== undefined && this.#expectedBytes !== this.#receivedBytes && this.#receivedBytes > 0) {
      this.#fail(broken())
      return
    }
    this.#done = true
    this.#finish()
    this.#handler.onResponseEnd(this.#rawTrailers)
  }

  /**
   * A stream that is reset with NO_ERROR ends like a whole one, except that Node closes it before it ends what can be
   * read of it.
   */
  #watchEnd(stream: ClientHttp2Stream): void {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding) => {
      if (chunk === null && !stream.closed) this.#isWhole = true
      return push(chunk, encoding)
    }
  }

  #onTimeout(stream: ClientHttp2Stream): void {
    // The client reads slowly; the provider is not to blame.
    if (this.#paused) return
    this.#fail(new UpstreamFailure(this.#headed ? 'KT_BODY_TIMEOUT' : 'KT_HEAD_TIMEOUT'))
    cancel(stream)
  }

  #meaning(stream: ClientHttp2Stream, error: Error): Error {
    return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM && !this.#headed ? new RefusedStream() : coded(error)
  }

  #fail(error: Error): void {
    if (this.#done) return
    this.#done = true
    this.#finish()
    this.#handler.onResponseError(error)
  }

  #finished = false

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    this.#over()
  }
}

/** Unread data would keep the stream, and all that it refers to, alive as long as its session. */
function cancel(stream: ClientHttp2Stream): void {
  stream.close(constants.NGHTTP2_CANCEL)
  stream.resume()
}

function buildHeaders(url: URL, { method, path, headers, body }: UpstreamRequest): OutgoingHttpHeaders {
  // Without a prototype, whose names a client may send as headers.
  const all: OutgoingHttpHeaders = Object.assign(Object.create(null), {
    ':method': method,
    ':path': path,
    ':scheme': url.protocol.slice(0, -1),
    ':authority': url.host,
  })
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    const value = headers[i + 1] ?? ''
    const before = all[name]
    all[name] = before === undefined ? value : name === 'cookie' ? `${before}; ${value}` : `${before}, ${value}`
  }
  if (body !== null) all['content-length'] = String(body.length)
  return all
}

function coded(error: Error): Error {
  if ('code' in error && typeof error.code === 'string' && !error.code.startsWith('ERR_HTTP2')) return error
  return broken()
}

function broken(): Error {
  return new UpstreamFailure('KT_CLOSED')
}

function invalid(error: Error): Error {
  const code = 'code' in error ? String(error.code) : ''
  if (code === 'ERR_HTTP2_INVALID_SESSION' || code === 'ERR_HTTP2_GOAWAY_SESSION') return new RefusedStream()
  return new UpstreamFailure('KT_NOT_SENDABLE', error.message)
}
