/**
 * The gateway as one thing, whether it runs in one process or several: the admin port asks every process about a topic and
 * hears what each of them publishes. Everything that passes is plain JSON.
 */
import type { GatewayConfig } from '../config/config.ts'
import type { Maybe } from '../http/stages.ts'

/** What a process answers: topic -> function of the argument. 'pool' and 'ready' are the gateway's own. */
export type Topics = Record<string, (argument: unknown) => Maybe<unknown>>

export interface ProcessAnswer {
  /** 1, 2, ... */
  worker: number
  answer: unknown
}

/** Where the admin port runs. */
export interface Processes {
  /** Asks every process. One that does not know the topic, or does not answer within a second, is left out. */
  ask(topic: string, argument?: unknown): Promise<ProcessAnswer[]>
  /** Hears what the processes publish under `channel`, until the returned function is called. */
  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void
}

/** In every process. */
export interface Publisher {
  /** Whether anybody listens: what nobody hears need not be made. */
  heard(channel: string): boolean
  publish(channel: string, value: unknown): void
}

/** What a stage is made from. */
export interface StageDependencies {
  config: GatewayConfig
  publisher: Publisher
  /** Where a stage puts what it answers to the admin port. */
  topics: Topics
  /** What goes wrong outside of a request. */
  report: (problem: string) => void
}

export interface GatewayOptions {
  /** Held in every request before the upstream is asked. */
  injectDelayMs?: number
  /** How long `close` waits for what is in flight; in place of the config's. */
  drainMs?: number
  /** Told what goes wrong outside of a request. */
  report?: (problem: string) => void
}

/** All in this process. */
export class OneProcess implements Processes, Publisher {
  readonly #topics: Topics
  readonly #listeners = new Map<string, Set<(value: unknown, worker: number) => void>>()

  constructor(topics: Topics) {
    this.#topics = topics
  }

  async ask(topic: string, argument?: unknown): Promise<ProcessAnswer[]> {
    const answer = this.#topics[topic]
    return answer ? [{ worker: 1, answer: await answer(argument) }] : []
  }

  subscribe(channel: string, listener: (value: unknown, worker: number) => void): () => void {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  heard(channel: string): boolean {
    return (this.#listeners.get(channel)?.size ?? 0) > 0
  }

  publish(channel: string, value: unknown): void {
    for (const listener of this.#listeners.get(channel) ?? []) listener(value, 1)
  }
}

/** What the primary and its workers say to each other. */

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
