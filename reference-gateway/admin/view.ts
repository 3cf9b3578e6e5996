/**
 * What the admin port shows: calls every process, and merges their results. Counts add up, those of processes that are
 * gone too; what all processes share (a cache in Redis) is counted once.
 */
import type { ResponseCacheStats } from '../cache/cache.ts'
import type { EventHub } from '../events/hub.ts'
import type { MetricJson } from '../metrics/prometheus.ts'
import type { GatewayTotals } from '../metrics/recorder.ts'
import { buildStats, type OverheadStats } from '../metrics/stats.ts'
import { type Counts, isCounts, sum } from '../workers/counts.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'

type PoolView = Record<string, number | Counts | object[]>

interface EventCounts {
  emitted: number
  dropped: number
  in_flight: number
}

interface StatsView extends OverheadStats {
  workers: number
  /** The policies' own counts; null without policies. */
  policies: Counts | null
  events: (EventCounts & { dropped_by: Record<string, number>; file: string | null; kept: number }) | null
}

export class AdminView {
  readonly #workers: WorkerGroup
  readonly #hub: EventHub | undefined
  /** Undefined without events. */
  readonly #recorded: GatewayTotals | undefined

  constructor(workers: WorkerGroup, hub: EventHub | undefined, recorded: GatewayTotals | undefined) {
    this.#workers = workers
    this.#hub = hub
    this.#recorded = recorded
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
    const { pool = {} } = await this.#counts()
    return { ...sum(results.map(({ value }) => value as Counts)), ...(isCounts(pool) && pool), providers }
  }

  async cache(): Promise<ResponseCacheStats | undefined> {
    const [[first, ...others], { cache = {} }] = await Promise.all([
      this.#call<ResponseCacheStats>('cache.stats'),
      this.#counts(),
    ])
    if (!first) return undefined
    const total: ResponseCacheStats = { ...first }
    for (const { entries, bytes } of total.shared ? [] : others) {
      total.entries = (total.entries ?? 0) + (entries ?? 0)
      total.bytes = (total.bytes ?? 0) + (bytes ?? 0)
    }
    return { ...total, ...(isCounts(cache) && pickNumbers(cache)) }
  }

  /** How many entries were removed; undefined: there is no cache; null: the cache's backend did not answer. */
  async clearCache(model: string | undefined): Promise<number | null | undefined> {
    const cleared = await this.#call<{ cleared: number | null }>('cache.clear', { model: model ?? null })
    if (cleared.length === 0) return undefined
    if (cleared.some((one) => one.cleared === null)) return null
    return cleared.reduce((total, one) => total + (one.cleared ?? 0), 0)
  }

  async stats(): Promise<StatsView> {
    const [recorded, counts, events, processes] = await Promise.all([
      this.#totals(),
      this.#counts(),
      this.#events(),
      this.#workers.call('counts'),
    ])
    const hub = this.#hub
    return {
      workers: processes.length,
      ...buildStats(recorded ?? NOTHING),
      policies: isCounts(counts.policies) ? counts.policies : null,
      events: hub ? { ...events, dropped_by: hub.dropped(), file: hub.file ?? null, kept: hub.recent().length } : null,
    }
  }

  /** prom-client, which renders the metrics, is loaded at the first call. */
  async metrics(): Promise<{ contentType: string; text: string }> {
    const [{ CONTENT_TYPE, renderMetrics }, totals, cache, counts, events, pool, processes] = await Promise.all([
      import('../metrics/prometheus.ts'),
      this.#totals(),
      this.cache(),
      this.#counts(),
      this.#events(),
      this.pool(),
      this.#call<MetricJson[]>('process'),
    ])
    const text = await renderMetrics({
      totals,
      cache,
      events: this.#hub && events,
      droppedBy: { ...this.#hub?.dropped(), ring: events.dropped },
      holds: isCounts(counts.policies) ? pickNumbers(counts.policies) : undefined,
      pool: pickNumbers(pool),
      recycled: pickNumbers(isCounts(pool.recycled) ? pool.recycled : {}),
      processes,
    })
    return { contentType: CONTENT_TYPE, text }
  }

  /** All requests that have ended until now. */
  async #totals(): Promise<GatewayTotals | undefined> {
    await this.#workers.call('events.flush')
    return this.#recorded
  }

  async #counts(): Promise<Counts> {
    return sum([...(await this.#call<Counts>('counts')), this.#workers.endedCounts()])
  }

  async #events(): Promise<EventCounts> {
    const [counts, inFlight] = await Promise.all([this.#counts(), this.#call<number>('events.inFlight')])
    const { emitted = 0, dropped = 0 } = pickNumbers(isCounts(counts.events) ? counts.events : {})
    return { emitted, dropped, in_flight: inFlight.reduce((all, one) => all + one, 0) }
  }

  /** The processes run this program: their hooks decide the type of what a method returns. */
  async #call<T>(method: string, argument?: unknown): Promise<T[]> {
    return (await this.#workers.call(method, argument)).map(({ value }) => value as T)
  }
}

const NOTHING: GatewayTotals = {
  histograms: new Map(),
  requests: new Map(),
  policies: new Map(),
  tokens: { input: 0, output: 0 },
}

function pickNumbers(all: object): Record<string, number> {
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, value]) => (typeof value === 'number' ? [[name, value]] : [])),
  )
}
