/**
 * HTTP/1.1 to a provider: an undici Client for each connection. The client connects with its first request, and queues
 * the request meanwhile.
 */

import { buildConnector, Client, type Dispatcher } from 'undici'
import type {
  PoolConfig,
  Transport,
  TransportEvents,
  TransportFactory,
  UpstreamConfig,
  UpstreamRequest,
} from './types.ts'
import { whoClosed } from './who-closed.ts'

/** Subtracted from a server's `keep-alive: timeout=`, so that the gateway closes first. */
const KEEP_ALIVE_MARGIN_MS = 1_000

/** All connections share the connector, and with it TLS sessions. */
export function h1Transports(pool: PoolConfig, upstream: UpstreamConfig): TransportFactory {
  const connect = buildConnector({
    allowH2: false,
    timeout: upstream.connectTimeoutMs,
    keepAlive: upstream.keepAlive,
    keepAliveInitialDelay: upstream.keepAliveIntervalMs,
    ...(upstream.ca && { ca: upstream.ca }),
  })
  const client = (origin: string): Client =>
    new Client(origin, {
      connect,
      // 0: every request announces `connection: close` and gets a connection of its own.
      pipelining: upstream.keepAlive ? upstream.pipelining : 0,
      // undici's default of 4 s would make a new connection necessary after every quiet moment.
      keepAliveTimeout: pool.idleTimeoutMs,
      keepAliveMaxTimeout: pool.idleTimeoutMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      headersTimeout: upstream.responseTimeoutMs,
      bodyTimeout: upstream.bodyIdleTimeoutMs,
    })
  return (origin, events) => new H1Transport(client(origin), upstream.keepAlive ? upstream.pipelining : 1, events)
}

class H1Transport implements Transport {
  readonly abortsAlone = false
  readonly queues = true
  readonly #client: Client
  readonly #pipelined: boolean

  constructor(client: Client, pipelining: number, events: TransportEvents) {
    this.#client = client
    this.#pipelined = pipelining > 1
    client.on('connect', () => events.connected(pipelining))
    client.on('disconnect', (_origin, _targets, error) => {
      events.closed(error.message === 'socket idle timeout' ? 'idle' : whoClosed(error), error)
    })
  }

  get unsent(): number {
    return this.#client.stats.pending
  }

  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    const { method, path, headers, body } = request
    const options: Dispatcher.DispatchOptions = { method: method as Dispatcher.HttpMethod, path, headers, body }
    // Without these options undici holds a request back until the responses before it are complete.
    this.#client.dispatch(this.#pipelined ? { ...options, idempotent: true, blocking: false } : options, handler)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  destroy(): Promise<void> {
    return this.#client.destroy()
  }
}
