/**
 * HTTP/2 to a provider: a node:http2 session a connection, over TLS with ALPN, or without TLS by prior knowledge (h2c). It
 * takes requests once the provider's settings are there, as many at the same time as those allow. A PING every
 * keep_alive.interval must be acknowledged within keep_alive.timeout. Own sessions and not undici's, which has neither
 * that deadline nor a way to see the limit of streams.
 */
import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import type { Dispatcher } from 'undici'
import type { PoolConfig, UpstreamConfig } from '../config.ts'
import type { UpstreamRequest } from './attempt.ts'
import type { Transport, TransportEvents } from './connection.ts'
import type { TransportMaker } from './h1-transport.ts'
import { H2Stream } from './h2-stream.ts'

/** Streams on one connection at most, and what is expected of a provider before its settings are there. */
export const ASSUMED_STREAMS = 100
const WINDOW_BYTES = 1024 * 1024

export function h2Transports(pool: PoolConfig, upstream: UpstreamConfig): TransportMaker {
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
  #stopConnecting: (() => void) | undefined
  #ping: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #streams = 0
  #error: Error | undefined
  #reason: 'idle' | 'upstream' | 'error' = 'upstream'

  constructor(url: URL, pool: PoolConfig, upstream: UpstreamConfig, events: TransportEvents) {
    this.#url = url
    this.#pool = pool
    this.#upstream = upstream
    this.#events = events
    if (url.protocol === 'https:') this.#connectTls()
    else this.#start(connect(url, this.#options()))
  }

  #options() {
    return {
      peerMaxConcurrentStreams: ASSUMED_STREAMS,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
    }
  }

  #connectTls(): void {
    const { hostname, port } = this.#url
    const socket = connectTls({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port || 443),
      ...(/^[\d.]+$|^\[/.test(hostname) ? {} : { servername: hostname }),
      ALPNProtocols: ['h2', 'http/1.1'],
      ...(this.#upstream.ca && { ca: this.#upstream.ca }),
    })
    const failed = (error: Error): void => {
      stop()
      socket.destroy()
      this.#events.lost('error', error)
    }
    const onError = (error: Error): void => failed(error)
    const stop = this.#limitConnecting(() => failed(connectTimeout()))
    this.#stopConnecting = () => {
      stop()
      socket.off('error', onError).on('error', () => {})
      socket.destroy()
    }
    socket.on('error', onError)
    socket.once('secureConnect', () => {
      stop()
      socket.off('error', onError)
      if (socket.alpnProtocol === 'h2') {
        this.#start(connect(this.#url, { ...this.#options(), createConnection: () => socket }))
        return
      }
      socket.on('error', () => {}).destroy()
      this.#events.speaksH1()
    })
  }

  #start(session: ClientHttp2Session): void {
    this.#session = session
    const stop = this.#limitConnecting(() => this.#fail(connectTimeout(), 'error'))
    this.#stopConnecting = () => {
      stop()
      session.destroy()
    }
    session.on('remoteSettings', ({ maxConcurrentStreams = ASSUMED_STREAMS }) => {
      stop()
      if (this.#ping === undefined) this.#keepAlive(session)
      this.#rest()
      this.#events.connected(this.#upstream.keepAlive ? Math.min(maxConcurrentStreams, ASSUMED_STREAMS) : 1)
    })
    session.on('connect', () => session.setLocalWindowSize(4 * WINDOW_BYTES))
    session.on('goaway', () => this.#events.leaving())
    session.on('error', (error: Error) => {
      this.#error ??= error
    })
    session.on('close', () => {
      stop()
      clearInterval(this.#ping)
      clearTimeout(this.#idle)
      this.#events.lost(this.#reason, this.#error ?? lostConnection())
    })
  }

  #limitConnecting(expired: () => void): () => void {
    const timer = setTimeout(expired, this.#upstream.connectTimeoutMs)
    timer.unref()
    return () => clearTimeout(timer)
  }

  #keepAlive(session: ClientHttp2Session): void {
    if (!this.#upstream.keepAlive) return
    this.#ping = setInterval(() => {
      if (session.closed || session.destroyed) return
      const deadline = setTimeout(() => this.#fail(unresponsive(), 'upstream'), this.#upstream.keepAliveTimeoutMs)
      deadline.unref()
      session.ping(() => clearTimeout(deadline))
    }, this.#upstream.keepAliveIntervalMs)
    this.#ping.unref()
  }

  /** Without streams it is closed after a while. */
  #rest(): void {
    clearTimeout(this.#idle)
    if (this.#streams > 0) return
    this.#idle = setTimeout(() => {
      this.#reason = 'idle'
      this.#session?.destroy()
    }, this.#pool.idleTimeoutMs)
    this.#idle.unref()
  }

  #fail(error: Error, reason: 'upstream' | 'error'): void {
    this.#error ??= error
    this.#reason = reason
    this.#session?.destroy(error)
  }

  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
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

  close(): Promise<void> {
    const session = this.#session
    if (!session || session.destroyed) return this.destroy()
    return new Promise((resolve) => {
      session.once('close', resolve)
      session.close()
    })
  }

  async destroy(): Promise<void> {
    this.#stopConnecting?.()
    this.#session?.destroy(undefined, constants.NGHTTP2_NO_ERROR)
    clearInterval(this.#ping)
    clearTimeout(this.#idle)
  }
}

function connectTimeout(): Error {
  return Object.assign(new Error('no connection in time'), { code: 'UND_ERR_CONNECT_TIMEOUT' })
}

function unresponsive(): Error {
  return Object.assign(new Error('no acknowledgement of a PING in time'), { code: 'UND_ERR_SOCKET' })
}

function lostConnection(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'UND_ERR_SOCKET' })
}
