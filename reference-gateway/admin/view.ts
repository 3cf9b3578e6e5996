/**
 * What the admin port shows: calls every process, and merges their results. Counts add up; what all processes share (a
 * cache in Redis) is counted once.
 */
import type { ResponseCacheStats } from '../cache/cache.ts'
import type { EventHub } from '../events/hub.ts'
import type { EventCounts } from '../events/observer.ts'
import type { MetricJson } from '../metrics/prometheus.ts'
import { type GatewayTotals, type MetricsSnapshot, mergeSnapshots } from '../metrics/recorder.ts'
import { buildStats, type OverheadStats } from '../metrics/stats.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'

type Numbers = { [name: string]: number | Numbers }
type PoolView = Record<string, number | Numbers | object[]>

interface StatsView extends OverheadStats {
  workers: number
  /** The policies' own counts; null without policies. */
  policies: Numbers | null
  events: (EventCounts & { dropped_by: Record<string, number>; file: string | null; kept: number }) | null
}

export class AdminView {
  readonly #workers: WorkerGroup
  readonly #hub: EventHub | undefined

  constructor(workers: WorkerGroup, hub: EventHub | undefined) {
    this.#workers = workers
    this.#hub = hub
  }

  /** Undefined when every process is ready, else what is missing. */
  async notReady(): Promise<string | undefined> {
    const results = await this.#workers.call('ready')
    if (results.length === 0) return 'no worker results'
    return results.map(({ value }) => value).find((value): value is string => typeof value === 'string')
  }

  /** The connections of all processes, and the state in which each process sees the providers. */
  async pool(): Promise<PoolView> {
    const results = await this.#workers.call('pool')
    const providers = results.flatMap(({ worker, value }) =>
      ((value as { providers?: object[] }).providers ?? []).map((provider) => ({ worker, ...provider })),
    )
    return { ...sum(results.map(({ value }) => value as Numbers)), providers }
  }

  async cache(): Promise<ResponseCacheStats | undefined> {
    const [first, ...others] = await this.#call<ResponseCacheStats>('cache.stats')
    if (!first) return undefined
    const total: ResponseCacheStats = { ...first }
    for (const other of others) {
      for (const count of ['hits', 'coalesced', 'misses', 'bypassed', 'stored', 'evicted', 'errors'] as const) {
        total[count] += other[count]
      }
      if (total.shared) continue
      total.entries = (total.entries ?? 0) + (other.entries ?? 0)
      total.bytes = (total.bytes ?? 0) + (other.bytes ?? 0)
    }
    return total
  }

  /** How many entries were removed; undefined: there is no cache; null: the cache's backend did not answer. */
  async clearCache(model: string | undefined): Promise<number | null | undefined> {
    const cleared = await this.#call<{ cleared: number | null }>('cache.clear', { model: model ?? null })
    if (cleared.length === 0) return undefined
    if (cleared.some((one) => one.cleared === null)) return null
    return cleared.reduce((total, one) => total + (one.cleared ?? 0), 0)
  }

  async stats(): Promise<StatsView> {
    const [snapshots, counts, policies] = await Promise.all([
      this.#snapshots(),
      this.#call<EventCounts>('events'),
      this.#call<Numbers>('policies'),
    ])
    const hub = this.#hub
    return {
      workers: snapshots.length,
      ...buildStats(mergeSnapshots(snapshots)),
      policies: policies.length > 0 ? sum(policies) : null,
      events: hub
        ? { ...eventCounts(counts), dropped_by: hub.dropped(), file: hub.file ?? null, kept: hub.recent().length }
        : null,
    }
  }

  /** prom-client, which renders the metrics, is loaded at the first call. */
  async metrics(): Promise<{ contentType: string; text: string }> {
    const [{ CONTENT_TYPE, renderMetrics }, totals, cache, counts, policies, pool, processes] = await Promise.all([
      import('../metrics/prometheus.ts'),
      this.#totals(),
      this.cache(),
      this.#call<EventCounts>('events'),
      this.#call<Numbers>('policies'),
      this.pool(),
      this.#call<MetricJson[]>('process'),
    ])
    const text = await renderMetrics({
      totals,
      cache,
      events: counts.length > 0 ? eventCounts(counts) : undefined,
      droppedBy: { ...this.#hub?.dropped(), ring: eventCounts(counts).dropped },
      holds: policies.length > 0 ? pickNumbers(sum(policies)) : undefined,
      pool: pickNumbers(pool),
      recycled: pickNumbers(isNumbers(pool.recycled) ? pool.recycled : {}),
      processes,
    })
    return { contentType: CONTENT_TYPE, text }
  }

  #snapshots(): Promise<MetricsSnapshot[]> {
    return this.#call<MetricsSnapshot>('metrics')
  }

  async #totals(): Promise<GatewayTotals | undefined> {
    const snapshots = await this.#snapshots()
    return snapshots.length > 0 ? mergeSnapshots(snapshots) : undefined
  }

  /** The processes run this program: their hooks decide the type of what a method returns. */
  async #call<T>(method: string, argument?: unknown): Promise<T[]> {
    return (await this.#workers.call(method, argument)).map(({ value }) => value as T)
  }
}

function eventCounts(counts: readonly EventCounts[]): EventCounts {
  const total: EventCounts = { emitted: 0, dropped: 0, in_flight: 0 }
  for (const { emitted, dropped, in_flight } of counts) {
    total.emitted += emitted
    total.dropped += dropped
    total.in_flight += in_flight
  }
  return total
}

/** Adds numbers, and objects member by member. Any other value belongs to one process and is left out. */
function sum(all: readonly Numbers[]): Numbers {
  const total: Numbers = {}
  for (const one of all) {
    for (const [name, value] of Object.entries(one)) {
      const before = total[name]
      if (typeof value === 'number') total[name] = value + (typeof before === 'number' ? before : 0)
      else if (isNumbers(value)) total[name] = sum([isNumbers(before) ? before : {}, value])
    }
  }
  return total
}

function isNumbers(value: unknown): value is Numbers {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function pickNumbers(all: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  )
}
