/**
 * Turns results of the statistics into the checks and gates of a report, several checks under one error probability
 * (Holm).
 */

import { intervalMs, toMs } from '../report/duration-summary.ts'
import type { Check, Gate, OverheadResult, Verdict } from '../report/schema.ts'
import { ALPHA_FAIL, type GateResult, holm } from '../stats/gate.ts'
import type { Resolution } from '../stats/resolution.ts'

/** Makes a check whose FAIL errs with a probability of at most `alphaFail`. */
export type Judge = (alphaFail: number) => Check

export function durationCheck(metric: string, op: Check['op'], limitMs: number, result: GateResult): Check {
  const { verdict, why, p99Us, ci95Us, requestsNeeded } = result
  return {
    metric,
    op,
    limit: limitMs,
    value: p99Us === null ? null : toMs(p99Us),
    ci95: ci95Us === null || !Number.isFinite(ci95Us[0]) ? null : intervalMs(ci95Us),
    verdict,
    why,
    ...(requestsNeeded === undefined ? {} : { requestsNeeded }),
  }
}

/** The coarseness of a reading, as the statistics take it. */
export function toMicroseconds({ unitMs, errorMs }: NonNullable<OverheadResult['resolution']>): Resolution {
  return { unitUs: unitMs * 1_000, errorUs: errorMs * 1_000 }
}

/** An inconclusive check without a value, and the reason. */
export function undecidedCheck(metric: string, op: Check['op'], limit: number, why: string): Check {
  return { metric, op, limit, value: null, ci95: null, verdict: 'inconclusive', why }
}

/** All checks; the probability that any of their FAILs is false is at most the alpha of the gate. */
export function judgeAll(given: readonly Judge[]): Gate {
  const judges = given.map(cached)
  const fails = holm(
    judges.map((judge) => (alpha: number) => judge(alpha).verdict === 'fail'),
    ALPHA_FAIL,
  )
  const open = fails.filter((failed) => !failed).length
  return toGate(judges.map((judge, index) => judge(fails[index] ? ALPHA_FAIL : ALPHA_FAIL / Math.max(1, open))))
}

export function toGate(checks: Check[]): Gate {
  return { verdict: worst(checks.map((check) => check.verdict)), checks }
}

function worst(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('fail')) return 'fail'
  return verdicts.includes('inconclusive') ? 'inconclusive' : 'pass'
}

/** Caches verdicts, which are expensive, because Holm's step-down asks again at the same alpha. */
function cached(judge: Judge): Judge {
  const known = new Map<number, Check>()
  return (alphaFail) => {
    const check = known.get(alphaFail) ?? judge(alphaFail)
    known.set(alphaFail, check)
    return check
  }
}
