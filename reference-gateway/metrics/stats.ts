/** `/stats` of the admin port: each component's P50 and P99 against its budget. */
import { BUDGETS_MS } from './budgets.ts'
import type { Figures } from './recorder.ts'
import type { Spread } from './spread.ts'

export interface ComponentStats {
  count: number
  p50_ms: number
  p99_ms: number
  max_ms: number
  budget_ms?: number
  /** Inconclusive: fewer than ten observations lie beyond the P99. */
  verdict?: 'pass' | 'fail' | 'inconclusive'
}

export interface Stats {
  requests: number
  tokens: { input: number; output: number }
  components: Record<string, ComponentStats>
}

/** As they are printed: the order of the pipeline. */
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

export function statsOf(figures: Figures): Stats {
  const names = [...ORDER, ...[...figures.spreads.keys()].filter((name) => !ORDER.includes(name)).sort()]
  const components: Record<string, ComponentStats> = {}
  for (const name of names) {
    const spread = figures.spreads.get(name)
    if (spread) components[name] = componentOf(spread, BUDGETS_MS[name])
  }
  return {
    requests: figures.spreads.get('latency')?.count ?? 0,
    tokens: figures.tokens,
    components,
  }
}

function componentOf(spread: Spread, budgetMs: number | undefined): ComponentStats {
  const p99Ms = spread.quantileMs(0.99) ?? 0
  const figures = { count: spread.count, p50_ms: spread.quantileMs(0.5) ?? 0, p99_ms: p99Ms, max_ms: spread.maxMs ?? 0 }
  if (budgetMs === undefined) return figures
  const verdict = spread.count < OBSERVATIONS_NEEDED ? 'inconclusive' : p99Ms < budgetMs ? 'pass' : 'fail'
  return { ...figures, budget_ms: budgetMs, verdict }
}
