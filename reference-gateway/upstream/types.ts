/**
 * The config of the upstream side (providers, limits), a request to a provider, and the interfaces of what carries it.
 */
import type { RawHeaders } from '../http/headers.ts'
import type { ProtocolName } from '../protocols/protocols.ts'
import type { BreakerConfig } from './breaker.ts'

export interface ProviderConfig {
  name: string
  /** Scheme, host and port. */
  origin: string
  /** The path that replaces '/v1': '/v1' for http://host/v1, '' for http://host. */
  basePath: string
  protocol: ProtocolName
  apiKey: string | undefined
  models: readonly string[]
  /** Its share among providers that match a model equally well; undefined: the order of the file decides. */
  weight: number | undefined
}

export interface UpstreamConfig {
  /** auto: by ALPN with TLS, h1 without. */
  httpVersion: 'auto' | 'h1' | 'h2'
  keepAlive: boolean
  /** h1: TCP keep-alive period; h2: time between two PINGs. */
  keepAliveIntervalMs: number
  /** h2: the deadline for the acknowledgement of a PING. */
  keepAliveTimeoutMs: number
  /** h1: requests on one connection at the same time, where no more connections can be opened. */
  pipelining: number
  /** PEM of the certificates to trust; undefined: the system's. */
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
  /** How long a request may wait for a connection. */
  maxWaitMs: number
  /** connection_pool.idle_timeout, or keep_alive.timeout where that is given and smaller. */
  idleTimeoutMs: number
}

export interface UpstreamRequest {
  method: string
  path: string
  headers: string[]
  body: Buffer | null
}

/** Of a request that is on its way. After `pause` its handler hears nothing until `resume`; after `abort` no more. */
export interface UpstreamControl {
  pause(): void
  resume(): void
  abort(): void
}

/** Hears one request: its start, its answer, and either the end or the error. */
export interface UpstreamHandler {
  /** A connection is open, and the request is written next. */
  onRequestStart(control: UpstreamControl): void
  onResponseStart(status: number, headers: RawHeaders): void
  onResponseData(chunk: Buffer): void
  onResponseEnd(trailers: RawHeaders): void
  onResponseError(error: Error): void
}

/** Carries the requests of one connection. */
export interface Transport {
  /** A request can be cancelled without closing its connection. */
  readonly abortsAlone: boolean
  /** It accepts requests at once, whether it is connected or not. */
  readonly queues: boolean
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void
  /** Requests that it accepted and has not written yet. */
  readonly unsent: number
  /** Ends when the requests in flight are complete. */
  close(): Promise<void>
  destroy(): Promise<void>
}

/** What a transport reports. */
export interface TransportEvents {
  /** How many requests the connection carries at the same time from now on; called again when that changes. */
  connected(capacity: number): void
  /** The other side is about to close the connection: it takes no more requests. */
  leaving(): void
  closed(reason: 'idle' | 'upstream' | 'error', error: Error): void
  /** The provider does not speak HTTP/2. */
  speaksH1(): void
}

/** A request's hold on a connection. It ends with one call of `release`, `failed` or `abort`. */
export interface ConnectionLease {
  /** It has served another request before. */
  readonly isReused: boolean
  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void
  /** Call it after a complete response. `closes`: the upstream said that it will close the connection. */
  release(closes: boolean): void
  failed(): void
  abort(control: UpstreamControl | undefined): void
}

/** Opens a transport to one origin. */
export type TransportFactory = (origin: string, events: TransportEvents) => Transport
