/**
 * A log-normal distribution fitted to values by the median of their logarithms and the spread of the middle two thirds,
 * since a machine that stalls makes a few gaps long and the ones after them nothing. And how well it fits: the largest
 * distance of the two distributions (Kolmogorov-Smirnov), and the probability of one so large where the values are
 * log-normal. As the fit follows the values, Kolmogorov's own table would be too kind: the probability is found by
 * drawing and fitting anew (Lilliefors 1967, Journal of the American Statistical Association 62), from a seed.
 */
import { normalCdf } from './distributions.ts'
import { normal, type Random, randomFrom } from './random.ts'

export interface LogNormalFit {
  median: number
  sigma: number
}

/** Zeros are the shortest that a clock tells apart. */
const LEAST = 1
const ROUNDS = 199
/** So many values tell a misfit; more would cost time. */
const MOST_DRAWN = 1_000

export function fitLogNormal(values: readonly number[]): LogNormalFit {
  const { mu, sigma } = middleOf(sortedLogs(values))
  return { median: Math.exp(mu), sigma }
}

/** The largest distance between the distribution of `values` and that of the fit. */
export function logNormalDistance(values: readonly number[], { median, sigma }: LogNormalFit): number {
  return distance(sortedLogs(values), Math.log(median), sigma)
}

/** The probability of a fit as bad as that of `values` where they are log-normal. */
export function logNormalP(values: readonly number[], seed: number): number {
  const random = randomFrom(`${seed}:fit`)
  const drawn = values.length > MOST_DRAWN ? someOf(values, random) : values
  const seen = logNormalDistance(drawn, fitLogNormal(drawn))
  let asBad = 1
  for (let round = 0; round < ROUNDS; round++) {
    const logs = Array.from(drawn, () => normal(random)).sort((a, b) => a - b)
    const { mu, sigma } = middleOf(logs)
    if (distance(logs, mu, sigma) >= seen) asBad++
  }
  return asBad / (ROUNDS + 1)
}

function someOf(values: readonly number[], random: Random): number[] {
  return Array.from({ length: MOST_DRAWN }, () => values[Math.floor(random() * values.length)] ?? LEAST)
}

function sortedLogs(values: readonly number[]): number[] {
  return values.map((value) => Math.log(Math.max(LEAST, value))).sort((a, b) => a - b)
}

/** Where a normal distribution has one standard deviation below and above its median. */
const BELOW = normalCdf(-1)

function middleOf(sorted: readonly number[]): { mu: number; sigma: number } {
  return { mu: between(sorted, 0.5), sigma: (between(sorted, 1 - BELOW) - between(sorted, BELOW)) / 2 }
}

/** The value at a share of all, between its two neighbours. */
function between(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const [below = Number.NaN, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]]
  return below + (above - below) * (at - Math.floor(at))
}

/** `sorted` against a normal distribution. */
function distance(sorted: readonly number[], mu: number, sigma: number): number {
  const { length } = sorted
  let largest = 0
  sorted.forEach((value, i) => {
    const share = sigma > 0 ? normalCdf((value - mu) / sigma) : value >= mu ? 1 : 0
    largest = Math.max(largest, share - i / length, (i + 1) / length - share)
  })
  return largest
}
