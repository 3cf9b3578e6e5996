/** What the provider counts, for GET /__kt/stats: requests, how they ended, and connections by protocol. */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Fault } from './faults.ts'

export type Protocol = 'http1' | 'http2'

export interface ProviderStats {
  /** Requests under the API's paths, refused ones included. */
  requests: number
  inFlight: number
  connectionsOpened: number
  connectionsOpen: number
  /** The same by protocol. */
  connections: Record<Protocol, { opened: number; open: number }>
  /** Requests whose client left before the answer was whole. */
  aborted: number
  /** Requests with a nonce that was seen before. */
  retries: number
  /** Requests that were made to fail, by fault. */
  faults: Partial<Record<Fault, number>>
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
  protocol: Protocol,
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

/** Numbers the connections that requests come on, from 1, in the order of their first request; forgets those that are gone. */
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
