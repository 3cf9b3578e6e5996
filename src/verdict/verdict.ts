/**
 * The verdict on two runs: the primary question of their mode (the budget, or what a new gateway may lose), thresholds beside or instead
 * of it, all under one error rate. First what forbids any verdict: runs that are not comparable, clocks that lie, nothing answered.
 */

import type { BenchReport, Check, Gate } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { formatShare } from '../units.ts'
import { gateOf, type Judge, judgeAll, undecidedCheck } from './checks.ts'
import { componentJudges } from './components.ts'
import type { Difference } from './differences.ts'
import { type JudgedBy, overheadJudge } from './judge.ts'
import { isSameArm, type Pair } from './pair.ts'
import { regressionJudge } from './regression.ts'
import type { RegressionLimit } from './threshold-flags.ts'
import { type ThresholdContext, thresholdJudge } from './thresholds.ts'
import { troubleIn } from './trouble.ts'

export interface Rules {
  budgetMs: number
  /** What was asked for of the gateway's parts, at P99. */
  componentsMs?: Readonly<Record<string, number>>
  maxRegression: RegressionLimit
  thresholds: readonly Threshold[]
  /** Whether the mode's own question is asked: by default when there are no thresholds. */
  primary: boolean
  /** Compare although what the runs measured differs. */
  allowDifferent: boolean
}

export interface PairVerdict {
  gate: Gate
  judgedBy: JudgedBy | null
}

const MOST_FAILED = 0.01

export function judgePair(pair: Pair, differences: readonly Difference[], rules: Rules): PairVerdict {
  const why = whyIncomparable(pair, differences, rules.allowDifferent)
  const context: ThresholdContext = {
    gateway: pair.gateway,
    pair,
    ...(why === undefined ? {} : { incomparable: why }),
  }
  const judges = rules.thresholds.map((threshold) => thresholdJudge(threshold, context))
  const primary = rules.primary ? primaryOf(pair, rules, why) : undefined
  const parts = why === undefined ? componentJudges(pair.gateway, rules.componentsMs ?? {}) : []
  const gate = judgeAll([...(primary ? [primary.judge] : []), ...parts, ...judges])
  return { gate: heldBack(gate, pair.gateway), judgedBy: primary?.judgedBy ?? null }
}

/** Thresholds over one run. */
export function judgeRun(
  context: ThresholdContext,
  thresholds: readonly Threshold[],
  others: readonly Judge[] = [],
): Gate {
  const judges = thresholds.map((threshold) => thresholdJudge(threshold, context))
  return heldBack(judgeAll([...others, ...judges]), context.gateway)
}

/** A saturated client, or more than 1 % of errors, and nothing passes but a limit on errors themselves. */
export function heldBack(gate: Gate, { client, totals }: BenchReport): Gate {
  const failed = totals.sent === 0 ? 0 : totals.failed / totals.sent
  const but =
    client.verdict === 'saturated'
      ? 'the client was saturated'
      : failed > MOST_FAILED
        ? `${formatShare(failed)} of the requests failed`
        : undefined
  if (but === undefined) return gate
  return gateOf(gate.checks.map((check) => (check.metric === 'errors.rate' ? check : held(check, but))))
}

function held(check: Check, but: string): Check {
  return check.verdict === 'pass' ? { ...check, verdict: 'inconclusive', why: `${check.why}; but ${but}` } : check
}

function primaryOf(pair: Pair, rules: Rules, why: string | undefined): { judge: Judge; judgedBy: JudgedBy | null } {
  const overhead = pair.mode === 'overhead'
  const metric = overhead ? 'overhead.p99' : 'delta.overhead.p99'
  const limit = overhead ? rules.budgetMs : rules.maxRegression.ms
  const undecided = (reason: string) => ({ judge: () => undecidedCheck(metric, '<', limit, reason), judgedBy: null })
  if (why !== undefined) return undecided(why)
  if (!overhead) return regressionJudge(pair, rules.maxRegression)
  const judge = overheadJudge(pair.gateway, pair.baseline, { limitMs: limit, paired: pair.paired })
  return judge ?? undecided('neither file carries a reading of the overhead')
}

function whyIncomparable(
  { baseline, gateway, mode }: Pair,
  differences: readonly Difference[],
  allowDifferent: boolean,
): string | undefined {
  if (baseline.totals.successful === 0) return 'every request of the baseline failed'
  if (gateway.totals.successful === 0) return 'every request through the gateway failed'
  if (isSameArm(baseline, gateway)) return 'both files hold the same run: there is nothing to compare'
  if (mode === 'overhead' && baseline.target.role === 'gateway' && gateway.target.role === 'direct') {
    return 'the files look swapped: give the baseline first, then the gateway'
  }
  const trouble = troubleIn(baseline, gateway)
  if (trouble !== undefined) return trouble
  const forbidding = differences.filter((difference) => difference.forbids).map((difference) => difference.what)
  if (forbidding.length === 0 || allowDifferent) return undefined
  return `not comparable: ${forbidding.join(', ')} of the two runs differ`
}
