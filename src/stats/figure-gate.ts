/**
 * Verdicts on the single figures of a run, by block like all others: a share of bad requests (errors, or requests
 * that missed their targets) by Korn-Graubard bounds, a rate by Student's t over the rates of the blocks. PASS at
 * alpha 0.0125, FAIL at 0.001.
 */
import { formatNumber, formatShare } from '../units.ts'
import { firstWhere } from './bisect.ts'
import { studentQuantile } from './distributions.ts'
import { ALPHA_FAIL, ALPHA_PASS, DRIFT } from './gate.ts'
import { mean, standardError } from './means.ts'
import { type BlockShare, estimateShare, MIN_BLOCKS, shareBounds } from './share-interval.ts'

export interface FigureResult {
  verdict: 'pass' | 'fail' | 'inconclusive'
  why: string
  value: number | null
  ci95: [number, number] | null
  requestsNeeded?: number
}

const MOST_TIMES = 10_000

/** Judges "the share of bad requests is under the limit". `over` of a block counts the bad ones. */
export function judgeShare(blocks: readonly BlockShare[], limit: number, alphaFail = ALPHA_FAIL): FigureResult {
  const estimate = estimateShare(blocks)
  if (estimate.n === 0) return { verdict: 'inconclusive', why: 'no samples', value: null, ci95: null }
  const interval = shareBounds(estimate, 0.025)
  const reading = { value: estimate.share, ci95: [interval.lower, interval.upper] as [number, number] }
  const seen = `${formatNumber(estimate.over)} of ${formatNumber(estimate.n)}`
  const decides = (times: number, judged?: number): 'pass' | 'fail' | undefined => {
    if (shareBounds(estimate, ALPHA_PASS, times, judged).upper < limit) return 'pass'
    return shareBounds(estimate, alphaFail, times, judged).lower >= limit ? 'fail' : undefined
  }
  const needed = (): { requestsNeeded?: number } => {
    // A longer run has larger blocks and no more of them.
    const judged = Math.max(MIN_BLOCKS, estimate.blocks)
    const least = Math.ceil(MIN_BLOCKS / estimate.blocks)
    const times = firstWhere(least, MOST_TIMES + 1, (candidate) => decides(candidate, judged) !== undefined)
    return times > MOST_TIMES ? {} : { requestsNeeded: estimate.n * times }
  }
  if (estimate.blocks < MIN_BLOCKS) {
    const why = `${seen}; too few blocks: ${estimate.blocks} of at least ${MIN_BLOCKS}`
    return { verdict: 'inconclusive', why, ...reading, ...needed() }
  }
  const { upper } = shareBounds(estimate, ALPHA_PASS)
  const { lower } = shareBounds(estimate, alphaFail)
  const verdict = decides(1)
  if (verdict === 'pass') return { verdict, why: `${seen}, upper bound ${formatShare(upper)}`, ...reading }
  if (verdict === 'fail') return { verdict, why: `${seen}, lower bound ${formatShare(lower)}`, ...reading }
  const why = `${seen}, between ${formatShare(lower)} and ${formatShare(upper)}`
  return { verdict: 'inconclusive', why, ...reading, ...needed() }
}

/**
 * Judges "the rate is over the limit". `blockRates` is empty where the blocks have no duration of their own; then
 * only a rate far from the limit is decided.
 */
export function judgeRate(
  rate: number,
  blockRates: readonly number[],
  limit: number,
  alphaFail = ALPHA_FAIL,
): FigureResult {
  if (blockRates.length < MIN_BLOCKS) {
    const reading = { value: rate, ci95: null }
    const why = `no interval: ${blockRates.length} blocks with a duration of their own`
    if (rate >= limit * DRIFT)
      return { verdict: 'pass', why: `${why}; over the limit by more than machines drift`, ...reading }
    if (rate <= limit / DRIFT)
      return { verdict: 'fail', why: `${why}; under the limit by more than machines drift`, ...reading }
    return { verdict: 'inconclusive', why, ...reading }
  }
  const center = mean(blockRates)
  const error = standardError(blockRates)
  const half = (alpha: number): number => studentQuantile(1 - alpha, blockRates.length - 1) * error
  const reading = { value: rate, ci95: [center - half(0.025), center + half(0.025)] as [number, number] }
  const low = center - half(ALPHA_PASS)
  const high = center + half(alphaFail)
  const rated = (value: number): string => formatNumber(value, value < 100 ? 2 : 0)
  if (low > limit) return { verdict: 'pass', why: `lower bound ${rated(low)} a second`, ...reading }
  if (high <= limit) return { verdict: 'fail', why: `upper bound ${rated(high)} a second`, ...reading }
  return { verdict: 'inconclusive', why: `between ${rated(low)} and ${rated(high)} a second`, ...reading }
}
