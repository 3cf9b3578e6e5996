/**
 * The gate of a single bench, by the best reading the run carries: P99 overhead against the budget; where the second arm is a gateway
 * too, how much worse than it the first one is; and the thresholds that were asked for. A run straight at the provider has no overhead.
 */

import type { BenchReport, Gate } from '../report/schema.ts'
import { splitReport } from '../report/split.ts'
import type { Threshold } from '../slo/threshold.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { readBudgets } from '../verdict/budgets.ts'
import { type Judge, undecidedCheck } from '../verdict/checks.ts'
import { componentJudges } from '../verdict/components.ts'
import { overheadJudge } from '../verdict/judge.ts'
import { type Pair, pairOf } from '../verdict/pair.ts'
import { MAX_REGRESSION, regressionJudge } from '../verdict/regression.ts'
import type { RegressionLimit } from '../verdict/threshold-flags.ts'
import { judgeRun } from '../verdict/verdict.ts'

export interface BenchQuestion {
  /** The budget that was asked for. */
  budgetMs: number | undefined
  /** What was asked for of the gateway's parts, at P99. */
  componentsMs?: Readonly<Record<string, number>>
  /** What was asked for of a new gateway against an old one. */
  maxRegression: RegressionLimit | undefined
  thresholds: readonly Threshold[]
  /** Requests that missed a target of their category, by block; undefined where no SLO was asked for. */
  missed?: readonly BlockShare[] | undefined
}

/** Where nothing was asked for, the standard question of the run's mode is shown, if there is a reading. */
export function judgeBench(report: BenchReport, question: BenchQuestion): Gate | null {
  const { budgetMs, componentsMs = {}, maxRegression, thresholds, missed } = question
  const arms = splitReport(report)
  const pair = arms && pairOf(arms.baseline, arms.gateway)
  const context = { gateway: report, ...(missed ? { missed } : {}), ...(pair ? { pair } : {}) }
  const asked = [
    budgetMs === undefined ? [] : budgetJudge(report, pair, budgetMs),
    componentJudges(report, componentsMs),
    maxRegression === undefined ? [] : lossJudge(report, pair, maxRegression),
  ].flat()
  const shown = asked.length + thresholds.length > 0 ? [] : standardJudge(report, pair)
  if (asked.length + thresholds.length + shown.length === 0) return null
  return judgeRun(context, thresholds, [...asked, ...shown])
}

function standardJudge(report: BenchReport, pair: Pair | undefined): Judge[] {
  if (report.totals.successful === 0 || report.target.role === 'direct') return []
  if (pair?.mode === 'regression') return [lossJudge(report, pair, MAX_REGRESSION)]
  return overheadOf(report, pair, readBudgets().totalMs)
}

function overheadOf(report: BenchReport, pair: Pair | undefined, limitMs: number): Judge[] {
  // A difference to an old gateway is no overhead.
  const direct = pair?.mode === 'overhead' ? pair.baseline : undefined
  const found = overheadJudge(report, direct, { limitMs, paired: direct !== undefined })
  return found ? [found.judge] : []
}

function budgetJudge(report: BenchReport, pair: Pair | undefined, limitMs: number): Judge {
  const unknown = (why: string) => () => undecidedCheck('overhead.p99', '<', limitMs, why)
  if (report.totals.successful === 0) return unknown('every request failed')
  if (report.target.role === 'direct') return unknown('the target is the provider itself, no gateway')
  const [judge] = overheadOf(report, pair, limitMs)
  return judge ?? unknown('no request carries a reading of the overhead')
}

function lossJudge(report: BenchReport, pair: Pair | undefined, limit: RegressionLimit): Judge {
  const unknown = (why: string) => () => undecidedCheck('delta.overhead.p99', '<', limit.ms, why)
  if (!pair) return unknown('it takes a baseline: --baseline-url')
  if (report.totals.successful === 0 || pair.baseline.totals.successful === 0) return unknown('every request failed')
  return regressionJudge(pair, limit).judge
}
