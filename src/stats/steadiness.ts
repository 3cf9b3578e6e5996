/**
 * Where a run becomes steady, and whether it does: the stationarity test of Heidelberger & Welch (1983, Operations
 * Research 31, 1109-1144). If a series is steady, the sums of its deviations from its mean are a Brownian bridge, and
 * its Cramér-von Mises statistic has a known distribution (Anderson & Darling 1952, Annals of Mathematical Statistics
 * 23). Where the statistic is too large, a tenth of the series is left out at the beginning, and the rest is tested
 * again, until half of it is gone: then it never becomes steady. As in their paper the variance of the sums (the
 * spectrum at frequency zero) is that of the second half, where a transient is over, here about its line and by an
 * AR(1) whose coefficient is freed of its bias in short series (Kendall 1954, Biometrika 41), because neighbouring
 * values meet the same state of the machine.
 *
 * A change that is proven and does not matter is no transient: what drifts by less than MATTERS is steady.
 */
import { neighbourCorrelation } from './autocorrelation.ts'
import { fitLine } from './line.ts'
import { mean } from './means.ts'

/** The 99th percentile of the Cramér-von Mises statistic. */
export const CRITICAL = 0.74346

/** Relative to the mean. Two runs on a shared machine differ by as much for no reason (gate.ts). */
const MATTERS = 0.15

/** Fewest values that are tested, and that the variance is estimated from. */
export const FEWEST_VALUES = 10
const FEWEST_FOR_VARIANCE = 15

export interface Steadiness {
  /** Values at the beginning to leave out. */
  skip: number
  steady: boolean
  /** By how much the rest rose, relative to its mean; below zero it fell. */
  drift: number
}

/** `values` in the order of time, each the mean or the median of many requests. Few values are steady. */
export function findSteady(values: readonly number[]): Steadiness {
  const { length } = values
  if (length < FEWEST_VALUES) return { skip: 0, steady: true, drift: 0 }
  let drift = 0
  for (let tenths = 0; tenths <= 5; tenths++) {
    const skip = Math.floor((length * tenths) / 10)
    const rest = values.slice(skip)
    const half = Math.max(Math.min(length, FEWEST_FOR_VARIANCE), Math.ceil(rest.length / 2))
    drift = driftOf(rest)
    const passed = cramerVonMises(rest, spectrumAtZero(values.slice(length - half))) <= CRITICAL
    if (passed || Math.abs(drift) < MATTERS) return { skip, steady: true, drift }
  }
  return { skip: 0, steady: false, drift }
}

/** The statistic of the sums of deviations, whose increments have this variance. */
export function cramerVonMises(values: readonly number[], variance: number): number {
  const center = mean(values)
  let [sum, squares] = [0, 0]
  for (const value of values) {
    sum += value - center
    squares += sum * sum
  }
  return squares === 0 ? 0 : squares / (values.length ** 2 * variance)
}

/** The line of least squares, from the first value to the last, over the mean. */
function driftOf(values: readonly number[]): number {
  const line = fitLine(values.map((y, x) => ({ x, y })))
  const center = mean(values)
  return line && center > 0 ? (line.slope * (values.length - 1)) / center : 0
}

/** Of the deviations from the line, by an AR(1). */
function spectrumAtZero(values: readonly number[]): number {
  const { length } = values
  const line = fitLine(values.map((y, x) => ({ x, y })))
  const rest = values.map((y, x) => y - (line ? line.intercept + line.slope * x : mean(values)))
  const squares = rest.reduce((sum, value) => sum + value * value, 0)
  if (squares === 0) return 0
  const rho = neighbourCorrelation(rest)
  return ((squares / (length - 2)) * (1 - rho * rho)) / (1 - rho) ** 2
}
