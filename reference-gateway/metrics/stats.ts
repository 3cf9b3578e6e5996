/** `/stats` of the admin port: each component's P50 and P99 against its budget. */
import type { LatencyHistogram } from './latency-histogram.ts'
import type { GatewayTotals } from './recorder.ts'

/**
 * The budget of each component at P99, in milliseconds ("Performance Engineering the AI Gateway", Gateway Overhead
 * Budget). Emission is asynchronous, so the time that a request spends on queueing its event must not be visible: the
 * budget is what the total is rounded to.
 */
const BUDGETS_MS: Readonly<Record<string, number>> = {
  input_policy: 2,
  routing: 0.5,
  acquire: 1,
  output_policy: 3,
  events: 0.05,
  event_emission: 0.05,
  total: 7,
}

interface ComponentStats {
  count: number
  p50_ms: number
  p99_ms: number
  max_ms: number
  budget_ms?: number
  /** Inconclusive: fewer than ten observations lie beyond the P99. */
  verdict?: 'pass' | 'fail' | 'inconclusive'
}

export interface OverheadStats {
  requests: number
  tokens: { input: number; output: number }
  components: Record<string, ComponentStats>
}

/** The order of the pipeline, in which components are printed. */
const ORDER = [
  'input_policy',
  'routing',
  'cache',
  'inject',
  'acquire',
  'output_policy',
  'events',
  'event_emission',
  'total',
  'hold',
]

const OBSERVATIONS_NEEDED = 1_000

export function buildStats(totals: GatewayTotals): OverheadStats {
  const names = [...ORDER, ...[...totals.histograms.keys()].filter((name) => !ORDER.includes(name)).sort()]
  const components: Record<string, ComponentStats> = {}
  for (const name of names) {
    const histogram = totals.histograms.get(name)
    if (histogram) components[name] = componentStats(histogram, BUDGETS_MS[name])
  }
  return {
    requests: totals.histograms.get('latency')?.count ?? 0,
    tokens: totals.tokens,
    components,
  }
}

function componentStats(histogram: LatencyHistogram, budgetMs: number | undefined): ComponentStats {
  const p99Ms = histogram.quantileMs(0.99) ?? 0
  const figures = {
    count: histogram.count,
    p50_ms: histogram.quantileMs(0.5) ?? 0,
    p99_ms: p99Ms,
    max_ms: histogram.maxMs ?? 0,
  }
  if (budgetMs === undefined) return figures
  const verdict = histogram.count < OBSERVATIONS_NEEDED ? 'inconclusive' : p99Ms < budgetMs ? 'pass' : 'fail'
  return { ...figures, budget_ms: budgetMs, verdict }
}
