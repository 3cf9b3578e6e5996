/** The least-squares line through points, with Student's interval of its slope. */
import { studentQuantile } from './distributions.ts'

export interface Line {
  slope: number
  intercept: number
  /** Two-sided 95 % interval of the slope; unbounded for two points, which leave no residuals. */
  slope95: readonly [number, number]
}

/** Undefined where all points have the same x. */
export function fitLine(points: readonly { x: number; y: number }[]): Line | undefined {
  const count = points.length
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count
  const xx = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0)
  if (!(xx > 0)) return undefined
  const slope = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0) / xx
  const intercept = meanY - slope * meanX
  if (count < 3) return { slope, intercept, slope95: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] }
  const rss = points.reduce((sum, { x, y }) => sum + (y - intercept - slope * x) ** 2, 0)
  const half = studentQuantile(0.975, count - 2) * Math.sqrt(rss / (count - 2) / xx)
  return { slope, intercept, slope95: [slope - half, slope + half] }
}
