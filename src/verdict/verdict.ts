/**
 * The verdict on two runs: the primary question of their mode (the budget, or what a new gateway may lose), thresholds beside or instead
 * of it, all under one error rate. First what forbids any verdict: runs that are not comparable, clocks that lie, nothing answered.
 */

import type { BenchReport, Check, Gate } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { formatShare } from '../units.ts'
import { durationCheck, gateOf, type Judge, judgeAll, undecidedCheck } from './checks.ts'
import { componentJudges } from './components.ts'
import { judgeDelta, sharedDefinition } from './delta.ts'
import { type JudgedBy, overheadJudge } from './judge.ts'
import { type Difference, isSameArm, type Pair, troubleIn } from './pair.ts'
import type { RegressionLimit } from './thresholds.ts'
import { type ThresholdContext, thresholdJudge } from './thresholds.ts'

/**
 * A new gateway against an old one: P99 of what each adds (latency, where the runs do not carry that) may grow by the larger of
 * 0.5 ms and 10 %. From 1 to 6.9 ms is a regression, however far under the budget.
 */

export const MAX_REGRESSION: RegressionLimit = { ms: 0.5, share: 0.1 }

const QUANTILE = 0.99

export function regressionJudge(pair: Pair, limit: RegressionLimit): { judge: Judge; judgedBy: JudgedBy } {
  const definition = sharedDefinition(pair)
  const of = definition ? 'overhead' : 'latency'
  const judge: Judge = (alphaFail) => {
    const { result, limitMs } = judgeDelta(pair, definition ?? 'latency', QUANTILE, limit, alphaFail)
    return durationCheck(`delta.${of}.p99`, '<', limitMs, result)
  }
  const how = pair.paired ? 'by blocks run in turns' : 'of two runs recorded apart'
  return {
    judge,
    judgedBy: {
      definition: pair.paired ? 'paired' : 'quantile-difference',
      source: `P99 of ${definition ? `${definition} overhead` : 'latency'}, new minus old, ${how}`,
      caveat: pair.paired
        ? 'the mood of the machine, which both blocks of a pair met, cancels'
        : "two runs apart do not share the machine's mood: a change of less than about 15 % can hide in it",
      floor: null,
    },
  }
}

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
