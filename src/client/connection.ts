/**
 * One connection to the target. HTTP/1.1 carries one request at a time (http1/). HTTP/2 (http2-connection.ts) carries
 * as many streams as both sides allow; further requests wait before they count as sent. Opening is timed apart
 * (`connect` comes before `sent`). Idle connections are kept as long as the server keeps them.
 */
import type { Clock } from '../system/clock.ts'
import type { AnswerHandler, OutgoingRequest } from './answer-handler.ts'
import type { Peer } from './peer.ts'
import type { Route } from './route.ts'

/** How connections are made; plain data that crosses to the thread which sends. */
export interface ConnectionSpec {
  http: 'h1' | 'h2'
  /** False: a connection for every request. */
  keepAlive: boolean
  /** Certificates to trust instead of the system's, PEM. */
  ca?: string | undefined
  /** Accepts any certificate. */
  insecure: boolean
  /** The client's own certificate and its key, PEM. */
  cert?: string | undefined
  key?: string | undefined
  /** How targets are reached that are not reached by name and port. */
  routes?: readonly Route[] | undefined
  /** h2: the most streams that kt puts on one connection; the server's own limit holds too. */
  streams: number
  /** h2: the number of connections; without it another one is opened when those before it are full. */
  connections?: number | undefined
}

export const ONE_AT_A_TIME: ConnectionSpec = { http: 'h1', keepAlive: true, insecure: false, streams: 1 }

export abstract class TargetConnection {
  /** How many times the connection was opened. */
  opened = 0
  /** When opening the present connection began and ended; NaN while there is none. */
  connectStartUs = Number.NaN
  connectedUs = Number.NaN
  /** When the latest request was ready to be written; NaN before there was one. */
  readyUs = Number.NaN
  /** When the request written last was handed to the socket; over HTTP/1.1. */
  wroteUs = Number.NaN
  abstract readonly multiplexed: boolean
  readonly peer: Peer
  protected readonly clock: Clock
  /** The latest request must not be written, and no connection opened for it, before this time. */
  protected notBeforeUs = Number.NEGATIVE_INFINITY
  /** Of `opened`, how many were reported by takeConnectUs(). */
  #openTaken = 0

  constructor(clock: Clock, peer: Peer) {
    this.clock = clock
    this.peer = peer
  }

  /** Sends a request. Nothing is written, and no connection is opened for it, before `notBeforeUs`. */
  abstract dispatch(request: OutgoingRequest, handler: AnswerHandler, notBeforeUs: number): void

  /** When the bytes that are being read arrived. */
  abstract readUs(): number

  /** Whether any byte has come since the latest request was written; over HTTP/1.1. */
  abstract readonly answerBegun: boolean

  /** Why the connection broke, where it knows better than `error`. */
  causeOf(error: Error): Error {
    return error
  }

  /** Ends the connection at once; requests in flight on it fail with `reason`. The next dispatch opens another one. */
  abstract drop(reason: Error): void

  abstract close(): Promise<void>

  /** How long opening took: once for every opening, to the first request that is sent on it; NaN to all others. */
  takeConnectUs(): number {
    if (this.#openTaken === this.opened) return Number.NaN
    this.#openTaken = this.opened
    return this.connectedUs - this.connectStartUs
  }

  /**
   * The latest request is ready: waits until it is due, and returns the time. Only some microseconds are left by then,
   * for which no timer is exact enough, so it spins.
   */
  protected waitUntilDue(): number {
    this.readyUs = this.clock()
    let nowUs = this.readyUs
    while (nowUs < this.notBeforeUs) {
      idle()
      nowUs = this.clock()
    }
    return nowUs
  }
}

let idled = 0

/** Some tenths of a microsecond. Each reading of the clock is garbage, and its collection would hold up a request. */
function idle(): void {
  for (let i = 0; i < 256; i++) idled = (idled + i) | 0
}
