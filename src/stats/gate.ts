/**
 * The verdict of "P99 of the overhead is under the budget", as a test by block of the equivalent "fewer than 1 % of the
 * requests exceed it". A failed request exceeds it. Other quantiles and durations work alike: P50 of latency is the
 * share of one half. Bounds: Korn-Graubard (share-interval.ts), one-sided.
 *   PASS          the upper bound (alpha 0.0125, one analysis of four) lies under 1 %
 *   FAIL          the lower bound (alpha 0.001) lies at or above 1 %, over the budget and also over 1.15 times it: a
 *                 shared machine drifts by that much from run to run, which no interval from one run can show
 *   INCONCLUSIVE  otherwise, with the reason, and how many requests would decide it where more would: none are named
 *                 where the rig is the reason, which more requests do not mend
 * The measurement floor is the same reading taken straight at the provider. Where its P99 exceeds a quarter of the
 * budget, the rig cannot carry a PASS, and a FAIL stands only if lower(gateway) - upper(floor) is at least 1 % too.
 * A saturated client judges nothing. A noisy client can pass, because noise only adds, but it fails only a gateway that
 * keeps half of its requests over the budget and the floor's own median: noise makes a tail, not a median. Requests in
 * flight at the end count against a PASS and not for a FAIL, because nobody knows how they would have ended. Nor do
 * those count for a FAIL that the machine may have held up (starvation.ts). A PASS needs enough requests; a lower bound
 * decides a FAIL at any count.
 *
 * A run may be judged more than once (a group-sequential test): after 10, 20, 40 and 80 pairs of blocks, until it is
 * decided. Four analyses at one-sided 0.0125 err in at most 5 % of runs (Bonferroni; less in simulation, where an
 * analysis at every block from 10 to 80 errs in 21 %). A FAIL spends 0.001 at each analysis. Every verdict uses these
 * levels, also that of a run with a single analysis.
 */
import { formatLimit, formatMs, formatNumber, formatShare } from '../units.ts'
import { firstWhere } from './bisect.ts'
import { describeStarvation, exceedances, type GateBlock, waitPerRequestUs } from './gate-block.ts'
import { Histogram } from './histogram.ts'
import { quantileBounds } from './quantile-interval.ts'
import { belowResolution, type Resolution } from './resolution.ts'
import { estimateShare, MIN_BLOCKS, type ShareEstimate, shareBounds } from './share-interval.ts'

export const ALPHA_PASS = 0.0125

export const ALPHA_FAIL = 0.001

export const QUANTILE = 0.99

/** Factor by which a limit must be exceeded for a FAIL: the drift between runs on a shared machine. */
export const DRIFT = 1.15

/** Share of answered requests without a reading beyond which nothing passes. */
const UNREAD_SHARE = 0.01

const FLOOR_SHARE = 0.25

/** Advice for more requests than this is not given. */
const MOST_REQUESTS = 10_000_000

interface GateInput {
  limitUs: number
  /** 0.99 by default. */
  quantile?: number
  /** Error probability of a FAIL; smaller where several checks share it (`holm`). */
  alphaFail?: number
  blocks: readonly GateBlock[]
  floor?: readonly GateBlock[]
  /** How coarse the readings are, where they are. */
  resolution?: Resolution
  client: ClientState
  /** Answered requests whose missing reading nothing explains. */
  unread: number
  /** Of a run that goes on: how many blocks it may have. The result then says whether they decide it (`later`). */
  mostBlocks?: number
}

/** What was the matter with who sent the load: nothing, or it was too slow, disturbed, or slower than asked. */
export type ClientState = 'ok' | 'saturated' | 'noisy' | 'rate-not-reached'

export interface GateResult {
  verdict: 'pass' | 'fail' | 'inconclusive'
  why: string
  p99Us: number | null
  /** Two-sided 95 % interval of P99, by blocks. */
  ci95Us: [number, number] | null
  requestsNeeded?: number
  /** Of a run that goes on: what blocks like those so far come to, and after how many of them. */
  later?: { blocks: number; verdict: 'pass' | 'fail' }
}

/** What more requests would decide. */
export type More = Pick<GateResult, 'requestsNeeded' | 'later'>

export function judgeBudget(input: GateInput): GateResult {
  const { blocks, limitUs, quantile = QUANTILE, alphaFail = ALPHA_FAIL } = input
  const rule: Rule = { quantile, alphaFail }
  const allowed = allowedShare(quantile)
  const name = quantileName(quantile)
  const values = blocks.map((block) => block.values)
  const readings = values.reduce((total, part) => total + part.count, 0)
  if (readings === 0) {
    return { verdict: 'inconclusive', why: 'no request was answered with a reading', p99Us: null, ci95Us: null }
  }
  const p99 = quantileBounds(values, quantile, 0.025)
  const reading = { p99Us: p99.valueUs, ci95Us: [p99.lowerUs, p99.upperUs] as [number, number] }
  const inconclusive = (why: string, more: More = {}): GateResult => ({
    verdict: 'inconclusive',
    why,
    ...reading,
    ...more,
  })

  const tooFine = belowResolution(limitUs, input.resolution)
  if (tooFine !== undefined) return inconclusive(tooFine)
  const { errorUs = 0 } = input.resolution ?? {}
  const [passBelowUs, failAboveUs] = [limitUs - errorUs, limitUs + errorUs]
  const shares: Shares = {
    pass: estimateShare(exceedances(blocks, passBelowUs, 'pass')),
    fail: estimateShare(exceedances(blocks, failAboveUs, 'fail')),
    failBeyondDrift: estimateShare(exceedances(blocks, failAboveUs * DRIFT, 'fail')),
  }
  if (input.client === 'saturated') {
    return inconclusive('the client was saturated: its own delays are in the readings; lower the load')
  }
  const floor = input.floor && describeFloor(input.floor, limitUs, quantile)
  const medianUs = failAboveUs * DRIFT + medianUpperUs(input.floor) + waitPerRequestUs(blocks)
  const shifted = medianExceeds(blocks, medianUs, alphaFail)
  const objection: Objection = (decided, lower) => {
    if (decided === 'pass') {
      if (input.unread > UNREAD_SHARE * shares.pass.n) {
        return `${formatNumber(input.unread)} answered requests carry no usable reading`
      }
      return floor?.tooHigh ? `${floor.words}: this rig cannot carry a PASS` : undefined
    }
    if (shifted) return undefined
    if (input.client === 'noisy') return 'the machine was noisy, and noise makes such a tail'
    return floor?.tooHigh && lower - floor.upper < allowed ? `${floor.words}: the breach may be the rig's` : undefined
  }
  const needed = (): More => ({
    ...requestsNeeded(shares, rule, objection),
    ...decidedLater(shares, rule, objection, input.mostBlocks ?? 0),
  })
  const least = leastRequests(quantile)
  const upper = shareBounds(shares.pass, ALPHA_PASS).upper
  const lower = shareBounds(shares.fail, alphaFail).lower
  const limit = formatLimit(passBelowUs / 1_000)
  const coarse = errorUs > 0 ? `, the limit less what a reading may be wrong by,` : ''
  const seen = describeShare(shares.pass, blocks, limit + coarse)
  const decided = shifted ? 'fail' : verdictOfShares(shares, 1, rule)
  const over = `${seen}, lower bound ${formatShare(lower)}`
  switch (decided) {
    case 'pass': {
      const why = `${seen}, upper bound ${formatShare(upper)}`
      const but = objection('pass', lower)
      return but === undefined ? { verdict: 'pass', why, ...reading } : inconclusive(`${why}; but ${but}`)
    }
    case 'drift':
      return inconclusive(
        `${over}; but not over ${formatShare(DRIFT - 1)} more, which machines drift from run to run`,
        needed(),
      )
    case 'fail': {
      const but = objection('fail', lower)
      return but === undefined ? { verdict: 'fail', why: over, ...reading } : inconclusive(`${over}; but ${but}`)
    }
    case 'open': {
      if (shares.pass.n < least) {
        const few = `too few requests for a ${name}: ${formatNumber(shares.pass.n)} of at least ${least}`
        return inconclusive(few, needed())
      }
      if (shares.pass.blocks < MIN_BLOCKS) {
        return inconclusive(`too few blocks: ${shares.pass.blocks} of at least ${MIN_BLOCKS}`, needed())
      }
      const counted = shareBounds(estimateShare(exceedances(blocks, failAboveUs, 'seen')), alphaFail).lower
      if (counted >= allowed) {
        return inconclusive(`${seen}, lower bound ${formatShare(counted)}; but ${describeStarvation(blocks)}`)
      }
      return inconclusive(`${seen}, between ${formatShare(lower)} and ${formatShare(upper)}`, needed())
    }
    default:
      return decided satisfies never
  }
}

/**
 * Half of all requests exceed the limit, proven: no machine that withholds a core now and then does that, so they count
 * whatever it did. `limitUs` holds the drift, the floor's own median, and what waiting for a core may add to every
 * request.
 */
function medianExceeds(blocks: readonly GateBlock[], limitUs: number, alphaFail: number): boolean {
  return shareBounds(estimateShare(exceedances(blocks, limitUs, 'seen')), alphaFail).lower >= 0.5
}

/** An upper bound for the median of the floor; 0 where none was measured. */
function medianUpperUs(floor: readonly GateBlock[] | undefined): number {
  const values = (floor ?? []).map((block) => block.values).filter(({ count }) => count > 0)
  return values.length === 0 ? 0 : quantileBounds(values, 0.5, ALPHA_FAIL).upperUs
}

/** The shares that a verdict rests on. */
export interface Shares {
  /** Requests over the budget, with the unfinished ones. */
  pass: ShareEstimate
  /** Requests over the budget, without the unfinished ones. */
  fail: ShareEstimate
  failBeyondDrift: ShareEstimate
}

/**
 * The verdict of the shares alone, for `times` as many requests, in as many more such blocks or in `blocks`. `drift`
 * means over the budget, but by no more than machines drift.
 */
export function verdictOfShares(
  shares: Shares,
  times = 1,
  rule = STANDARD,
  blocks?: number,
): 'pass' | 'fail' | 'drift' | 'open' {
  const allowed = allowedShare(rule.quantile)
  if (shareBounds(shares.pass, ALPHA_PASS, times, blocks).upper < allowed) return 'pass'
  if (shareBounds(shares.fail, rule.alphaFail, times, blocks).lower < allowed) return 'open'
  return shareBounds(shares.failBeyondDrift, rule.alphaFail, times, blocks).lower < allowed ? 'drift' : 'fail'
}

interface Rule {
  quantile: number
  alphaFail: number
}

const STANDARD: Rule = { quantile: QUANTILE, alphaFail: ALPHA_FAIL }

/** The share of requests that may exceed the limit: 0.01 for P99, without the rounding error of 1 - 0.99. */
function allowedShare(quantile: number): number {
  return Number((1 - quantile).toFixed(9))
}

/** 0.99 -> 'P99', 0.999 -> 'P99.9'. */
export function quantileName(quantile: number): string {
  return `P${Number((quantile * 100).toFixed(6))}`
}

/** With fewer requests even a run without any exceedance could not pass. */
function leastRequests(quantile: number): number {
  return Math.ceil(Math.log(ALPHA_PASS) / Math.log(quantile))
}

/** Why the rig cannot carry a verdict that the shares give; undefined where it can. */
type Objection = (decided: 'pass' | 'fail', lower: number) => string | undefined

/**
 * How many requests would decide it, with the shares and the spread between blocks seen here. A longer run has larger
 * blocks and no more of them, so their number stays. Undefined where no number would decide: right at 1 %, over the
 * budget by less than the drift, or where the rig is what is in doubt.
 */
function requestsNeeded(shares: Shares, rule: Rule, objection: Objection): More {
  const { n, blocks } = shares.pass
  const judged = Math.max(MIN_BLOCKS, blocks)
  const most = Math.floor((MOST_REQUESTS / n) * blocks)
  const count = firstWhere(judged, most + 1, (sent) => {
    return decidedBy(shares, rule, objection, sent / blocks, judged) !== undefined
  })
  return count > most ? {} : { requestsNeeded: Math.ceil((n * count) / blocks) }
}

/** The same within a run that goes on, where more requests are more blocks; nothing where `most` are too few. */
function decidedLater(shares: Shares, rule: Rule, objection: Objection, most: number): More {
  const { blocks } = shares.pass
  const by = (count: number) => decidedBy(shares, rule, objection, count / blocks, count)
  const count = firstWhere(Math.max(MIN_BLOCKS, blocks), most + 1, (judged) => by(judged) !== undefined)
  const verdict = count > most ? undefined : by(count)
  return verdict === undefined ? {} : { later: { blocks: count, verdict } }
}

/** What `times` as many requests, judged as so many blocks, come to; undefined where the rig cannot carry it. */
function decidedBy(
  shares: Shares,
  rule: Rule,
  objection: Objection,
  times: number,
  judged: number,
): 'pass' | 'fail' | undefined {
  if (shares.pass.n * times < leastRequests(rule.quantile)) return undefined
  const decided = verdictOfShares(shares, times, rule, judged)
  if (decided !== 'pass' && decided !== 'fail') return undefined
  const { lower } = shareBounds(shares.fail, rule.alphaFail, times, judged)
  return objection(decided, lower) === undefined ? decided : undefined
}

function describeShare(estimate: ShareEstimate, blocks: readonly GateBlock[], limit: string): string {
  const failed = blocks.reduce((total, block) => total + block.failed + block.unfinished, 0)
  const also = failed > 0 ? ` or failed (${formatNumber(failed)})` : ''
  return `share over ${limit}${also}: ${formatShare(estimate.share)} of ${formatNumber(estimate.n)}`
}

function describeFloor(
  blocks: readonly GateBlock[],
  limitUs: number,
  quantile: number,
): { tooHigh: boolean; upper: number; words: string } {
  const p99Us = Histogram.merge(blocks.map((block) => block.values)).quantileUs(quantile)
  const words =
    `the floor, measured without the gateway, has a ${quantileName(quantile)} of ` +
    `${formatMs(p99Us / 1_000)} ms, ` +
    'over a quarter of the budget'
  const { upper } = shareBounds(estimateShare(exceedances(blocks, limitUs, 'pass')), ALPHA_FAIL)
  return { tooHigh: p99Us > FLOOR_SHARE * limitUs, upper, words }
}

/** Pairs of blocks after which a run is judged. */
export const INTERIM_ANALYSES = [10, 20, 40, 80] as const

export const MOST_PAIRS = 80

/** The analyses of a run of up to `most` pairs. The last one is at its end. */
export function interimAnalysesUpTo(most: number): number[] {
  return [...INTERIM_ANALYSES.filter((pairs) => pairs < most), most]
}

/** How many pairs of blocks the next analysis takes; undefined when the run is decided or as long as it may be. */
export function nextAnalysis(
  verdict: 'pass' | 'fail' | 'inconclusive',
  pairsDone: number,
  analyses: readonly number[] = INTERIM_ANALYSES,
): number | undefined {
  return verdict === 'inconclusive' ? analyses.find((pairs) => pairs > pairsDone) : undefined
}

/**
 * Which of several checks reject, with an error probability of at most `alpha` for all of them: Holm's step-down
 * (1979, Scandinavian Journal of Statistics 6). Of m open checks those that reject at alpha / m are settled, then the
 * others are tested at alpha / (number left), until none rejects. A check must reject at every alpha above one at
 * which it rejects. This is for FAIL only: a PASS of the whole needs every check to pass (Berger 1982), which errs no
 * more often than one of them.
 */
export function holm(checks: readonly ((alpha: number) => boolean)[], alpha: number): boolean[] {
  const rejected = checks.map(() => false)
  for (;;) {
    const open = checks.flatMap((_, index) => (rejected[index] ? [] : [index]))
    const now = open.filter((index) => checks[index]?.(alpha / open.length))
    if (now.length === 0) return rejected
    for (const index of now) rejected[index] = true
  }
}
