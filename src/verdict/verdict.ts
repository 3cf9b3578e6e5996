/**
 * The verdict on two runs: the primary question of their mode (the budget, or the regression limit), and thresholds
 * beside or instead of it, all under one error probability. Runs that are not comparable, clocks that disagree and
 * runs without an answer get no verdict.
 */

import type { Check, Gate, Run } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { formatNumber, formatShare } from '../units.ts'
import { durationCheck, type Judge, judgeAll, toGate, undecidedCheck } from './checks.ts'
import { componentJudges } from './components.ts'
import { judgeDelta, sharedDefinition } from './delta.ts'
import { endpointsForbid } from './endpoints.ts'
import { type JudgedBy, overheadJudge } from './judge-overhead.ts'
import { type StreamLimits, streamJudges } from './judge-stream.ts'
import { type Difference, findTrouble, isSameArm, type Pair } from './pair.ts'
import { rateNotReached } from './rate.ts'
import { stillRising } from './steadiness.ts'
import type { RegressionLimit } from './thresholds.ts'
import { type ThresholdContext, thresholdJudge } from './thresholds.ts'

export interface Rules {
  budgetMs: number
  /** The budgets that were asked for, by part of the gateway, at P99. */
  componentsMs?: Readonly<Record<string, number>>
  /** The limits of streams that were asked for. */
  streams?: StreamLimits
  maxRegression: RegressionLimit
  thresholds: readonly Threshold[]
  /** Whether the primary question of the mode is judged: by default when there are no thresholds. */
  primary: boolean
  /** Compare even if the runs measured different things. */
  allowDifferent: boolean
}

interface PairVerdict {
  gate: Gate
  judgedBy: JudgedBy | null
}

const MOST_FAILED = 0.01

export function judgePair(pair: Pair, differences: readonly Difference[], rules: Rules): PairVerdict {
  const why = whyIncomparable(pair, differences, rules.allowDifferent)
  const context: ThresholdContext = {
    gateway: pair.gateway,
    pair,
    allowDifferent: rules.allowDifferent,
    ...(why === undefined ? {} : { incomparable: why }),
  }
  const judges = rules.thresholds.map((threshold) => thresholdJudge(threshold, context))
  const primary = rules.primary ? primaryOf(pair, rules, why) : undefined
  const parts = why === undefined ? componentJudges(pair.gateway, rules.componentsMs ?? {}) : []
  const asked = why === undefined && pair.mode === 'overhead' ? rules.streams : undefined
  const streams = asked ? streamJudges(pair.gateway, pair.paired ? pair.baseline : undefined, asked) : []
  const gate = judgeAll([...(primary ? [primary.judge] : []), ...streams, ...parts, ...judges])
  return { gate: heldBack(gate, pair.gateway), judgedBy: primary?.judgedBy ?? null }
}

/**
 * The default limit of a regression: P99 of the overhead (of latency, where the runs carry no overhead) may grow by
 * the larger of 0.5 ms and 10 %. From 1 to 6.9 ms is a regression, even far under the budget.
 */
export const MAX_REGRESSION: RegressionLimit = { ms: 0.5, share: 0.1 }

const QUANTILE = 0.99

/** How a new gateway is judged against an old one. */
export function regressionJudge(pair: Pair, limit: RegressionLimit): { judge: Judge; judgedBy: JudgedBy } {
  const definition = sharedDefinition(pair)
  const of = definition ? 'overhead' : 'latency'
  const judge: Judge = (alphaFail) => {
    const { result, limitMs } = judgeDelta(pair, definition ?? 'latency', QUANTILE, limit, alphaFail)
    return durationCheck(`delta.${of}.p99`, '<', limitMs, result)
  }
  const how = pair.paired ? 'by pairs of blocks' : 'of two separate runs'
  return {
    judge,
    judgedBy: {
      definition: pair.paired ? 'paired' : 'quantile-difference',
      source: `P99 of ${definition ? `${definition} overhead` : 'latency'}, new minus old, ${how}`,
      caveat: pair.paired
        ? 'both blocks of a pair meet the same state of the machine, which cancels'
        : 'separate runs do not meet the same state of the machine: a change of less than about 15 % can hide ' +
          'in the drift',
      floor: null,
    },
  }
}

/** What is asked of a run: thresholds, beside other checks. */
interface AskedOfRun {
  context: ThresholdContext
  thresholds: readonly Threshold[]
  others: readonly Judge[]
}

/** Judges runs under one error probability; each check names its arm, where there are several. */
export function judgeRuns(asked: readonly AskedOfRun[]): Gate {
  const judges = asked.map(({ context, thresholds, others }) => {
    return [...others, ...thresholds.map((threshold) => thresholdJudge(threshold, context))]
  })
  const { checks } = judgeAll(judges.flat())
  let from = 0
  return toGate(
    asked.flatMap(({ context: { gateway } }, index) => {
      const to = from + (judges[index]?.length ?? 0)
      const own = heldBack(toGate(checks.slice(from, to)), gateway).checks
      from = to
      return asked.length === 1 ? own : own.map((check) => ({ arm: gateway.name, ...check }))
    }),
  )
}

/**
 * With a saturated client, more than 1 % of errors, or at less than the rate that was asked for nothing passes, except
 * a limit on errors themselves, and a rate that was reached all the same. Where latencies were still rising at the end,
 * no latency passes: a longer run would have higher ones. An overhead does, whose blocks hold such a drift.
 */
export function heldBack(gate: Gate, run: Run): Gate {
  const rising = stillRising(run)
  const waits = ({ metric }: Check): boolean => metric === 'goodput' || WAITS.has(metric.split('.')[0] ?? '')
  const held =
    rising === undefined ? gate : toGate(gate.checks.map((one) => (waits(one) ? withhold(one, rising) : one)))
  return heldByDrop(heldByClient(held, run), run)
}

/** Nobody knows what an arm would have come to that was dead before the run was over. */
function heldByDrop(gate: Gate, { dropped }: Run): Gate {
  if (!dropped) return gate
  const but = `it was dropped after ${formatNumber(dropped.atS, 1)} s: ${dropped.why}`
  return toGate(gate.checks.map((check) => withhold(check, but)))
}

const WAITS = new Set(['latency', 'ttfb', 'ttft'])

function heldByClient(gate: Gate, { client, totals }: Run): Gate {
  const failed = totals.sent === 0 ? 0 : totals.failed / totals.sent
  const slow = rateNotReached(client)
  const but =
    client.verdict === 'saturated'
      ? 'the client was saturated'
      : failed > MOST_FAILED
        ? `${formatShare(failed)} of the requests failed`
        : slow
  if (but === undefined) return gate
  const passes = ({ metric }: Check): boolean =>
    metric === 'errors.rate' || (but === slow && metric.startsWith('throughput.'))
  return toGate(gate.checks.map((check) => (passes(check) ? check : withhold(check, but))))
}

function withhold(check: Check, but: string): Check {
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

function whyIncomparable(pair: Pair, differences: readonly Difference[], allowDifferent: boolean): string | undefined {
  const { baseline, gateway, mode } = pair
  if (baseline.totals.successful === 0) return 'every request of the baseline failed'
  if (gateway.totals.successful === 0) return 'every request through the gateway failed'
  if (isSameArm(baseline, gateway)) return 'both files hold the same run: there is nothing to compare'
  if (mode === 'overhead' && baseline.role === 'gateway' && gateway.role === 'direct') {
    return 'the files look swapped: give the baseline first, then the gateway'
  }
  const trouble = findTrouble(baseline, gateway)
  if (trouble !== undefined) return trouble
  const forbidding = differences.filter((difference) => difference.forbids)
  if (forbidding.length === 0 || allowDifferent) return undefined
  const whats = forbidding.map(({ what }) => what).join(', ')
  return endpointsForbid(pair, forbidding) ?? `not comparable: ${whats} of the two runs differ`
}
