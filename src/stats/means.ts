/**
 * The median; means of blocks or seconds: their standard error, and tests that the mean of paired differences lies
 * above zero. The tests are one-sided with the block as the sample: Student's t, and the exact sign-flip test (Fisher
 * 1935, The Design of Experiments, 21). Without an effect each difference is as likely to have the other sign, so all
 * 2^K patterns are enumerated. The sign-flip test assumes no distribution; with ten blocks its smallest P is 1/1,024.
 */
import { studentUpperTail } from './distributions.ts'

/** Up to 16,384 patterns are enumerated. With more blocks t is as good. */
const MOST_ENUMERATED = 14

export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}

/** NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** The standard error of the mean. */
export function standardError(values: readonly number[]): number {
  const center = mean(values)
  const squares = values.reduce((total, value) => total + (value - center) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

/**
 * The probability of a mean at least this far above zero without an effect. Fewer than two differences prove nothing.
 */
export function pairedTP(differences: readonly number[]): number {
  if (differences.length < 2) return 1
  const center = mean(differences)
  const error = standardError(differences)
  if (error === 0) return center > 0 ? 0 : 1
  return studentUpperTail(center / error, differences.length - 1)
}

/** The exact probability of a sum at least as large, over all patterns of signs. */
export function signFlipP(differences: readonly number[]): number {
  const { length } = differences
  if (length === 0) return 1
  if (length > 24) throw new Error(`${length} differences are too many to enumerate`)
  const observed = differences.reduce((total, value) => total + value, 0)
  // Sums of floats in another order may differ in the last bits.
  const least = observed - 1e-9 * differences.reduce((total, value) => total + Math.abs(value), 0)
  let sum = observed
  let asLarge = 1
  const positive = new Array<boolean>(length).fill(true)
  // Gray code: one sign changes at a time.
  for (let pattern = 1; pattern < 2 ** length; pattern++) {
    const flipped = 31 - Math.clz32(pattern & -pattern)
    const value = differences[flipped] ?? 0
    sum += positive[flipped] ? -2 * value : 2 * value
    positive[flipped] = !positive[flipped]
    if (sum >= least) asLarge++
  }
  return asLarge / 2 ** length
}

/** The test of the verdicts: with few blocks both tests must agree; with too many to enumerate, t decides alone. */
export function meanAboveZeroP(differences: readonly number[]): number {
  const t = pairedTP(differences)
  return differences.length <= MOST_ENUMERATED ? Math.max(t, signFlipP(differences)) : t
}

/** The error of a run that is too short to estimate it: a tenth, by which short runs on a shared machine differ. */
const UNKNOWN_ERROR = 0.1
const SMALLEST_ERROR = 0.01
/** Fewest whole seconds. */
const FEWEST_SECONDS = 5

/**
 * How far a throughput may be off: the standard error of the mean of whole seconds, relative to that mean.
 * `perSecond` holds the requests done in each second; the first and the last second are partial and excluded.
 */
export function throughputError(perSecond: readonly number[]): number {
  const whole = perSecond.slice(1, -1)
  const center = mean(whole)
  if (whole.length < FEWEST_SECONDS || !(center > 0)) return UNKNOWN_ERROR
  // Neighbouring seconds meet the same state of the machine, so they count for less than independent ones.
  return Math.max(SMALLEST_ERROR, (standardError(whole) / center) * 2)
}
