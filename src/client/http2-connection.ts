/**
 * A connection of HTTP/2, by undici's client: by ALPN over TLS, with prior knowledge in the clear. Each connection has
 * a client of its own, so that a wait for a stream is visible and never hidden in a pool.
 */

import type { buildConnector, Dispatcher } from 'undici'
import { openTunnel } from '../http1/tunnel.ts'
import type { Clock } from '../system/clock.ts'
import type { AnswerHandler, OutgoingRequest } from './answer-handler.ts'
import { type ConnectionSpec, TargetConnection } from './connection.ts'
import { asProxyFault, isTlsError, NoHttp2 } from './failure.ts'
import type { Peer } from './peer.ts'
import { type Route, routeTo } from './route.ts'

/** undici's own limit of 4 s would reconnect at low rates. */
const KEEP_ALIVE_MS = 10 * 60_000

const HTTPS_PORT = 443

type Undici = typeof import('undici')

let undici: Undici | undefined

/** Comes before the first connection: what sends over HTTP/1.1 alone starts without undici. */
export async function loadHttp2(): Promise<void> {
  undici ??= await import('undici')
}

function loaded(): Undici {
  if (!undici) throw new Error('a connection of HTTP/2 before loadHttp2()')
  return undici
}

export class Http2Connection extends TargetConnection {
  readonly multiplexed = true
  readonly answerBegun = false
  readonly #origin: string
  readonly #spec: ConnectionSpec
  #client: Dispatcher
  /** What the TLS of the present connection said when it broke. */
  #tlsFault: Error | undefined

  constructor(origin: string, clock: Clock, spec: ConnectionSpec, peer: Peer) {
    super(clock, peer)
    this.#origin = origin
    this.#spec = spec
    this.#client = this.#createClient()
  }

  dispatch(request: OutgoingRequest, handler: AnswerHandler, notBeforeUs: number): void {
    this.notBeforeUs = notBeforeUs
    this.waitUntilDue()
    this.#client.dispatch(request, handler)
  }

  readUs(): number {
    return this.clock()
  }

  /** undici forgets an alert of TLS over the end of the connection that follows it. */
  override causeOf(error: Error): Error {
    return this.#tlsFault ?? error
  }

  drop(reason: Error): void {
    const old = this.#client
    this.#client = this.#createClient()
    old.destroy(reason)
  }

  close(): Promise<void> {
    return this.#client.destroy()
  }

  #createClient(): Dispatcher {
    const { buildConnector, Client, H2CClient } = loaded()
    const { ca, insecure, cert, key, streams, routes } = this.#spec
    const via = routeTo(this.#origin, routes)
    // undici's timers are off: they are half a second coarse, and deadlines.ts replaces them.
    const connect = buildConnector({
      timeout: 0,
      allowH2: true,
      preferH2: true,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(via?.kind === 'unix-socket' ? { socketPath: via.path } : {}),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    })
    const open = via === undefined ? connect : along(via, connect)
    const timed: buildConnector.connector = (options, callback) => {
      this.connectStartUs = this.clock()
      this.connectedUs = Number.NaN
      this.#tlsFault = undefined
      open(options, (...result) => {
        const [error, socket] = result
        if (error !== null) return callback(...result)
        const agreed = 'alpnProtocol' in socket ? socket.alpnProtocol : undefined
        // In the clear nothing is negotiated. undici takes this mark as prior knowledge of HTTP/2.
        if (options.protocol === 'http:') Object.assign(socket, { alpnProtocol: 'h2' })
        else if (agreed !== 'h2') {
          socket.destroy()
          return callback(new NoHttp2(), null)
        }
        socket.once('error', (error) => {
          if (isTlsError(error)) this.#tlsFault = error
        })
        this.connectedUs = this.clock()
        this.opened++
        callback(...result)
      })
    }
    const common = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      pipelining: streams,
      connect: timed,
    }
    return this.#origin.startsWith('https:')
      ? new Client(this.#origin, { ...common, allowH2: true, h2Options: { maxConcurrentStreams: streams } })
      : new H2CClient(this.#origin, { ...common, maxConcurrentStreams: streams })
  }
}

/** A connector that goes where a route leads; the certificate must name the target all the same. */
function along(via: Route['via'], connect: buildConnector.connector): buildConnector.connector {
  if (via.kind === 'unix-socket') return connect
  if (via.kind === 'address') return (options, callback) => connect({ ...options, hostname: via.address }, callback)
  return (options, callback) => {
    const to = { host: options.hostname.replace(/^\[|\]$/g, ''), port: Number(options.port) || HTTPS_PORT }
    const tunnel = openTunnel(via.proxy, to, (error) => {
      if (error) callback(asProxyFault(via.proxy, error), null)
      else connect({ ...options, httpSocket: tunnel }, callback)
    })
  }
}
