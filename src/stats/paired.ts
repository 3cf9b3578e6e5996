/**
 * Tests for two arms measured alternately, block by block: is a quantile of the second worse than that of the first,
 * shifted by a limit? As in the budget gate the quantile becomes a share: the shares of the first over t and of the
 * second over shift(t) are compared within each pair of blocks, so that the state of the machine, which both blocks
 * of a pair meet, cancels. t is the quantile of one arm (of the first to prove a breach, of the second to prove a
 * pass), so that a large difference is proven at once. A stall moves a share by the number of its requests, never by
 * its length. Failed requests lie over every limit. Intervals invert the test over all shifts (Hodges & Lehmann
 * 1963). The tests are not for arms measured one after the other.
 */

import { firstWhere } from './bisect.ts'
import { studentQuantile } from './distributions.ts'
import { mean, meanAboveZeroP, standardError } from './means.ts'
import type { QuantileInterval } from './quantile-interval.ts'

/** A histogram, or whatever can count. */
export interface Counted {
  readonly count: number
  countAbove(limitUs: number): number
}

interface PairSide {
  values: Counted
  failed: number
  /** How many of `failed` have a value as well. */
  failedInValues?: number
}

export interface BlockPair {
  /** The baseline. */
  a: PairSide
  b: PairSide
}

/** The limit for a duration of the baseline: t + 7 ms, or 1.1 t. It must grow with t. */
export type Shift = (us: number) => number

const MOST_US = 2 ** 40

/**
 * The share of b over the shifted quantile minus the share of a over the quantile, for each pair. A difference above
 * zero means that b is worse than the limit. `anchor` is the arm whose quantile is taken.
 */
export function shareDifferences(
  pairs: readonly BlockPair[],
  quantile: number,
  shift: Shift,
  anchor: 'a' | 'b' = 'a',
): number[] {
  const used = pairs.filter(({ a, b }) => sizeOf(a) > 0 && sizeOf(b) > 0)
  const allowed = (1 - quantile + 1e-12) * used.reduce((total, pair) => total + sizeOf(pair[anchor]), 0)
  const anchored = (pair: BlockPair, us: number): number =>
    anchor === 'a' ? over(pair.a, us) : over(pair.b, shift(us))
  const above = (us: number): number => used.reduce((total, pair) => total + anchored(pair, us), 0)
  const limitUs = firstWhere(-MOST_US, MOST_US, (us) => above(us) <= allowed)
  // Where values equal the quantile, fewer lie over it than it allows: as many of the equal ones count as over.
  const equal = above(limitUs - 1) - above(limitUs)
  const countedOver = equal > 0 ? (allowed - above(limitUs)) / equal : 0
  return used.map((pair) => {
    const { a, b } = pair
    const tied = countedOver * (anchored(pair, limitUs - 1) - anchored(pair, limitUs))
    const inA = over(a, limitUs) + (anchor === 'a' ? tied : 0)
    const inB = over(b, shift(limitUs)) + (anchor === 'b' ? tied : 0)
    return inB / sizeOf(b) - inA / sizeOf(a)
  })
}

/** The probability that b at the limit looks this much worse than it. A small P proves a breach. */
export function worseThanP(pairs: readonly BlockPair[], quantile: number, shift: Shift): number {
  return meanAboveZeroP(shareDifferences(pairs, quantile, shift))
}

/**
 * The probability that b at the limit looks this much better than it. A small P proves that b is within the limit.
 */
export function withinP(pairs: readonly BlockPair[], quantile: number, shift: Shift): number {
  return meanAboveZeroP(shareDifferences(pairs, quantile, shift, 'b').map((difference) => -difference))
}

/**
 * One-sided bounds of `alpha` each for the quantile of b minus that of a; -Infinity and Infinity where nothing is
 * proven.
 */
export function pairedDifference(
  pairs: readonly BlockPair[],
  quantile: number,
  alpha: number,
): Pick<QuantileInterval, 'lowerUs' | 'upperUs'> {
  const reachUs = 2 * Math.max(1, ...pairs.flatMap(({ a, b }) => [maxOf(a), maxOf(b)]))
  const by =
    (us: number): Shift =>
    (t) =>
      t + us
  const notWorse = firstWhere(-reachUs, reachUs, (us) => worseThanP(pairs, quantile, by(us)) > alpha)
  const within = firstWhere(-reachUs, reachUs, (us) => withinP(pairs, quantile, by(us)) <= alpha)
  return {
    lowerUs: notWorse <= -reachUs ? Number.NEGATIVE_INFINITY : notWorse,
    upperUs: within >= reachUs ? Number.POSITIVE_INFINITY : within,
  }
}

/** How many such pairs would decide it at these error probabilities; undefined where the arms lie at the limit. */
export function pairsNeeded(
  differences: readonly number[],
  alphaWithin: number,
  alphaWorse: number,
  most: number,
): number | undefined {
  const center = mean(differences)
  const perPair = standardError(differences) * Math.sqrt(differences.length)
  if (!(Math.abs(center) > 0)) return undefined
  const alpha = center < 0 ? alphaWithin : alphaWorse
  const count = firstWhere(Math.max(10, differences.length), most + 1, (pairs) => {
    return (Math.abs(center) / perPair) * Math.sqrt(pairs) > studentQuantile(1 - alpha, pairs - 1)
  })
  return count > most ? undefined : count
}

function over({ values, failed, failedInValues = 0 }: PairSide, us: number): number {
  return failed - failedInValues + Math.max(us < 0 ? values.count : values.countAbove(us), failedInValues)
}

function sizeOf({ values, failed, failedInValues = 0 }: PairSide): number {
  return values.count + failed - failedInValues
}

/** The smallest power of two that no value exceeds. */
function maxOf({ values }: PairSide): number {
  return 2 ** firstWhere(0, 41, (power) => values.countAbove(2 ** power) === 0)
}
