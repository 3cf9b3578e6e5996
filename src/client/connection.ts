/**
 * One connection to the target: an undici Client for each, so that the wait for a connection is visible and never
 * hidden in a pool. HTTP/1.1 carries one request at a time. HTTP/2 (by ALPN over TLS, h2c with prior knowledge in the
 * clear) carries as many streams as both sides allow; further requests wait before they count as sent. Opening is timed
 * apart (`connect` comes before `sent`). Idle connections are kept as long as the server keeps them: undici's own limit
 * of 4 s would reconnect at low rates.
 */
import { buildConnector, Client, type Dispatcher, H2CClient } from 'undici'
import type { Clock } from '../system/clock.ts'
import { isTlsError, NoHttp2 } from './failure.ts'
import type { Inbox } from './inbox.ts'
import { Peer } from './peer.ts'
import { Wire } from './wire.ts'

/** How connections are made; plain data that crosses to the thread which sends. */
export interface ConnectionSpec {
  http: 'h1' | 'h2'
  /** False: a connection for every request. */
  keepAlive: boolean
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string | undefined
  /** Accepts any certificate. */
  insecure: boolean
  /** h2: the most streams that kt puts on one connection; the server's own limit holds too. */
  streams: number
  /** h2: the number of connections; without it another one is opened when those before it are full. */
  connections?: number | undefined
}

export const ONE_AT_A_TIME: ConnectionSpec = { http: 'h1', keepAlive: true, insecure: false, streams: 1 }

const KEEP_ALIVE_MS = 10 * 60_000

export class TargetConnection {
  /** How many times the connection was opened. */
  opened = 0
  /** When opening the present connection began and ended; NaN while there is none. */
  connectStartUs = Number.NaN
  connectedUs = Number.NaN
  readonly multiplexed: boolean
  readonly peer: Peer
  readonly #origin: string
  readonly #clock: Clock
  readonly #spec: ConnectionSpec
  readonly #inbox: Inbox
  /** Of `opened`, how many were reported by takeConnectUs(). */
  #openTaken = 0
  /** Each client has a wire of its own: a socket that was abandoned may still connect. */
  #current: { client: Dispatcher; wire: Wire }
  /** What the TLS of the present connection said when it broke. */
  #tlsFault: Error | undefined

  /** All connections of a thread share one inbox, and those to one target what is known of it. */
  constructor(
    origin: string,
    clock: Clock,
    inbox: Inbox,
    spec: ConnectionSpec = ONE_AT_A_TIME,
    peer: Peer = new Peer(origin),
  ) {
    this.#origin = origin
    this.peer = peer
    this.#clock = clock
    this.#inbox = inbox
    this.#spec = spec
    this.multiplexed = spec.http === 'h2'
    this.#current = this.#createClient()
  }

  /** Sends a request. Nothing is written, and no connection is opened for it, before `notBeforeUs`. */
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, notBeforeUs: number): void {
    const { client, wire } = this.#current
    wire.notBeforeUs = notBeforeUs
    if (this.multiplexed) wire.waitUntilDue()
    client.dispatch(options, handler)
  }

  /** When the latest request was ready to be written. */
  readyUs(): number {
    return this.#current.wire.readyUs
  }

  /** When the request written last was handed to the socket. */
  wroteUs(): number {
    return this.multiplexed ? this.#clock() : this.#current.wire.wroteUs
  }

  /** When the bytes that are being read arrived. */
  readUs(): number {
    const { readUs } = this.#current.wire
    return Number.isNaN(readUs) ? this.#clock() : readUs
  }

  /** Whether any byte has come since the latest request was written; over HTTP/1.1. */
  answerBegun(): boolean {
    return this.#current.wire.answerBegun
  }

  /** Why the connection broke: undici forgets an alert of TLS over the end of the connection that follows it. */
  causeOf(error: Error): Error {
    return this.#tlsFault ?? error
  }

  /** How long opening took: once for every opening, to the first request that is sent on it; NaN to all others. */
  takeConnectUs(): number {
    if (this.#openTaken === this.opened) return Number.NaN
    this.#openTaken = this.opened
    return this.connectedUs - this.connectStartUs
  }

  /** Ends the connection at once; requests in flight on it fail with `reason`. The next dispatch opens another one. */
  drop(reason: Error): void {
    const old = this.#current.client
    this.#current = this.#createClient()
    old.destroy(reason)
  }

  close(): Promise<void> {
    return this.#current.client.destroy()
  }

  #createClient(): { client: Dispatcher; wire: Wire } {
    const { http, keepAlive, ca, insecure, streams } = this.#spec
    const h2 = http === 'h2'
    const direct = !h2 && this.#origin.startsWith('http:')
    const wire = new Wire(this.#clock, this.#inbox)
    // undici's timers are off: they are half a second coarse, and deadlines.ts replaces them.
    const connect = buildConnector({
      timeout: 0,
      allowH2: h2,
      preferH2: h2,
      ...(direct ? { onread: wire.onread } : {}),
      ...(ca === undefined ? {} : { ca }),
      ...(insecure ? { rejectUnauthorized: false } : {}),
    })
    const timed: buildConnector.connector = (options, callback) => {
      this.connectStartUs = wire.waitUntilDue()
      this.connectedUs = Number.NaN
      this.#tlsFault = undefined
      connect(options, (...result) => {
        const [error, socket] = result
        if (error !== null) return callback(...result)
        if (h2) {
          const agreed = 'alpnProtocol' in socket ? socket.alpnProtocol : undefined
          // In the clear nothing is negotiated. undici takes this mark as prior knowledge of HTTP/2.
          if (options.protocol === 'http:') Object.assign(socket, { alpnProtocol: 'h2' })
          else if (agreed !== 'h2') {
            socket.destroy()
            return callback(new NoHttp2(), null)
          }
        }
        socket.once('error', (error) => {
          if (isTlsError(error)) this.#tlsFault = error
        })
        if (!h2) wire.attach(socket, direct)
        this.connectedUs = this.#clock()
        this.opened++
        callback(...result)
      })
    }
    const common = {
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: timed,
    }
    if (!h2)
      return { client: new Client(this.#origin, { ...common, allowH2: false, pipelining: keepAlive ? 1 : 0 }), wire }
    if (this.#origin.startsWith('https:')) {
      const h2Options = { maxConcurrentStreams: streams }
      return { client: new Client(this.#origin, { ...common, allowH2: true, h2Options, pipelining: streams }), wire }
    }
    return {
      client: new H2CClient(this.#origin, { ...common, maxConcurrentStreams: streams, pipelining: streams }),
      wire,
    }
  }
}
