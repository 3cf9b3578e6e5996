/**
 * How much a value tells of the next one: of neighbouring seconds or blocks, which meet the same state of a machine.
 */

/** A larger correlation cannot be told from a trend. */
const HIGHEST_RHO = 0.95

/**
 * The coefficient of an AR(1), from 0 to HIGHEST_RHO, of what is left of a series without its line, freed of the bias
 * that it has in short series (Kendall 1954, Biometrika 41). All zeros have none.
 */
export function neighbourCorrelation(residuals: readonly number[]): number {
  const squares = residuals.reduce((sum, value) => sum + value * value, 0)
  if (squares === 0) return 0
  const products = residuals.reduce((sum, value, i) => sum + value * (residuals[i - 1] ?? 0), 0)
  const raw = products / squares
  return Math.min(HIGHEST_RHO, Math.max(0, raw + (2 + 4 * raw) / residuals.length))
}
