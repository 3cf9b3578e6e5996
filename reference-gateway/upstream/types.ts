/** What the upstream side is told (providers, limits), what a request to a provider is, and what carries it. */
import type { Dispatcher } from 'undici'
import type { ProtocolName } from '../protocols/protocols.ts'
import type { BreakerConfig } from './breaker.ts'

export interface ProviderConfig {
  name: string
  /** Scheme, host and port. */
  origin: string
  /** What stands in place of '/v1': '/v1' for http://host/v1, '' for http://host. */
  basePath: string
  protocol: ProtocolName
  apiKey: string | undefined
  models: readonly string[]
  /** Its share among providers that know a model equally well; undefined: the order of the file decides. */
  weight: number | undefined
}

export interface UpstreamConfig {
  httpVersion: 'h1' | 'h2'
  keepAlive: boolean
  /** h1: TCP keep-alive period; h2: between two PINGs. */
  keepAliveIntervalMs: number
  /** h2: until a PING must be acknowledged. */
  keepAliveTimeoutMs: number
  /** h1: requests on one connection at the same time, where no more connections can be opened. */
  pipelining: number
  /** Certificates to trust, PEM; undefined: the system's. */
  ca: string | undefined
  connectTimeoutMs: number
  responseTimeoutMs: number
  bodyIdleTimeoutMs: number
  fallback: boolean
  breaker: BreakerConfig | undefined
}

export interface PoolConfig {
  maxIdlePerHost: number
  maxTotal: number
  maxLifetimeMs: number
  /** The smaller of keep_alive.timeout and connection_pool.idle_timeout. */
  idleTimeoutMs: number
}

export interface UpstreamRequest {
  method: string
  path: string
  headers: string[]
  body: Buffer | null
}

/** What carries requests. */
export interface Transport {
  /** A request can be given up without its connection. */
  readonly abortsAlone: boolean
  /** Connected or not, requests can be handed to it at once. */
  readonly queues: boolean
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void
  /** What was handed to it and not yet written. */
  readonly unsent: number
  /** Ends when what is under way is complete. */
  close(): Promise<void>
  destroy(): Promise<void>
}

/** What a transport has to say. */
export interface TransportEvents {
  /** So many requests at the same time from now on; again when it changes. */
  connected(capacity: number): void
  /** Takes no more requests: the other side is about to close it. */
  leaving(): void
  closed(reason: 'idle' | 'upstream' | 'error', error: Error): void
  /** The provider does not speak HTTP/2. */
  speaksH1(): void
}

/** A request's hold on a connection. Ends with one call of one of the three. */
export interface ConnectionLease {
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void
  /** After a complete answer. `closes`: the upstream said it will close the connection. */
  release(closes: boolean): void
  failed(): void
  abort(controller: Dispatcher.DispatchController | undefined, reason: Error): void
}

/** Opens what carries requests to one origin. */
export type TransportFactory = (origin: string, events: TransportEvents) => Transport
