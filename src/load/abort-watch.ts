/**
 * Ends a hopeless run: counts, for each condition of --abort-on, the requests that count against the run, and says when
 * there are surely too many of them. A sending thread counts, and the thread of the run decides, four times a second,
 * over all of them. One failure of one request decides nothing: it takes twenty requests, and a share whose lower bound
 * (Clopper-Pearson, 99.9 %) is above the limit.
 */
import type { RequestResult } from '../client/request-result.ts'
import type { AbortRule } from '../slo/abort-rule.ts'
import { inverseIncompleteBeta } from '../stats/distributions.ts'
import { fields, places, total } from './add-up.ts'
import { sampleOf } from './metric-samples.ts'

const FEWEST_REQUESTS = 20
const ALPHA = 0.001

/** Requests of one arm, and those of them that count against the run, by one condition. */
export interface Watched {
  n: number
  over: number
}

export class AbortWatch {
  readonly counts: Watched[]
  readonly #judge: readonly ((result: RequestResult, intendedUs: number) => boolean | undefined)[]

  constructor(rules: readonly AbortRule[]) {
    this.counts = rules.map(() => ({ n: 0, over: 0 }))
    this.#judge = rules.map(judgeBy)
  }

  /** A measured request has ended. */
  ended(result: RequestResult, intendedUs: number): void {
    for (const [i, judge] of this.#judge.entries()) {
      const [counts, over] = [this.counts[i], judge(result, intendedUs)]
      if (!counts || over === undefined) continue
      counts.n++
      if (over) counts.over++
    }
  }
}

/** Whether a request counts against the run; undefined where it does not count at all. */
function judgeBy({ of }: AbortRule) {
  if (of === 'errors') return ({ outcome }: RequestResult): boolean => outcome !== 'OK'
  const { counts, read } = sampleOf(of.metric)
  return (result: RequestResult, intendedUs: number): boolean | undefined => {
    const us = counts(result) ? read(result, intendedUs) : Number.NaN
    return Number.isNaN(us) ? undefined : us > of.overUs
  }
}

/** Which condition ended a run, on which arm, and by how many requests. */
export interface Abort extends Watched {
  rule: number
  arm: number
}

/** `watched` is by arm and condition. */
export function findAbort(rules: readonly AbortRule[], watched: readonly (readonly Watched[])[]): Abort | undefined {
  for (const [arm, counts] of watched.entries()) {
    const rule = counts.findIndex((one, i) => isBreached(one, rules[i]?.share ?? 1))
    const found = counts[rule]
    if (found) return { rule, arm, ...found }
  }
  return undefined
}

function isBreached({ n, over }: Watched, share: number): boolean {
  return n >= FEWEST_REQUESTS && over > share * n && inverseIncompleteBeta(ALPHA, over, n - over + 1) > share
}

/** By arm and condition. */
export const watchedSum = places(places(fields<Watched>({ n: total, over: total })))
