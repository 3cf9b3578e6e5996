/**
 * What the provider really did. The truth is one record a nonce and attempt, on the host's monotonic clock, which kt
 * joins with its own record after a run; it is bounded: the oldest records make room, and a nonce is forgotten with its
 * last record. Beside it the counters of GET /__kt/stats: requests, how they ended, and connections.
 */

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { PlayedCounts } from './cassette/player.ts'
import type { Fault } from './faults.ts'

export interface TruthRecord {
  readonly nonce: string
  /** 1 the first time a nonce is seen; above 1 something between kt and the provider retried. */
  readonly attempt: number
  /** The number of the connection that it came on: what lies in front opens one for many requests, or one for each. */
  readonly connection: number
  /** The request's last body byte. */
  readonly receivedUs: number
  /** The instants just before the first and the latest write; null before there was one. */
  firstWriteUs: number | null
  lastWriteUs: number | null
  /** Content tokens written so far. */
  tokens: number
  /** Token-bearing events of a stream written so far. */
  events: number
  /** null until the answer has begun. */
  status: number | null
  readonly stream: boolean
  /** The client left before the answer was whole. */
  aborted: boolean
  /** What went wrong on purpose. */
  fault: Fault | null
  /** The line of the cassette whose answer was played. */
  line?: number
}

const CAPACITY = 200_000
const RECORDS_A_CHUNK = 500

export class TruthLog {
  readonly #capacity: number
  #ring: TruthRecord[] = []
  #next = 0
  #attempts = new Map<string, number>()

  constructor(capacity: number = CAPACITY) {
    this.#capacity = capacity
  }

  begin(nonce: string, connection: number, receivedUs: number, stream: boolean): TruthRecord {
    const attempt = (this.#attempts.get(nonce) ?? 0) + 1
    this.#attempts.set(nonce, attempt)
    const record: TruthRecord = {
      nonce,
      attempt,
      connection,
      receivedUs,
      firstWriteUs: null,
      lastWriteUs: null,
      tokens: 0,
      events: 0,
      status: null,
      stream,
      aborted: false,
      fault: null,
    }
    const oldest = this.#ring[this.#next]
    if (oldest && this.#attempts.get(oldest.nonce) === oldest.attempt) this.#attempts.delete(oldest.nonce)
    this.#ring[this.#next] = record
    this.#next = (this.#next + 1) % this.#capacity
    return record
  }

  /** Oldest first. */
  records(): TruthRecord[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)]
  }

  /** NDJSON in pieces of some hundred records, for a reader that takes its time. */
  *ndjson(): Generator<string> {
    const records = this.records()
    for (let from = 0; from < records.length; from += RECORDS_A_CHUNK) {
      const lines = records.slice(from, from + RECORDS_A_CHUNK).map((record) => JSON.stringify(record))
      yield `${lines.join('\n')}\n`
    }
  }

  clear(): void {
    this.#ring = []
    this.#next = 0
    this.#attempts = new Map()
  }
}

export type HttpVersion = 'http1' | 'http2'

export interface ProviderStats {
  /** Requests under the API's paths, refused ones included. */
  requests: number
  inFlight: number
  connectionsOpened: number
  connectionsOpen: number
  /** The same by protocol. */
  connections: Record<HttpVersion, { opened: number; open: number }>
  /** Requests whose client left before the answer was whole. */
  aborted: number
  /** Requests with a nonce that was seen before. */
  retries: number
  /** Requests that were made to fail, by fault. */
  faults: Partial<Record<Fault, number>>
  /** How the answers of a cassette were chosen. */
  played?: PlayedCounts
}

export function newStats(): ProviderStats {
  return {
    requests: 0,
    inFlight: 0,
    connectionsOpened: 0,
    connectionsOpen: 0,
    connections: { http1: { opened: 0, open: 0 }, http2: { opened: 0, open: 0 } },
    aborted: 0,
    retries: 0,
    faults: {},
  }
}

/** Counts a connection from now until `socket` closes. */
export function countConnection(
  stats: ProviderStats,
  protocol: HttpVersion,
  socket: { once: (event: 'close', listener: () => void) => unknown },
): void {
  const counted = stats.connections[protocol]
  stats.connectionsOpened++
  stats.connectionsOpen++
  counted.opened++
  counted.open++
  socket.once('close', () => {
    stats.connectionsOpen--
    counted.open--
  })
}

/**
 * Numbers the connections that requests come on, from 1, in the order of their first request; forgets those that are
 * gone.
 */
export class ConnectionNumbers {
  readonly #known = new WeakMap<object, number>()
  #count = 0

  of(request: IncomingMessage | Http2ServerRequest): number {
    // Over HTTP/2 each request sees the socket through a proxy of its own; the session is the connection.
    const connection = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket
    const known = this.#known.get(connection)
    if (known !== undefined) return known
    this.#known.set(connection, ++this.#count)
    return this.#count
  }
}
