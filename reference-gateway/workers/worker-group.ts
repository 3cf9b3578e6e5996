/**
 * The processes of one gateway, whether it is one process or several: the admin port calls every process (a small RPC)
 * and subscribes to what each of them publishes. Everything that passes between processes is plain JSON.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { Maybe } from '../http/hooks.ts'
import type { Counts } from './counts.ts'

/** Where the admin port runs. */
export interface WorkerGroup {
  /** Calls every process. A process that lacks the method, or does not answer within a second, is left out. */
  call(method: string, argument?: unknown): Promise<RpcResult[]>
  /** Receives what the processes publish under `channel`, until the returned function is called. */
  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void
  /** What the handler `counts` of processes that are gone told last. */
  endedCounts(): Counts
}

/** What a process answers: method -> function of the argument. 'pool' and 'ready' are the gateway's own. */
export type RpcHandlers = Record<string, (argument: unknown) => Maybe<unknown>>

export interface RpcResult {
  /** 1, 2, ... */
  worker: number
  value: unknown
}

/** In every process. */
export interface Publisher {
  /** Whether anybody listens: a value without subscribers need not be made. */
  hasSubscribers(channel: string): boolean
  publish(channel: string, value: unknown): void
}

/** What a hook is made from. */
export interface HookDependencies {
  config: GatewayConfig
  publisher: Publisher
  /** Where a hook puts its answers to the admin port. */
  handlers: RpcHandlers
  /** Where a hook puts its counts, which only grow. */
  counts: Record<string, () => Counts>
  /** Receives problems that no request explains. */
  report: (problem: string) => void
}

export interface GatewayOptions {
  /** Every request waits this long before the gateway asks the provider. */
  injectDelayMs?: number
  /** How long `close` waits for requests in flight; replaces the config's value. */
  drainMs?: number
  /** Receives problems that no request explains. */
  report?: (problem: string) => void
  /** Each process has its code compiled before it says that it is ready (jit-warmup.ts), if the config wants it. */
  jitWarmup?: boolean
}

/** The group of a gateway that runs in this process alone. */
export class SingleProcess implements WorkerGroup, Publisher {
  readonly #handlers: RpcHandlers
  readonly #listeners = new Map<string, Set<(value: unknown, worker: number) => void>>()

  constructor(handlers: RpcHandlers) {
    this.#handlers = handlers
  }

  async call(method: string, argument?: unknown): Promise<RpcResult[]> {
    const handler = this.#handlers[method]
    return handler ? [{ worker: 1, value: await handler(argument) }] : []
  }

  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  endedCounts(): Counts {
    return {}
  }

  hasSubscribers(channel: string): boolean {
    return (this.#listeners.get(channel)?.size ?? 0) > 0
  }

  publish(channel: string, value: unknown): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(value, 1)
  }
}

/** From the primary to a worker. */
export type PrimaryMessage =
  | { kind: 'start'; config: GatewayConfig; options: Omit<GatewayOptions, 'report'>; channels: string[] }
  | { kind: 'call'; id: number; method: string; argument: unknown }
  | { kind: 'subscribe'; channel: string; on: boolean }
  | { kind: 'stop' }

/** From a worker to the primary. */
export type WorkerMessage =
  | { kind: 'ready-to-start' }
  | { kind: 'listening'; url: string; port: number }
  | { kind: 'failed'; message: string; code: string | undefined; port: number | undefined }
  | { kind: 'warm' }
  | { kind: 'stopped' }
  | { kind: 'counts'; counts: Counts }
  | { kind: 'result'; id: number; known: boolean; value: unknown }
  | { kind: 'published'; channel: string; value: unknown }
  | { kind: 'report'; problem: string }

/**
 * A worker's part of the limits, which hold over all processes of the gateway. Every worker gets at least one of each,
 * so that more workers than connections exceed the limit instead of standing still.
 */
export function splitLimits(config: GatewayConfig, workers: number): GatewayConfig {
  const part = (total: number): number => Math.max(1, Math.floor(total / workers))
  const { maxTotal, maxIdlePerHost } = config.pool
  const maxIdle = maxIdlePerHost === 0 ? 0 : part(maxIdlePerHost)
  const connections = Math.min(Math.ceil(config.warmup.connections / workers), maxIdle)
  return {
    ...config,
    limits: {
      ...config.limits,
      maxInFlight: part(config.limits.maxInFlight),
      // One body of the largest size must find room.
      maxBufferedBytes: Math.max(part(config.limits.maxBufferedBytes), config.limits.maxBodyBytes),
    },
    pool: { ...config.pool, maxTotal: part(maxTotal), maxIdlePerHost: maxIdle },
    warmup: { ...config.warmup, connections },
    cache: {
      ...config.cache,
      // All workers share one cache in Redis.
      ...(config.cache.backend === 'memory' && { max_entries: part(config.cache.max_entries) }),
      max_size: part(config.cache.max_size),
    },
  }
}
