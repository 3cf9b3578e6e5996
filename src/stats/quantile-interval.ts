/**
 * The interval of a quantile from blocks, by turning the share test round (Woodruff 1952): P99 may be t as long as the blocks
 * do not prove that the share of requests over t is not 1 %. And the difference of two independent quantiles by MOVER
 * (Zou & Donner 2008), which carries the skew of both intervals into the difference. A bound that the data cannot give is
 * 0 below and Infinity above.
 */
import { Histogram } from './histogram.ts'
import { firstWhere } from './search.ts'
import { estimateShare, shareBounds } from './share-interval.ts'

export interface QuantileInterval {
  valueUs: number
  lowerUs: number
  upperUs: number
}

/**
 * Quantile `q` of all observations with one-sided bounds of `alpha` each (0.025 for a two-sided 95 % interval).
 * `times`: as if that many times as many such blocks had been measured.
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
