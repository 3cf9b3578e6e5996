/** How far a throughput may be off: the standard error of the mean of whole seconds, over that mean. Pure. */

/** Too short to tell from itself: a tenth, which is what short runs on a shared machine differ by. */
const UNKNOWN = 0.1
const FEWEST = 5
const LEAST = 0.01

/** `perSecond`: requests done, second by second; the first and the last one are partial and left out. */
export function throughputError(perSecond: readonly number[]): number {
  const whole = perSecond.slice(1, -1)
  const mean = whole.reduce((sum, value) => sum + value, 0) / whole.length
  if (whole.length < FEWEST || !(mean > 0)) return UNKNOWN
  const variance = whole.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (whole.length - 1)
  // Neighbouring seconds share the machine's mood, so they are worth fewer than they are.
  return Math.max(LEAST, (Math.sqrt(variance / whole.length) / mean) * 2)
}
