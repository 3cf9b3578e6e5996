/**
 * Judges runs by the SLO objectives of their categories: P50 and P99 of latency (and of time to first token) by the
 * rules of the gate, goodput, and the burn of the error budget. Failed requests, including timeouts, miss every
 * target. The checks of all categories of a run share one error probability.
 */

import type { CategoryResult, Check, Run, SloResult } from '../report/schema.ts'
import { type Category, errorBudget, findCategory, tailTargets } from '../slo/category.ts'
import type { Threshold } from '../slo/threshold.ts'
import { exceedance } from '../stats/gate-block.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { gateBlocks, hasValues, reader } from './blocks.ts'
import { judgeAll, toGate } from './checks.ts'
import { thresholdJudge } from './thresholds.ts'
import { heldBack } from './verdict.ts'

/** The category of a run whose requests are all alike; undefined where no rule matches it. */
export function categoryOfRun(report: Run, categories: readonly Category[]): Category | undefined {
  const { inputTokensPerSec, requestsPerSec } = report.throughput
  const promptTokens =
    inputTokensPerSec === null || requestsPerSec === 0 ? null : Math.round(inputTokensPerSec / requestsPerSec)
  return findCategory({ endpoint: report.target.endpoint, promptTokens, headers: {} }, categories)
}

/** Judges each run by its own category; the results are in the same order. */
export function judgeSlos(runs: readonly CategoryRun[]): SloResult[] {
  const asked = runs.map((run) => {
    const missed = countMissed(run)
    const context = { gateway: run.report, ...(missed ? { misses: missed.blocks } : {}) }
    return { run, missed, judges: toThresholds(run.category).map((threshold) => thresholdJudge(threshold, context)) }
  })
  const { checks } = judgeAll(asked.flatMap(({ judges }) => judges))
  let taken = 0
  return asked.map(({ run, missed, judges }) => {
    const own = checks.slice(taken, taken + judges.length)
    taken += judges.length
    return toResult(run, missed, own)
  })
}

/** Requests of any of these categories that missed a target, by block: what a threshold on goodput is judged by. */
export function countMissedInAll(runs: readonly CategoryRun[]): BlockShare[] | undefined {
  const byBlock = new Map<number, BlockShare>()
  for (const run of runs) {
    const missed = countMissed(run)
    if (!missed) return undefined
    for (const [position, { index }] of run.report.blocks.entries()) {
      const { n = 0, over = 0 } = missed.blocks[position] ?? {}
      const sum = byBlock.get(index) ?? { n: 0, over: 0 }
      byBlock.set(index, { n: sum.n + n, over: sum.over + over })
    }
  }
  return runs.length === 0 ? undefined : [...byBlock.values()]
}

interface Missed {
  blocks: BlockShare[]
  exact: boolean
}

function toResult({ category, report }: CategoryRun, missed: Missed | undefined, checks: Check[]): SloResult {
  const { latency, ttft, timeoutMs, objective } = category
  const sent = missed?.blocks.reduce((total, { n }) => total + n, 0) ?? 0
  const bad = missed?.blocks.reduce((total, { over }) => total + over, 0) ?? 0
  const bound = '; a lower bound: requests that miss two targets count twice'
  const noted = checks.map((check) => {
    return check.metric === 'goodput' && missed?.exact === false ? { ...check, why: check.why + bound } : check
  })
  return {
    category: category.name,
    requests: report.totals.sent,
    targetsMs: {
      p50: latency.p50Ms ?? null,
      p99: latency.p99Ms ?? null,
      ttftP50: ttft.p50Ms ?? null,
      ttftP99: ttft.p99Ms ?? null,
      timeout: timeoutMs,
    },
    measuredMs: {
      p50: report.latencyMs?.p50 ?? null,
      p99: report.latencyMs?.p99 ?? null,
      ttftP50: report.ttftMs?.p50 ?? null,
      ttftP99: report.ttftMs?.p99 ?? null,
    },
    goodput: missed && sent > 0 ? { share: 1 - bad / sent, exact: missed.exact } : null,
    errorBudget: sent > 0 ? errorBudget(sent, bad, objective) : null,
    ...heldBack(toGate(noted), report),
  }
}

/** The limits of a category. */
export function toThresholds({ latency, ttft, objective }: Category): Threshold[] {
  return [
    ...within('latency', 0.5, latency.p50Ms),
    ...within('latency', 0.99, latency.p99Ms),
    ...within('ttft', 0.5, ttft.p50Ms),
    ...within('ttft', 0.99, ttft.p99Ms),
    { text: '', metric: 'goodput', op: '>=', kind: 'figure', of: 'goodput', limit: objective },
  ]
}

function within(of: 'latency' | 'ttft', quantile: number, limitMs: number | undefined): Threshold[] {
  if (limitMs === undefined) return []
  const metric = `${of}.p${quantile * 100}`
  return [{ text: `${metric}<${limitMs}ms`, metric, op: '<', kind: 'quantile', of, quantile, limitUs: limitMs * 1_000 }]
}

/**
 * The requests that were not answered within every tail target, by block. They are counted by request where the run
 * knew the targets. Otherwise two targets are counted separately, a request that missed both counts twice, and
 * goodput is a lower bound. Undefined where a target has no samples.
 */
function countMissed({ report, category, counted }: CategoryRun): Missed | undefined {
  const { latencyMs, ttftMs } = tailTargets(category)
  const latency = gateBlocks(report, reader('latency'))
  if (!hasValues(latency)) return undefined
  const ttft = ttftMs === undefined ? [] : gateBlocks(report, reader('ttft'))
  if (ttftMs !== undefined && !hasValues(ttft)) return undefined
  if (counted) return { blocks: counted, exact: true }
  const blocks = latency.map((block, index) => {
    const { n, over } = exceedance(block, latencyMs * 1_000, true)
    const tokenLate = ttftMs === undefined ? 0 : (ttft[index]?.values.countAbove(ttftMs * 1_000) ?? 0)
    return { n, over: Math.min(n, over + tokenLate) }
  })
  return { blocks, exact: ttftMs === undefined }
}

/**
 * The requests of one category as a run of their own, so that the rules for a whole run judge them: the report has
 * the category's blocks, outcomes and histograms, and no overhead, series or other arm.
 */
export interface CategoryRun {
  category: Category
  report: Run
  /** Requests that missed a target, by block, where the run counted them by the same targets. */
  counted?: BlockShare[]
}

/** All requests of a run, whatever their categories. */
export function wholeRun(report: Run, category: Category): CategoryRun {
  return { category, report }
}

/** The requests that were classified into this category when they were made; undefined when the run has none. */
export function categoryRun(report: Run, category: Category): CategoryRun | undefined {
  const found = report.categories?.find(({ name }) => name === category.name)
  if (!found) return undefined
  const { latencyMs, ttftMs = null } = tailTargets(category)
  const same = found.targetsMs.latency === latencyMs && found.targetsMs.ttft === ttftMs
  const counted = found.blocks.map(({ sent, within }) => ({ n: sent, over: sent - within }))
  return { category, report: partOf(report, found), ...(same ? { counted } : {}) }
}

/** The number of requests without a category. */
export function uncategorised({ categories = [], totals }: Run): number {
  return totals.sent - categories.reduce((total, { sent }) => total + sent, 0)
}

function partOf(report: Run, { sent, outcomes, latencyMs, ttftMs, blocks }: CategoryResult): Run {
  const { latencyMs: _, ttftMs: __, categories: ___, baseline: ____, ...rest } = report
  const successful = outcomes.OK ?? 0
  return {
    ...rest,
    totals: { ...report.totals, sent, successful, failed: sent - successful, outcomes },
    ...(latencyMs ? { latencyMs } : {}),
    ...(ttftMs ? { ttftMs } : {}),
    overhead: [],
    blocks: blocks.map(({ index, sent: inBlock, outcomes: ended, latency, ttft }) => ({
      index,
      startedAtS: 0,
      sent: inBlock,
      outcomes: ended,
      latency,
      metrics: { ttft },
      overhead: {},
    })),
    series: [],
    gate: null,
  }
}
