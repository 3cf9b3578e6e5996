/** One connection to a provider: an undici Client that speaks HTTP/1.1, without pipelining. */
import { buildConnector, Client } from 'undici'
import type { PoolConfig, UpstreamConfig } from './config.ts'

/** Subtracted from a server's `keep-alive: timeout=`, so that the gateway closes first. */
const KEEP_ALIVE_MARGIN_MS = 1_000

/** Opens nothing yet: a Client connects with its first request. The connector, and with it TLS sessions, is shared. */
export function clientFactory(pool: PoolConfig, upstream: UpstreamConfig): (origin: string) => Client {
  const connect = buildConnector({
    allowH2: false,
    timeout: upstream.connectTimeoutMs,
    keepAlive: upstream.keepAlive,
    keepAliveInitialDelay: upstream.tcpKeepAliveMs,
  })
  return (origin) =>
    new Client(origin, {
      connect,
      // 0: every request announces `connection: close` and gets a connection of its own.
      pipelining: upstream.keepAlive ? 1 : 0,
      // undici's default of 4 s would reconnect in every quiet moment.
      keepAliveTimeout: pool.idleTimeoutMs,
      keepAliveMaxTimeout: pool.idleTimeoutMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      headersTimeout: upstream.responseTimeoutMs,
      bodyTimeout: upstream.bodyIdleTimeoutMs,
    })
}
