/**
 * What a run says of its gateway where nobody asked for a verdict: how much it adds, or how much slower it is than the
 * other one, with intervals.
 */
import { armsApart } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import { ALPHA_FAIL } from '../stats/gate.ts'
import { TOTAL_BUDGET_MS } from '../wire/overhead-components.ts'
import type { Judge } from './checks.ts'
import { type JudgedBy, overheadJudge } from './judge-overhead.ts'
import { toPair } from './pair.ts'
import { MAX_REGRESSION, regressionJudge } from './verdict.ts'

interface Reading {
  valueMs: number
  /** 95 %, by blocks; absent where the run has too few. */
  ci95Ms: readonly [number, number | null] | null
}

export interface Estimate {
  /** Of a gateway over its provider, or of one gateway over another. */
  kind: 'overhead' | 'regression'
  p50?: Reading | undefined
  p99: Reading
  judgedBy: JudgedBy
}

/** Undefined for a run straight at the provider, and where no answer carries a reading. */
export function estimateAdded(report: Run): Estimate | undefined {
  if (report.totals.successful === 0 || report.role === 'direct') return undefined
  const arms = armsApart(report)
  const pair = arms && toPair(arms.baseline, arms.gateway)
  if (pair?.mode === 'regression') {
    const { judge, judgedBy } = regressionJudge(pair, MAX_REGRESSION)
    const p99 = readingOf(judge)
    return p99 && { kind: 'regression', p99, judgedBy }
  }
  const at = (quantile: number) =>
    overheadJudge(report, pair?.baseline, { limitMs: TOTAL_BUDGET_MS, quantile, paired: pair !== undefined })
  const [median, tail] = [at(0.5), at(0.99)]
  const p99 = tail && readingOf(tail.judge)
  return p99 && { kind: 'overhead', p50: median && readingOf(median.judge), p99, judgedBy: tail.judgedBy }
}

function readingOf(judge: Judge): Reading | undefined {
  const { value, ci95 } = judge(ALPHA_FAIL)
  return value === null ? undefined : { valueMs: value, ci95Ms: ci95 }
}
