/**
 * One-sided tests that the mean of paired differences lies above zero, with the block as the sample. Student's t; and the exact
 * sign-flip test (Fisher 1935, The Design of Experiments, 21): with no effect each difference is as likely to have had the other
 * sign, so all 2^K patterns are enumerated. It assumes no shape, and ten blocks can reach 1/1,024 and no less.
 */
import { studentUpperTail } from './distributions.ts'

/**
 * Where a run becomes steady: MSER (White 1997, Simulation 69). The truncation point is the one whose remainder has the smallest
 * standard error of its mean: leaving a warm-up in makes the spread large, leaving too much out makes the sample small. A
 * point in the second half means that no steady state was reached.
 */

interface Steady {
  /** How many values to leave out at the beginning. */
  skip: number
  steady: boolean
}

const FEWEST = 5

/** `values`: one mean a block, in order. */
export function steadyFrom(values: readonly number[]): Steady {
  if (values.length < 2 * FEWEST) return { skip: 0, steady: true }
  let best = { skip: 0, score: Number.POSITIVE_INFINITY }
  for (let skip = 0; skip <= values.length - FEWEST; skip++) {
    const rest = values.slice(skip)
    const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length
    const squares = rest.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    const score = squares / rest.length ** 2
    if (score < best.score) best = { skip, score }
  }
  return { skip: best.skip, steady: best.skip <= values.length / 2 }
}

/** 16,384 patterns; with more blocks t is as good. */
const MOST_ENUMERATED = 14

export function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}

/** Of the mean. */
export function standardError(values: readonly number[]): number {
  const center = mean(values)
  const squares = values.reduce((total, value) => total + (value - center) ** 2, 0)
  return Math.sqrt(squares / (values.length - 1) / values.length)
}

/** P of a mean at least this far above zero, were there no effect. Fewer than two differences prove nothing. */
export function pairedTP(differences: readonly number[]): number {
  if (differences.length < 2) return 1
  const center = mean(differences)
  const error = standardError(differences)
  if (error === 0) return center > 0 ? 0 : 1
  return studentUpperTail(center / error, differences.length - 1)
}

/** The exact P of a sum at least as large, over all patterns of signs. */
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

/** What verdicts use: with few blocks both tests must agree, beyond what can be enumerated t alone. */
export function meanAboveZeroP(differences: readonly number[]): number {
  const t = pairedTP(differences)
  return differences.length <= MOST_ENUMERATED ? Math.max(t, signFlipP(differences)) : t
}
