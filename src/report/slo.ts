/**
 * A run against the promises of its category: P50 and P99 of latency (and of time to first token) by the rules of the gate, goodput and
 * the burn of the error budget. Failed requests, timeouts among them, miss every target.
 */
import { type Category, categoryOf, tailTargets } from '../slo/category.ts'
import { errorBudget } from '../slo/error-budget.ts'
import type { Threshold } from '../slo/threshold.ts'
import { exceedance } from '../stats/gate.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { gateBlocks, hasValues, reader } from './blocks.ts'
import type { BenchReport, SloResult } from './schema.ts'
import { judgeRun } from './verdict.ts'

/** The category of a run whose requests are all alike; undefined where no rule of the file matches it. */
export function categoryOfRun(report: BenchReport, categories: readonly Category[]): Category | undefined {
  const { inputTokensPerSec } = report.throughput
  const { successful, durationS } = report.totals
  const promptTokens =
    inputTokensPerSec === null || successful === 0 ? null : Math.round((inputTokensPerSec * durationS) / successful)
  return categoryOf({ endpoint: report.target.endpoint, promptTokens, headers: {} }, categories)
}

export function judgeSlo(report: BenchReport, category: Category): SloResult {
  const { latency, ttft, timeoutMs, objective } = category
  const missed = missedOf(report, category)
  const goodput = { text: '', metric: 'goodput', op: '>=', kind: 'figure', of: 'goodput', limit: objective } as const
  const thresholds: Threshold[] = [
    ...within('latency', 0.5, latency.p50Ms),
    ...within('latency', 0.99, latency.p99Ms),
    ...within('ttft', 0.5, ttft.p50Ms),
    ...within('ttft', 0.99, ttft.p99Ms),
    goodput,
  ]
  const { verdict, checks } = judgeRun({ gateway: report, ...(missed ? { missed: missed.blocks } : {}) }, thresholds)
  const sent = missed?.blocks.reduce((total, { n }) => total + n, 0) ?? 0
  const bad = missed?.blocks.reduce((total, { over }) => total + over, 0) ?? 0
  return {
    category: category.name,
    targetsMs: {
      p50: latency.p50Ms ?? null,
      p99: latency.p99Ms ?? null,
      ttftP50: ttft.p50Ms ?? null,
      ttftP99: ttft.p99Ms ?? null,
      timeout: timeoutMs,
    },
    goodput: missed && sent > 0 ? { share: 1 - bad / sent, exact: missed.exact } : null,
    errorBudget: sent > 0 ? errorBudget(sent, bad, objective) : null,
    verdict,
    checks: checks.map((check) =>
      check.metric === 'goodput' && missed && !missed.exact
        ? { ...check, why: `${check.why}; a lower bound: requests over two targets count twice` }
        : check,
    ),
  }
}

function within(of: 'latency' | 'ttft', quantile: number, limitMs: number | undefined): Threshold[] {
  if (limitMs === undefined) return []
  const metric = `${of}.p${quantile * 100}`
  return [{ text: `${metric}<${limitMs}ms`, metric, op: '<', kind: 'quantile', of, quantile, limitUs: limitMs * 1_000 }]
}

/**
 * By block, the requests that were not answered within every target of the tail. Two targets are counted apart, so that a request
 * that missed both counts twice: goodput is then a lower bound. Undefined where a target has no samples.
 */
function missedOf(report: BenchReport, category: Category): { blocks: BlockShare[]; exact: boolean } | undefined {
  const { latencyMs, ttftMs } = tailTargets(category)
  const latency = gateBlocks(report, reader('latency'))
  if (!hasValues(latency)) return undefined
  const ttft = ttftMs === undefined ? [] : gateBlocks(report, reader('ttft'))
  if (ttftMs !== undefined && !hasValues(ttft)) return undefined
  const blocks = latency.map((block, index) => {
    const { n, over } = exceedance(block, latencyMs * 1_000, true)
    const tokenLate = ttftMs === undefined ? 0 : (ttft[index]?.values.countAbove(ttftMs * 1_000) ?? 0)
    return { n, over: Math.min(n, over + tokenLate) }
  })
  return { blocks, exact: ttftMs === undefined }
}
