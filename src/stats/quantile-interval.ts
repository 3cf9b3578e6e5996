/**
 * Intervals of quantiles. The one for independent observations is two order statistics whose ranks come from the
 * exact binomial (Conover, Practical Nonparametric Statistics, 3.2). Requests of one run are not independent, so it
 * is printed as `iid` and no verdict rests on it. The one by blocks inverts the share test (Woodruff 1952): P99 may
 * be t as long as the blocks do not prove that the share of requests over t is not 1 %. The difference of two
 * independent quantiles is by MOVER (Zou & Donner 2008), which carries the skew of both intervals into the
 * difference. A bound that the data do not give is 0 below and Infinity above.
 */

import { firstWhere } from './bisect.ts'
import { binomialCdf } from './distributions.ts'
import { Histogram } from './histogram.ts'
import { estimateShare, shareBounds } from './share-interval.ts'

/** 1-based ranks. A lower rank of 0 means open below, an upper rank beyond the count means open above. */
interface RankInterval {
  lower: number
  upper: number
}

/**
 * Ranks between which the quantile `q` of the population lies with at least `confidence`; at most half of the error
 * lies on each side.
 */
export function quantileRanks(count: number, q: number, confidence = 0.95): RankInterval {
  const tail = (1 - confidence) / 2
  // X(l) lies above the quantile when fewer than l observations fall below it.
  const below = firstWhere(1, count + 1, (rank) => binomialCdf(rank - 1, count, q) > tail)
  // X(u) lies below the quantile when at least u observations do.
  const upper = firstWhere(1, count + 1, (rank) => 1 - binomialCdf(rank - 1, count, q) <= tail)
  return { lower: below - 1, upper }
}

/**
 * The interval in microseconds, read off the histogram: [0, ...] where open below, [..., Infinity] where open above.
 */
export function orderIntervalUs(histogram: Histogram, q: number, confidence = 0.95): [number, number] {
  const ranks = quantileRanks(histogram.count, q, confidence)
  return [histogram.atRankUs(ranks.lower), histogram.atRankUs(ranks.upper)]
}

/**
 * How many independent observations a finite two-sided interval of the quantile `q` needs: 368 for P99, 3,688 for
 * P99.9.
 */
export function observationsNeeded(q: number, confidence = 0.95): number {
  const tail = (1 - confidence) / 2
  return Math.ceil(Math.log(tail) / Math.log(Math.max(q, 1 - q)))
}

export interface QuantileInterval {
  valueUs: number
  lowerUs: number
  upperUs: number
}

/**
 * Quantile `q` of all observations with one-sided bounds of `alpha` each (0.025 for a two-sided 95 % interval).
 * `times` scales the result to that many times as many such blocks.
 */
export function quantileBounds(blocks: readonly Histogram[], q: number, alpha: number, times = 1): QuantileInterval {
  const all = Histogram.merge(blocks, blocks[0]?.digits)
  if (all.count === 0) return { valueUs: Number.NaN, lowerUs: 0, upperUs: Number.POSITIVE_INFINITY }
  const values = all.distinctUs()
  const boundsOver = (limitUs: number) =>
    shareBounds(
      estimateShare(blocks.map((block) => ({ n: block.count, over: block.countAbove(limitUs) }))),
      alpha,
      times,
    )
  // The quantile is at least v as soon as the share at or over v is proven, which is the share over the value before v.
  const slot = firstWhere(0, values.length, (index) => boundsOver(values[index] ?? 0).lower < 1 - q)
  const proven = boundsOver(values[slot - 1] ?? -1).lower >= 1 - q
  const provenUnder = firstWhere(0, values.length, (index) => boundsOver(values[index] ?? 0).upper < 1 - q)
  return {
    valueUs: all.quantileUs(q),
    lowerUs: proven ? (values[slot] ?? 0) : 0,
    upperUs: values[provenUnder] ?? Number.POSITIVE_INFINITY,
  }
}

/** a - b for independent a and b. */
export function differenceOf(a: QuantileInterval, b: QuantileInterval): QuantileInterval {
  const valueUs = a.valueUs - b.valueUs
  return {
    valueUs,
    lowerUs: valueUs - Math.hypot(a.valueUs - a.lowerUs, b.upperUs - b.valueUs),
    upperUs: valueUs + Math.hypot(a.upperUs - a.valueUs, b.valueUs - b.lowerUs),
  }
}
