/**
 * The distribution-free interval of a quantile: two order statistics whose ranks come from the exact binomial.
 * It holds for independent observations only. Requests of one run are not independent, so it is printed as `iid`
 * and no verdict rests on it. Reference: Conover, Practical Nonparametric Statistics, 3.2.
 */
import { binomialCdf } from './distributions.ts'
import type { Histogram } from './histogram.ts'
import { firstWhere } from './search.ts'

/** 1-based ranks. Lower 0: open below. Upper beyond the count: open above. */
export interface RankInterval {
  lower: number
  upper: number
}

/** Ranks between which the quantile `q` of the population lies with at least `confidence`, at most half the rest on each side. */
export function quantileRanks(count: number, q: number, confidence = 0.95): RankInterval {
  const tail = (1 - confidence) / 2
  // X(l) lies above the quantile when fewer than l observations fall below it.
  const below = firstWhere(1, count + 1, (rank) => binomialCdf(rank - 1, count, q) > tail)
  // X(u) lies below the quantile when at least u observations do.
  const upper = firstWhere(1, count + 1, (rank) => 1 - binomialCdf(rank - 1, count, q) <= tail)
  return { lower: below - 1, upper }
}

/** The interval in microseconds, read off the histogram: [0, ...] where open below, [..., Infinity] where open above. */
export function orderIntervalUs(histogram: Histogram, q: number, confidence = 0.95): [number, number] {
  const ranks = quantileRanks(histogram.count, q, confidence)
  return [histogram.atRankUs(ranks.lower), histogram.atRankUs(ranks.upper)]
}

/** How many independent observations a finite two-sided interval of the quantile `q` needs: 368 for P99, 3,688 for P99.9. */
export function observationsNeeded(q: number, confidence = 0.95): number {
  const tail = (1 - confidence) / 2
  return Math.ceil(Math.log(tail) / Math.log(Math.max(q, 1 - q)))
}
