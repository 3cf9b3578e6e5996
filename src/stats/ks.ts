/** How far two distributions lie apart: the two-sample Kolmogorov-Smirnov distance of their histograms. */
import type { Histogram } from './histogram.ts'

/** More than the width of a slot: two values of one slot are the same, wherever the extremes of a histogram lie. */
const SLOT = 1 / 512

/**
 * The largest difference of their shares of values up to any limit: 0 where they are the same, 1 where they are apart.
 */
export function ksDistance(a: Histogram, b: Histogram): number {
  if (a.count === 0 || b.count === 0) return Number.NaN
  let largest = 0
  for (const value of [...a.distinctUs(), ...b.distinctUs()]) {
    const limit = value * (1 + SLOT)
    const apart = Math.abs(a.countAbove(limit) / a.count - b.countAbove(limit) / b.count)
    if (apart > largest) largest = apart
  }
  return largest
}
