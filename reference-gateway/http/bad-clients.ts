/**
 * What happens to clients that send or read too slowly to be worth their connection, or that do not send valid HTTP.
 */
import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import { STATUS_CODES } from '../../src/system/node-http.ts'
import { errorBody, type GatewayError, invalidRequest } from './gateway-error.ts'
import type { AnyRequest } from './http2-request.ts'

/** How long the rest of a refused body is read and thrown away, so that its sender can read the response. */
const DRAIN_MS = 5_000

/** Reads the rest of a refused request's body for a moment, without keeping it. */
export function drainRefusedBody(request: IncomingMessage): void {
  if (request.complete) return
  const linger = setTimeout(() => request.destroy(), DRAIN_MS)
  linger.unref()
  request.once('close', () => clearTimeout(linger)).resume()
}

/**
 * Breaks the connection of a client that takes none of the waiting bytes for `limitMs`. Slow progress counts as
 * progress.
 */
export class ReaderTimeout {
  readonly #response: ServerResponse
  readonly #limitMs: number
  #timer: NodeJS.Timeout | undefined
  #waiting = 0

  constructor(response: ServerResponse, limitMs: number) {
    this.#response = response
    this.#limitMs = limitMs
  }

  start(): void {
    if (this.#timer) return
    this.#waiting = this.#stillWaiting
    this.#timer = setTimeout(() => this.#look(), this.#limitMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  get #stillWaiting(): number {
    return this.#response.writableLength
  }

  #look(): void {
    this.#timer = undefined
    if (this.#stillWaiting < this.#waiting) this.start()
    else this.#response.destroy()
  }
}

/** Node keeps the response that is under way here; Node's own default handler reads it too. */
type AnsweringSocket = Socket & { _httpMessage?: ServerResponse | null }

/** Answers requests that are not HTTP, or not complete in time, in OpenAI's shape, and closes their connection. */
export function answerInvalidRequests(server: EventEmitter): void {
  server.on('clientError', (error: Error & { code?: string }, socket: AnsweringSocket) => {
    // A request that came earlier on this connection would take this error for its own response.
    const answering = socket._httpMessage
    if (!socket.writable || error.code === 'ECONNRESET' || answering?.headersSent || answering?.req.complete) {
      socket.destroy()
      return
    }
    const { status, ...rest } = errorForCode(error.code ?? '')
    const body = JSON.stringify(errorBody({ status, ...rest }))
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    )
  })
}

/** A tunnel is refused with an answer, like everything else that is not served. */
export function answerTunnels(server: EventEmitter): void {
  server.on('connect', (_request: AnyRequest, socket: Socket | Http2ServerResponse) => {
    if (socket instanceof Http2ServerResponse) {
      socket.writeHead(405, { allow: 'GET, HEAD, POST, DELETE' }).end()
      return
    }
    socket.on('error', () => {})
    socket.end(
      'HTTP/1.1 405 Method Not Allowed\r\nallow: GET, HEAD, POST, DELETE\r\n' +
        'content-length: 0\r\nconnection: close\r\n\r\n',
    )
  })
}

function errorForCode(code: string): GatewayError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return invalidRequest('request_timeout', 'the request was not complete in time', 408)
  }
  if (code === 'HPE_HEADER_OVERFLOW') return invalidRequest('headers_too_large', 'the headers are too large', 431)
  return invalidRequest('invalid_http', 'the request is not valid HTTP/1.1')
}
