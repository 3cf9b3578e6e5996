/**
 * What several rounds say of a figure: their median and range, and of two tools the difference within each round, in
 * which the state of the machine cancels. The interval of the median difference is two of the differences, whose ranks
 * come from the exact binomial: one disturbed round does not decide, and fewer than six rounds give none.
 */
import { quantileRanks } from '../../../src/stats/quantile-interval.ts'

export interface Summary {
  median: number
  lowest: number
  highest: number
}

export interface Difference {
  median: number
  /** At 95 %; infinite where the rounds are too few. */
  lower: number
  upper: number
}

export function summarise(values: readonly number[]): Summary {
  const sorted = ascending(values)
  const [lowest = Number.NaN] = sorted
  return { median: medianOf(sorted), lowest, highest: sorted.at(-1) ?? Number.NaN }
}

/** `a` minus `b`, round by round. */
export function pairedDifference(a: readonly number[], b: readonly number[]): Difference {
  const sorted = ascending(a.map((value, round) => value - (b[round] ?? Number.NaN)))
  const { lower, upper } = quantileRanks(sorted.length, 0.5)
  return {
    median: medianOf(sorted),
    lower: sorted[lower - 1] ?? Number.NEGATIVE_INFINITY,
    upper: sorted[upper - 1] ?? Number.POSITIVE_INFINITY,
  }
}

/** The name whose median is the lowest. */
export function lowestOf(rounds: Readonly<Record<string, readonly number[]>>): string | undefined {
  return Object.entries(rounds)
    .map(([name, values]) => ({ name, median: summarise(values).median }))
    .sort((a, b) => a.median - b.median)[0]?.name
}

const ascending = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b)

function medianOf(sorted: readonly number[]): number {
  const half = (sorted.length - 1) / 2
  return ((sorted[Math.floor(half)] ?? Number.NaN) + (sorted[Math.ceil(half)] ?? Number.NaN)) / 2
}
