/**
 * `/metrics` in Prometheus's text format. The gateway's own metrics are made from snapshots of all processes when
 * somebody asks for them, so that running requests spend nothing on labels. The metrics of Node and of the process are
 * prom-client's defaults, which prom-client adds up over all processes.
 */
import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { printableValues } from '../../src/system/printable.ts'
import type { ResponseCacheStats } from '../cache/cache.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import type { GatewayTotals } from './recorder.ts'

export const CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

/** The form that prom-client's registries return and take. */
export interface MetricJson {
  name: string
  help: string
  type: string
  values: { value: number; labels: Record<string, string | number>; metricName?: string }[]
  aggregator: string
}

interface MetricsSources {
  totals: GatewayTotals | undefined
  cache: ResponseCacheStats | undefined
  events: { emitted: number; in_flight: number } | undefined
  /** Events dropped on the way to each reader. */
  droppedBy: Record<string, number>
  /** Undefined without policies. */
  holds: Record<string, number> | undefined
  pool: Record<string, number>
  recycled: Record<string, number>
  processes: MetricJson[][]
}

const LATENCY_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300]
const COMPONENT_S = [
  0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.007, 0.01, 0.025, 0.05, 0.1, 0.5, 1,
]
/** Histograms of the request itself. All other histograms are components of the overhead. */
const WHOLE: Record<string, string> = {
  latency: 'From the full arrival of a request to the end of its answer.',
  ttft: 'From the full arrival of a request to its first token.',
  upstream: 'Waiting for the provider.',
}

/** The default metrics of this process; read them with `getMetricsAsJSON`. */
export function processMetrics(): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return registry
}

export function renderMetrics(measured: MetricsSources): Promise<string> {
  const own = [
    ...figureMetrics(measured.totals),
    ...cacheMetrics(measured.cache),
    ...eventMetrics(measured),
    ...holdMetrics(measured),
    ...poolMetrics(measured),
  ]
  // prom-client types what its registries return as `object`; MetricJson describes it.
  return AggregatorRegistry.aggregate([...measured.processes, own]).metrics()
}

function figureMetrics(totals: GatewayTotals | undefined): MetricJson[] {
  if (!totals) return []
  const metrics = [
    metric(
      'kt_requests_total',
      'counter',
      'Requests under /v1 that have ended.',
      [...totals.requests].map(([text, value]) => {
        const [provider, model, status, stream, cache] = JSON.parse(text)
        return { value, labels: { provider, model, status: String(status), stream: String(stream), cache } }
      }),
    ),
    metric('kt_tokens_total', 'counter', 'Tokens as the providers billed them.', [
      { value: totals.tokens.input, labels: { direction: 'input' } },
      { value: totals.tokens.output, labels: { direction: 'output' } },
    ]),
    metric(
      'kt_policy_actions_total',
      'counter',
      'What policies did.',
      [...totals.policies].map(([text, value]) => {
        const [policy, action] = JSON.parse(text)
        return { value, labels: { policy, action } }
      }),
    ),
  ]
  const components: MetricJson['values'] = []
  for (const [name, histogram] of totals.histograms) {
    const help = WHOLE[name]
    if (help === undefined)
      components.push(...histogramSamples('kt_overhead_seconds', histogram, COMPONENT_S, { component: name }))
    else
      metrics.push(
        metric(
          `kt_${name}_seconds`,
          'histogram',
          help,
          histogramSamples(`kt_${name}_seconds`, histogram, LATENCY_S, {}),
        ),
      )
  }
  if (components.length > 0) {
    metrics.push(
      metric('kt_overhead_seconds', 'histogram', "The gateway's own time in a request, by component.", components),
    )
  }
  return metrics
}

function cacheMetrics(cache: MetricsSources['cache']): MetricJson[] {
  if (!cache) return []
  const results = { hit: cache.hits, miss: cache.misses, bypass: cache.bypassed }
  return [
    metric('kt_cache_requests_total', 'counter', 'Requests by what the cache did.', labelled('result', results)),
    metric('kt_cache_coalesced_total', 'counter', "Hits that waited for another request's answer.", [
      { value: cache.coalesced, labels: {} },
    ]),
    metric('kt_cache_errors_total', 'counter', 'Failed operations of the backend.', [
      { value: cache.errors, labels: {} },
    ]),
    metric('kt_cache_evicted_total', 'counter', 'Entries dropped to make room.', [
      { value: cache.evicted, labels: {} },
    ]),
    ...(cache.entries === null
      ? []
      : [metric('kt_cache_entries', 'gauge', 'Entries.', [{ value: cache.entries, labels: {} }])]),
  ]
}

function eventMetrics({ events, droppedBy }: MetricsSources): MetricJson[] {
  if (!events) return []
  return [
    metric('kt_events_total', 'counter', 'Events emitted.', [{ value: events.emitted, labels: {} }]),
    metric(
      'kt_events_dropped_total',
      'counter',
      'Events that a reader lost because it was behind.',
      labelled('reader', droppedBy),
    ),
    metric('kt_in_flight', 'gauge', 'Requests under way.', [{ value: events.in_flight, labels: {} }]),
  ]
}

function holdMetrics({ holds }: MetricsSources): MetricJson[] {
  if (!holds) return []
  const { hold_overrun = 0, released_undecided = 0 } = holds
  return [
    metric(
      'kt_hold_overrun_total',
      'counter',
      'Events of streams that were held for longer than streaming.flush_interval.',
      [{ value: hold_overrun, labels: {} }],
    ),
    metric('kt_released_undecided_total', 'counter', 'Events of streams that left before their text was judged.', [
      { value: released_undecided, labels: {} },
    ]),
  ]
}

function poolMetrics({ pool, recycled }: MetricsSources): MetricJson[] {
  const { opened = 0, waited = 0, ...states } = pool
  return [
    metric(
      'kt_pool_connections',
      'gauge',
      'Upstream connections, and requests that wait for one.',
      labelled('state', states),
    ),
    metric('kt_pool_opened_total', 'counter', 'Upstream connections opened.', [{ value: opened, labels: {} }]),
    metric('kt_pool_waited_total', 'counter', 'Requests that waited for a connection.', [
      { value: waited, labels: {} },
    ]),
    metric(
      'kt_pool_recycled_total',
      'counter',
      'Upstream connections closed, by reason.',
      labelled('reason', recycled),
    ),
  ]
}

function metric(
  name: string,
  type: 'counter' | 'gauge' | 'histogram',
  help: string,
  values: MetricJson['values'],
): MetricJson {
  // Names come from clients, and a label ends up in a log or on a screen: prom-client escapes the end of a line only.
  return { name, help, type, values: printableValues(values), aggregator: 'sum' }
}

function labelled(label: string, values: Record<string, number>): MetricJson['values'] {
  return Object.entries(values).map(([name, value]) => ({ value, labels: { [label]: name } }))
}

function histogramSamples(
  name: string,
  histogram: LatencyHistogram,
  boundsS: readonly number[],
  labels: Record<string, string>,
): MetricJson['values'] {
  const counts = histogram.countsUpTo(boundsS.map((bound) => bound * 1_000))
  return [
    ...counts.map((value, i) => ({ value, labels: { ...labels, le: boundsS[i] ?? 0 }, metricName: `${name}_bucket` })),
    { value: histogram.count, labels: { ...labels, le: '+Inf' }, metricName: `${name}_bucket` },
    { value: histogram.sumMs / 1_000, labels, metricName: `${name}_sum` },
    { value: histogram.count, labels, metricName: `${name}_count` },
  ]
}
