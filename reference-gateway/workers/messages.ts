/** What the primary and its workers say to each other. */
import type { GatewayConfig } from '../config/config.ts'

export type ToWorker =
  | { kind: 'start'; config: GatewayConfig; injectDelayMs: number; drainMs: number | undefined; heard: string[] }
  | { kind: 'ask'; id: number; topic: string; argument: unknown }
  | { kind: 'heard'; channel: string; on: boolean }
  | { kind: 'stop' }

export type ToPrimary =
  | { kind: 'ready-to-start' }
  | { kind: 'listening'; url: string; port: number }
  | { kind: 'failed'; message: string; code: string | undefined; port: number | undefined }
  | { kind: 'warm' }
  | { kind: 'stopped' }
  | { kind: 'answer'; id: number; known: boolean; answer: unknown }
  | { kind: 'published'; channel: string; value: unknown }
  | { kind: 'report'; problem: string }

/**
 * A worker's part of the whole: limits of the gateway hold over all its processes. Each gets at least one of each, so that
 * more workers than connections exceed the limit rather than stand still.
 */
export function shareOf(config: GatewayConfig, workers: number): GatewayConfig {
  const part = (total: number): number => Math.max(1, Math.floor(total / workers))
  const { maxTotal, maxIdlePerHost } = config.pool
  const maxIdle = maxIdlePerHost === 0 ? 0 : part(maxIdlePerHost)
  const connections = Math.min(Math.ceil(config.warmup.connections / workers), maxIdle)
  return {
    ...config,
    limits: { ...config.limits, maxInFlight: part(config.limits.maxInFlight) },
    pool: { ...config.pool, maxTotal: part(maxTotal), maxIdlePerHost: maxIdle },
    warmup: { ...config.warmup, connections },
    cache: {
      ...config.cache,
      // In Redis all workers share one.
      ...(config.cache.backend === 'memory' && { max_entries: part(config.cache.max_entries) }),
      max_size: part(config.cache.max_size),
    },
  }
}
