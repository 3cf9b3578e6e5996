/**
 * HTTP/2 to a provider: a node:http2 session for each connection, over TLS with ALPN, or without TLS by prior knowledge
 * (h2c). The connection takes requests once the provider's settings have arrived, as many at the same time as they
 * allow. A PING every keep_alive.interval must be acknowledged within keep_alive.timeout. undici's own HTTP/2 has
 * neither that deadline nor a way to see the limit of streams.
 */

import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { UpstreamFailure } from '../http/gateway-error.ts'
import { H2Stream } from './h2-stream.ts'
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

/** The most streams on one connection, and the assumed limit until the provider's settings arrive. */
export const ASSUMED_STREAMS = 100
const WINDOW_BYTES = 1024 * 1024
/** How long a closed session may take to end its connection. */
const GOODBYE_MS = 500

export function h2Transports(pool: PoolConfig, upstream: UpstreamConfig): TransportFactory {
  return (origin, events) => new H2Transport(new URL(origin), pool, upstream, events)
}

class H2Transport implements Transport {
  readonly abortsAlone = true
  readonly queues = false
  readonly unsent = 0
  readonly #url: URL
  readonly #pool: PoolConfig
  readonly #upstream: UpstreamConfig
  readonly #events: TransportEvents
  #session: ClientHttp2Session | undefined
  readonly #socket: Socket
  readonly #connecting: NodeJS.Timeout
  #ping: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #streams = 0
  /** The provider's settings have arrived, so it does speak HTTP/2. */
  #settled = false
  #error: Error | undefined
  /** Why the gateway has closed it, if it has. */
  #reason: 'idle' | 'error' | undefined

  constructor(url: URL, pool: PoolConfig, upstream: UpstreamConfig, events: TransportEvents) {
    this.#url = url
    this.#pool = pool
    this.#upstream = upstream
    this.#events = events
    const secure = url.protocol === 'https:'
    const socket = secure ? this.#connectTls() : this.#connectTcp()
    this.#socket = socket
    socket.setKeepAlive(true, upstream.keepAliveIntervalMs)
    socket.on('error', (error: Error) => {
      this.#error ??= error
    })
    socket.on('close', () => this.#onClose())
    this.#connecting = setTimeout(
      () => this.#fail(new UpstreamFailure('KT_CONNECT_TIMEOUT')),
      upstream.connectTimeoutMs,
    )
    this.#connecting.unref()
    if (!secure) this.#start(socket)
  }

  #connectTcp(): Socket {
    const { hostname, port } = this.#url
    return connectTcp({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80), noDelay: true })
  }

  #connectTls(): TLSSocket {
    const { hostname, port } = this.#url
    const socket = connectTls({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      ...(/^[\d.]+$|^\[/.test(hostname) ? {} : { servername: hostname }),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(this.#upstream.ca && { ca: this.#upstream.ca }),
    })
    socket.once('secureConnect', () => {
      if (socket.alpnProtocol === 'h2') {
        socket.setNoDelay()
        this.#start(socket)
      } else this.#events.speaksH1()
    })
    return socket
  }

  #start(socket: Socket): void {
    const session = connect(this.#url, {
      createConnection: () => socket,
      peerMaxConcurrentStreams: ASSUMED_STREAMS,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    })
    this.#session = session
    session.on('remoteSettings', ({ maxConcurrentStreams = ASSUMED_STREAMS }) => {
      clearTimeout(this.#connecting)
      this.#settled = true
      if (this.#ping === undefined) this.#keepAlive(session)
      this.#rest()
      this.#events.connected(this.#upstream.keepAlive ? Math.min(maxConcurrentStreams, ASSUMED_STREAMS) : 1)
    })
    session.on('connect', () => session.setLocalWindowSize(4 * WINDOW_BYTES))
    session.on('goaway', () => this.#events.leaving())
    session.on('error', (error: Error) => {
      this.#error ??= error
    })
  }

  #onClose(): void {
    clearTimeout(this.#connecting)
    clearInterval(this.#ping)
    clearTimeout(this.#idle)
    // Nothing is negotiated without TLS: a provider that answers the preface with other bytes speaks HTTP/1.1.
    if (!this.#settled && this.#url.protocol === 'http:' && this.#socket.bytesRead > 0) {
      this.#events.speaksH1()
    }
    const error = this.#error ?? new UpstreamFailure('KT_CLOSED')
    this.#events.closed(this.#reason ?? whoClosed(error), error)
  }

  #keepAlive(session: ClientHttp2Session): void {
    if (!this.#upstream.keepAlive) return
    this.#ping = setInterval(() => {
      if (session.closed || session.destroyed) return
      const deadline = setTimeout(
        () => this.#fail(new UpstreamFailure('KT_NO_PING_ANSWER')),
        this.#upstream.keepAliveTimeoutMs,
      )
      deadline.unref()
      session.ping(() => clearTimeout(deadline))
    }, this.#upstream.keepAliveIntervalMs)
    this.#ping.unref()
  }

  /** Closes the connection after it had no streams for a while. */
  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#streams > 0) return
    this.#idle = setTimeout(() => {
      this.#reason = 'idle'
      void this.close()
    }, this.#pool.idleTimeoutMs)
    this.#idle.unref()
  }

  #fail(error: Error): void {
    this.#error ??= error
    this.#reason = 'error'
    this.#session?.destroy(error)
    this.#socket.destroy()
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void {
    const session = this.#session
    clearTimeout(this.#idle)
    this.#streams++
    const over = (): void => {
      this.#streams--
      this.#rest()
    }
    const { responseTimeoutMs, bodyIdleTimeoutMs } = this.#upstream
    new H2Stream(handler, { responseTimeoutMs, bodyIdleTimeoutMs }, over).start(session, this.#url, request)
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = new Promise((resolve) => this.#socket.once('close', resolve))
    this.#session?.close()
    // A peer that does not close its side would keep the socket half open.
    setTimeout(() => this.#socket.destroy(), GOODBYE_MS).unref()
    await closed
  }

  async destroy(): Promise<void> {
    this.#session?.destroy(undefined, constants.NGHTTP2_NO_ERROR)
    this.#socket.destroy()
  }
}
