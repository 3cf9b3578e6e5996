/**
 * HTTP/1.1 to a provider: one connection, which opens with its first request, and again where the provider has closed
 * it before a request that waits was written. Requests are written in the next turn of the loop: a provider may have
 * closed an idle connection, or sent something that nobody asked for, and that is seen first.
 */

import type { Socket } from 'node:net'
import { type AnswerEvents, AnswerParser } from '../../src/http1/answer-parser.ts'
import { ClosedByPeer } from '../../src/http1/faults.ts'
import type { Field } from '../../src/http1/fields.ts'
import type { AnswerHead } from '../../src/http1/head.ts'
import { addressOf, openSocket } from '../../src/http1/open-socket.ts'
import { Outbox, type Sender } from '../../src/http1/outbox.ts'
import { buildHead } from '../../src/http1/request-head.ts'
import { UpstreamFailure } from '../http/gateway-error.ts'
import type { RawHeaders } from '../http/headers.ts'
import { Deadline } from './deadline.ts'
import { H1Exchange } from './h1-exchange.ts'
import type {
  PoolConfig,
  Transport,
  TransportEvents,
  TransportFactory,
  UpstreamConfig,
  UpstreamHandler,
  UpstreamRequest,
} from './types.ts'
import { whoClosed } from './who-closed.ts'

/** Subtracted from a server's `keep-alive: timeout=`, so that the gateway closes first. */
const KEEP_ALIVE_MARGIN_MS = 1_000
/** Up to this size a body is copied behind its head, so that both are one piece to write. */
const ONE_PIECE_BYTES = 32 * 1024
/** The system writes what it reads into one buffer, from which every piece is copied at its true length. */
const landing = Buffer.allocUnsafeSlow(64 * 1024)

/** What all connections share. */
interface Shared {
  pool: PoolConfig
  upstream: UpstreamConfig
  outbox: Outbox
  /** Of TLS, by origin: the next connection opens sooner. */
  sessions: Map<string, Buffer>
}

export function h1Transports(pool: PoolConfig, upstream: UpstreamConfig): TransportFactory {
  const shared = { pool, upstream, outbox: new Outbox(), sessions: new Map() }
  return (origin, events) => new H1Transport(new URL(origin), shared, events)
}

class H1Transport implements Transport, AnswerEvents, Sender {
  readonly abortsAlone = false
  readonly queues = true
  readonly #url: URL
  readonly #shared: Shared
  readonly #events: TransportEvents
  /** Requests on the connection at the same time. */
  readonly #most: number
  readonly #parser = new AnswerParser(this)
  readonly #deadline = new Deadline(() => this.#onDue())
  /** Open, or being opened. */
  #socket: Socket | undefined
  /** The socket that was opened last, until it is gone. */
  #last: Socket | undefined
  #isOpen = false
  #isDestroyed = false
  #isInOutbox = false
  /** Not written yet. */
  readonly #unsent: H1Exchange[] = []
  /** Written; the first one's answer is read. */
  readonly #sent: H1Exchange[] = []
  #answer: AnswerHead | undefined
  /** The fields of #answer. */
  #raw: RawHeaders = []
  #hasHead = false

  constructor(url: URL, shared: Shared, events: TransportEvents) {
    this.#url = url
    this.#shared = shared
    this.#events = events
    this.#most = shared.upstream.keepAlive ? shared.upstream.pipelining : 1
  }

  get unsent(): number {
    return this.#unsent.length
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void {
    let head: string
    try {
      head = this.#headOf(request)
    } catch (error) {
      handler.onResponseError(new UpstreamFailure('KT_NOT_SENDABLE', error instanceof Error ? error.message : ''))
      return
    }
    this.#unsent.push(new H1Exchange(request, head, handler, this))
    if (!this.#socket) this.#open()
    else if (this.#isOpen) this.#sendSoon()
  }

  /** The loop has looked at all connections. */
  send(): void {
    this.#isInOutbox = false
    while (this.#isOpen && this.#sent.length < this.#most) {
      const exchange = this.#unsent.shift()
      if (!exchange) return
      if (!exchange.over) this.#write(exchange)
    }
  }

  /** Ends when the connection is closed. It has no requests in flight. */
  close(): Promise<void> {
    return this.destroy()
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true
    const last = this.#last
    const closed = last && new Promise((resolve) => last.once('close', resolve))
    this.#drop()
    this.#failAll(new UpstreamFailure('KT_GIVEN_UP'))
    await closed
  }

  // --- The line of an exchange

  flow(): void {
    const [first] = this.#sent
    if (first?.paused) this.#socket?.pause()
    else {
      this.#socket?.resume()
      // The pause was not the provider's.
      if (first && this.#hasHead) this.#deadline.set(this.#shared.upstream.bodyIdleTimeoutMs)
    }
  }

  break(): void {
    this.#drop()
  }

  // --- AnswerEvents

  head(head: AnswerHead): void {
    this.#hasHead = true
    if (head !== this.#answer) {
      this.#answer = head
      this.#raw = rawPairs(head.fields)
    }
    this.#deadline.set(this.#shared.upstream.bodyIdleTimeoutMs)
    this.#sent[0]?.answered(head.status, this.#raw)
  }

  data(part: Buffer): void {
    this.#deadline.set(this.#shared.upstream.bodyIdleTimeoutMs)
    this.#sent[0]?.data(part)
  }

  end(trailers: readonly Field[], more: boolean): void {
    const exchange = this.#sent.shift()
    this.#rest(more)
    exchange?.end(rawPairs(trailers))
    if (exchange?.paused) this.flow()
    if (this.#unsent.length === 0 || this.#isDestroyed) return
    if (this.#isOpen) this.#sendSoon()
    else if (!this.#socket) this.#open()
  }

  // --- Parts

  #headOf({ method, path, headers, body }: UpstreamRequest): string {
    const { text } = buildHead(method, this.#url.host, path, headers, this.#shared.upstream.keepAlive)
    const says = body !== null || (method !== 'GET' && method !== 'HEAD')
    return `${text}${says ? `content-length: ${body?.length ?? 0}\r\n` : ''}\r\n`
  }

  #sendSoon(): void {
    if (this.#isInOutbox) return
    this.#isInOutbox = true
    this.#shared.outbox.add(this)
  }

  #open(): void {
    const { upstream, sessions } = this.#shared
    const { origin, host } = this.#url
    const target = { ...addressOf(this.#url, host), ca: upstream.ca, insecure: false, session: sessions.get(origin) }
    const socket = openSocket(target, { buffer: landing, callback: (bytes) => this.#read(socket, bytes) })
    this.#socket = socket
    this.#last = socket
    socket.setNoDelay(true)
    if (upstream.keepAlive) socket.setKeepAlive(true, upstream.keepAliveIntervalMs)
    this.#deadline.set(upstream.connectTimeoutMs)
    const lost = (error: Error): void => {
      if (this.#socket === socket) this.#lose(error)
    }
    socket.once(target.tls ? 'secureConnect' : 'connect', () => {
      // Before it is open, an end is an error too, which says more.
      socket.on('end', () => lost(new ClosedByPeer()))
      if (this.#socket === socket) this.#opened()
    })
    if (target.tls) socket.on('session', (session: Buffer) => void sessions.set(origin, session))
    socket.on('error', lost)
    socket.on('close', () => {
      if (this.#last === socket) this.#last = undefined
      lost(new ClosedByPeer())
    })
  }

  #opened(): void {
    this.#isOpen = true
    this.#deadline.set(this.#shared.pool.idleTimeoutMs)
    this.#events.connected(this.#most)
    this.send()
  }

  #write(exchange: H1Exchange): void {
    exchange.start()
    const socket = this.#socket
    if (exchange.over || !socket) return
    this.#sent.push(exchange)
    if (this.#sent.length === 1) this.#expect(exchange)
    const { head, request } = exchange
    const { body } = request
    if (body === null) socket.write(head, 'latin1')
    else if (body.length <= ONE_PIECE_BYTES) socket.write(Buffer.concat([Buffer.from(head, 'latin1'), body]))
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
  }

  #expect({ request }: H1Exchange): void {
    this.#hasHead = false
    this.#parser.expect(request.method === 'HEAD')
    this.#deadline.set(this.#shared.upstream.responseTimeoutMs)
  }

  #read(socket: Socket, bytes: number): boolean {
    if (this.#socket !== socket) return false
    const piece = Buffer.allocUnsafe(bytes)
    landing.copy(piece, 0, 0, bytes)
    const fault = this.#parser.push(piece)
    if (fault && this.#socket === socket) this.#lose(fault)
    return true
  }

  /** An answer is whole: the connection is for the next one, or for none. */
  #rest(more: boolean): void {
    const next = this.#sent[0]
    if (next) this.#expect(next)
    const { keepAlive = false, keptIdleUs = 0 } = this.#answer ?? {}
    const idleMs = Math.min(this.#shared.pool.idleTimeoutMs, keptIdleUs / 1_000 - KEEP_ALIVE_MARGIN_MS)
    // What is left of a request that was answered before its end is not worth being sent.
    const stays = keepAlive && (next !== undefined || !more) && idleMs > 0 && this.#socket?.writableLength === 0
    if (!stays) this.#events.leaving()
    if (next) return
    if (stays) this.#deadline.set(idleMs)
    else this.#drop()
  }

  #onDue(): void {
    const [first] = this.#sent
    const { upstream, pool } = this.#shared
    // The client reads slowly; the provider is not to blame.
    if (first?.paused) this.#deadline.set(upstream.bodyIdleTimeoutMs)
    else if (first) this.#lose(new UpstreamFailure(this.#hasHead ? 'KT_BODY_TIMEOUT' : 'KT_HEAD_TIMEOUT'))
    else if (!this.#isOpen) this.#lose(new UpstreamFailure('KT_CONNECT_TIMEOUT'))
    else if (this.#unsent.length > 0) this.#deadline.set(pool.idleTimeoutMs)
    else {
      this.#drop()
      this.#events.closed('idle', new Error('idle'))
    }
  }

  /** The connection is of no more use. */
  #lose(error: Error): void {
    const wasOpen = this.#isOpen
    const isEnd = error instanceof ClosedByPeer || ('code' in error && error.code === 'ECONNRESET')
    // A body that lasts until the close is as whole as its own end says, however the connection was closed.
    if (isEnd && this.#parser.readsUntilClose) this.#parser.finish()
    this.#drop()
    if (!wasOpen) {
      this.#failAll(error)
      return
    }
    const sent = this.#sent.splice(0)
    for (const exchange of sent) exchange.fail(error)
    if (this.#isDestroyed) return
    this.#events.closed(whoClosed(error), error)
    if (this.#unsent.length > 0 && !this.#isDestroyed) this.#open()
  }

  #drop(): void {
    this.#socket?.destroy()
    this.#socket = undefined
    this.#isOpen = false
    this.#parser.stop()
    this.#deadline.clear()
  }

  #failAll(error: Error): void {
    for (const exchange of [...this.#sent.splice(0), ...this.#unsent.splice(0)]) exchange.fail(error)
  }
}

function rawPairs(fields: readonly Field[]): RawHeaders {
  const raw: string[] = []
  for (const { name, value } of fields) raw.push(name, value)
  return raw
}
