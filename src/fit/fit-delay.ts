/**
 * A delay as a profile takes it, fitted to what was observed: log-normal where that fits, else by its quantiles. How
 * well it fits is told: the Kolmogorov-Smirnov distance and its probability, and quantiles with their intervals.
 */
import { z } from 'zod'
import { type ModelDelay, type Quantiles, quantileOf } from '../schedule/delays.ts'
import { studentQuantile } from '../stats/distributions.ts'
import { fitLogNormal, logNormalDistance, logNormalP } from '../stats/log-normal.ts'
import { mean } from '../stats/means.ts'
import { quantileRanks } from '../stats/quantile-interval.ts'
import type { TokenTime } from './observed.ts'

const ms = z.number()

export const fittedDelaySchema = z.strictObject({
  delay: z.string().describe('as a profile takes it'),
  samples: z.int().positive().describe('values that it was fitted to'),
  ksDistance: z
    .number()
    .nullable()
    .describe('largest difference of the two distributions, as a share; null: not told, tokens came several at a time'),
  p: z
    .number()
    .nullable()
    .describe('probability of a log-normal so far off where the values are log-normal; null: not told'),
  logNormalDistance: z.number().nullable().describe('that of the log-normal, also where quantiles were taken'),
  quantiles: z
    .array(
      z.strictObject({
        percentile: z.number().describe('which one'),
        observedMs: ms.describe('of the values'),
        lowerMs: ms.nullable().describe('lower bound of its 95 % interval; null: open'),
        upperMs: ms.nullable().describe('upper bound of its 95 % interval; null: open'),
        fittedMs: ms.describe('of the fit'),
      }),
    )
    .describe('quantiles of the values and of the fit'),
})

export type FittedDelay = z.infer<typeof fittedDelaySchema>

/** A log-normal fits badly when it is off by more than this, and not by chance. */
const BAD_DISTANCE = 0.03
const BAD_P = 0.01
const PERCENTILES = [10, 50, 90, 99]
/** Degrees of freedom with which Student's t is the normal distribution. */
const NORMAL_DF = 1e6
const GRID = [0, 1, 2.5, ...Array.from({ length: 19 }, (_, i) => 5 * (i + 1)), 97.5, 99, 100]

export function fitDelay(us: readonly number[], seed: number): FittedDelay {
  const fit = fitLogNormal(us)
  const offBy = logNormalDistance(us, fit)
  const p = logNormalP(us, seed)
  const sorted = us.toSorted((a, b) => a - b)
  const constant = isConstant(sorted)
  const bad = !constant && offBy > BAD_DISTANCE && p < BAD_P
  const quantiles: Quantiles = {
    kind: 'quantiles',
    points: GRID.map((percent) => ({ share: percent / 100, us: atShare(sorted, percent / 100) })),
  }
  const delay: ModelDelay = constant
    ? { kind: 'fixed', us: atShare(sorted, 0.5) }
    : bad
      ? quantiles
      : { kind: 'lognormal', medianUs: fit.median, sigma: fit.sigma }
  return {
    delay: writeDelay(delay),
    samples: us.length,
    ksDistance: constant ? 0 : rounded(bad ? distanceTo(sorted, quantiles) : offBy),
    p: constant ? null : p,
    logNormalDistance: constant ? null : rounded(offBy),
    quantiles: quantilesOf(sorted, delay),
  }
}

/**
 * The gap of one token from times of several: by the mean and the variance, which add up over tokens. How the single
 * gaps lie is not seen, so nothing is told of the fit.
 */
export function fitGap(gaps: readonly TokenTime[], seed: number): FittedDelay {
  const single = gaps.filter(({ tokens }) => Math.abs(tokens - 1) < SINGLE).length
  if (single >= MOSTLY * gaps.length)
    return fitDelay(
      gaps.map(({ us, tokens }) => us / tokens),
      seed,
    )
  const tokens = gaps.reduce((sum, gap) => sum + gap.tokens, 0)
  const center = gaps.reduce((sum, gap) => sum + gap.us, 0) / tokens
  const variance = mean(gaps.map((gap) => (gap.us - center * gap.tokens) ** 2 / gap.tokens))
  const sigma = center > 0 ? Math.sqrt(Math.log1p(variance / center ** 2)) : 0
  const delay: ModelDelay =
    sigma < CONSTANT
      ? { kind: 'fixed', us: center }
      : { kind: 'lognormal', medianUs: center / Math.exp(sigma ** 2 / 2), sigma }
  return {
    delay: writeDelay(delay),
    samples: gaps.length,
    ksDistance: null,
    p: null,
    logNormalDistance: null,
    quantiles: [],
  }
}

/** A gap that takes the same for each token: the slope of whole answers' times. */
export function fixedGap(us: number, samples: number): FittedDelay {
  const delay = writeDelay({ kind: 'fixed', us })
  return { delay, samples, ksDistance: null, p: null, logNormalDistance: null, quantiles: [] }
}

/** A write of one token; where most are, the others are two that a busy machine read at once. */
const SINGLE = 0.5
const MOSTLY = 0.9
const CONSTANT = 0.001

function isConstant(sorted: readonly number[]): boolean {
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)]
  return last - first <= CONSTANT * last
}

/** The value that this share of all lies at or below. */
function atShare(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? 0
}

function quantilesOf(sorted: readonly number[], delay: ModelDelay): FittedDelay['quantiles'] {
  return PERCENTILES.map((percentile) => {
    const share = percentile / 100
    const { lower, upper } = quantileRanks(sorted.length, share)
    const bound = (rank: number): number | null => {
      const value = sorted[rank - 1]
      return value === undefined ? null : toMs(value)
    }
    return {
      percentile,
      observedMs: toMs(atShare(sorted, share)),
      lowerMs: bound(lower),
      upperMs: bound(upper),
      fittedMs: toMs(valueAt(delay, share)),
    }
  })
}

function valueAt(delay: ModelDelay, share: number): number {
  switch (delay.kind) {
    case 'fixed':
      return delay.us
    case 'lognormal':
      return delay.medianUs * Math.exp(delay.sigma * studentQuantile(share, NORMAL_DF))
    case 'quantiles':
      return quantileOf(delay, share)
    default:
      return delay satisfies never
  }
}

/** The largest distance of values from a distribution by its quantiles, just below each value and at it. */
function distanceTo(sorted: readonly number[], { points }: Quantiles): number {
  let largest = 0
  sorted.forEach((value, i) => {
    if (value !== sorted[i - 1])
      largest = Math.max(largest, Math.abs(i / sorted.length - shareUnder(points, value, false)))
    if (value !== sorted[i + 1]) {
      largest = Math.max(largest, Math.abs((i + 1) / sorted.length - shareUnder(points, value, true)))
    }
  })
  return largest
}

/** The share of the distribution that lies below a value, or also at it. */
function shareUnder(points: Quantiles['points'], value: number, atToo: boolean): number {
  const last = points.findLastIndex(({ us }) => us < value || (atToo && us === value))
  const [from, to] = [points[last], points[last + 1]]
  if (!from) return 0
  return to ? from.share + ((to.share - from.share) * (value - from.us)) / (to.us - from.us) : 1
}

/** 'lognormal(61.2ms,0.398)' */
function writeDelay(delay: ModelDelay): string {
  switch (delay.kind) {
    case 'fixed':
      return time(delay.us)
    case 'lognormal':
      return `lognormal(${time(delay.medianUs)},${Number(delay.sigma.toPrecision(3))})`
    case 'quantiles':
      return `quantiles(${delay.points.map(({ share, us }) => `${percent(share)}:${time(us)}`).join(',')})`
    default:
      return delay satisfies never
  }
}

function percent(share: number): number {
  return Number((share * 100).toFixed(3))
}

/** Milliseconds with four significant figures. */
function time(us: number): string {
  return `${Number((us / 1_000).toPrecision(4))}ms`
}

function toMs(us: number): number {
  return Math.round(us) / 1_000
}

function rounded(share: number): number {
  return Math.round(share * 1e4) / 1e4
}
