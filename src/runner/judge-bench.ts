/**
 * The gate of a single bench: P99 overhead against the budget, and the thresholds that were asked for, by the best reading the run
 * carries. A run straight at the provider has no overhead; a run with two arms is judged as a pair.
 */
import { readBudgets } from '../report/budgets.ts'
import { undecidedCheck } from '../report/checks.ts'
import { overheadJudge } from '../report/judge.ts'
import { pairOf } from '../report/pair.ts'
import type { BenchReport, Gate } from '../report/schema.ts'
import { splitReport } from '../report/split.ts'
import { judgeRun } from '../report/verdict.ts'
import type { Threshold } from '../slo/threshold.ts'

export interface BenchQuestion {
  /** The budget that was asked for; without one the standard budget is shown, where there is a reading. */
  budgetMs: number | undefined
  thresholds: readonly Threshold[]
}

export function judgeBench(report: BenchReport, { budgetMs, thresholds }: BenchQuestion): Gate | null {
  const dead = report.totals.successful === 0
  const arms = splitReport(report)
  const limitMs = budgetMs ?? readBudgets().totalMs
  const direct = report.target.role === 'direct'
  const overhead =
    dead || direct ? undefined : overheadJudge(report, arms?.baseline, { limitMs, paired: arms !== undefined })?.judge
  const why = dead
    ? 'every request failed'
    : direct
      ? 'the target is the provider itself, no gateway'
      : 'no request carries a reading of the overhead'
  const unknown = () => undecidedCheck('overhead.p99', '<', limitMs, why)
  // Thresholds take the place of the standard budget; a budget that was asked for stands beside them.
  const primary = budgetMs !== undefined ? (overhead ?? unknown) : thresholds.length === 0 ? overhead : undefined
  if (!primary && thresholds.length === 0) return null
  const context = { gateway: report, ...(arms ? { pair: pairOf(arms.baseline, arms.gateway) } : {}) }
  return judgeRun(context, thresholds, primary ? [primary] : [])
}
