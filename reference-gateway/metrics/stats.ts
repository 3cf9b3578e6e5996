/** `/stats` of the admin port: each component's P50 and P99 against its budget. */
import { budgetLimitMs, OVERHEAD_COMPONENTS, TOTAL_BUDGET_MS } from '../../src/wire/overhead-components.ts'
import type { LatencyHistogram } from './latency-histogram.ts'
import { EMISSION, type GatewayTotals } from './recorder.ts'

/**
 * The limit of each component at P99. Emission is asynchronous, so the time that a request spends on queueing its event
 * must not be visible either: it has the limit of the time that events take on the way.
 */
const LIMITS_MS: Readonly<Record<string, number>> = {
  ...Object.fromEntries(
    OVERHEAD_COMPONENTS.flatMap(({ name, field, budgetMs }) => {
      if (budgetMs === null) return []
      const limitMs = budgetLimitMs(budgetMs)
      return name === 'event_emission'
        ? [
            [field, limitMs],
            [EMISSION, limitMs],
          ]
        : [[field, limitMs]]
    }),
  ),
  total: TOTAL_BUDGET_MS,
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
const ORDER = OVERHEAD_COMPONENTS.flatMap(({ name, field }) => (name === 'hold' ? [EMISSION, 'total', field] : [field]))

const OBSERVATIONS_NEEDED = 1_000

export function buildStats(totals: GatewayTotals): OverheadStats {
  const names = [...ORDER, ...[...totals.histograms.keys()].filter((name) => !ORDER.includes(name)).sort()]
  const components: Record<string, ComponentStats> = {}
  for (const name of names) {
    const histogram = totals.histograms.get(name)
    if (histogram) components[name] = componentStats(histogram, LIMITS_MS[name])
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
