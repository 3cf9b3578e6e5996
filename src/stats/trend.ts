/**
 * Whether a figure grows over time: the least-squares slope, kept as sums, so that a value costs no memory and the
 * trends of several threads are added up.
 */

/** Plain data, fit to cross a thread. */
export interface TrendSums {
  count: number
  x: number
  y: number
  xx: number
  xy: number
  yy: number
}

export function emptyTrend(): TrendSums {
  return { count: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0 }
}

export function addToTrend(sums: TrendSums, x: number, y: number): void {
  sums.count++
  sums.x += x
  sums.y += y
  sums.xx += x * x
  sums.xy += x * y
  sums.yy += y * y
}

/** A slope that is fewer standard errors above zero may be chance. */
const SURE = 3

/** The slope where it surely rises, else 0. */
export function risingSlope({ count, x, y, xx, xy, yy }: TrendSums): number {
  if (count < 3) return 0
  const spread = xx - (x * x) / count
  if (!(spread > 0)) return 0
  const slope = (xy - (x * y) / count) / spread
  const residual = Math.max(0, yy - (y * y) / count - slope * slope * spread)
  const error = Math.sqrt(residual / (count - 2) / spread)
  return slope > SURE * error ? slope : 0
}
