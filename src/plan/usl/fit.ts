/**
 * A USL fit of the throughputs at several loads, with the scatter around it. What the data cannot carry is refused or
 * said.
 */
import { failure, type Result, success } from '../../errors.ts'
import { studentQuantile } from '../../stats/distributions.ts'
import { leastSquares, type Points } from './least-squares.ts'
import { throughputAt, type UslModel } from './model.ts'

export const FEWEST_POINTS = 4
const FEW_POINTS = 6
/**
 * Throughput per N may not grow with N. Two readings of 5 % noise differ by up to a fifth: what lies above that is an
 * error in the data, what lies below may be noise, and widens the fit.
 */
const SUPERLINEAR = 1.2
const NOISY = 1.05
const SAID = 1.1

export interface UslFit {
  model: UslModel
  residualStandardError: number
  /** By how much more than 1.96 standard errors an interval of 95 % reaches, by Student's t of what is left. */
  widening: number
  largestN: number
  warnings: string[]
}

export function fitUsl(points: Points): Result<UslFit> {
  const why = refusal(points)
  if (why) return failure(why)
  const { model, rss } = leastSquares(points)
  const freedom = points.n.length - 3
  const residualStandardError = Math.sqrt(rss / freedom)
  const excess = superlinearity(points)
  const smallest = Math.min(...points.n)
  return success({
    model,
    // What grows with N where nothing can is noise, of at least that size.
    residualStandardError: Math.max(
      residualStandardError,
      excess.factor > NOISY ? ((excess.factor - 1) / 2) * throughputAt(smallest, model) : 0,
    ),
    widening: studentQuantile(0.975, freedom) / studentQuantile(0.975, 1e6),
    largestN: Math.max(...points.n),
    warnings: [
      ...warningsOf(points, model),
      ...(excess.factor > SAID
        ? [
            `the throughput at N = ${excess.at} is ${percentOf(excess.factor)} % more per unit than at ` +
              `N = ${smallest}: taken for noise, and the interval is as wide`,
          ]
        : []),
    ],
  })
}

function refusal({ n, x }: Points): string | undefined {
  const distinct = new Set(n).size
  if (distinct < FEWEST_POINTS)
    return `a scalability fit needs at least ${FEWEST_POINTS} different loads, not ${distinct}`
  const bad = x.findIndex((value, i) => !(value > 0) || !Number.isFinite(value) || !((n[i] ?? 0) > 0))
  if (bad >= 0) return `point ${bad + 1} (N ${n[bad]}, throughput ${x[bad]}) is not a measurement: both must be above 0`
  const { factor, at } = superlinearity({ n, x })
  if (factor <= SUPERLINEAR) return undefined
  return (
    `the throughput at N = ${at} is ${percentOf(factor)} % more per unit than at N = ${Math.min(...n)}: superlinear ` +
    'scaling is an error in the data (a cold start, a client that was not ready, another load)'
  )
}

/** The highest throughput per unit over that of the smallest load, and where. */
function superlinearity({ n, x }: Points): { factor: number; at: number } {
  const units = n.map((load, i) => ({ load, each: (x[i] ?? 0) / load })).sort((a, b) => a.load - b.load)
  const one = units[0]?.each ?? 1
  const top = units.reduce((best, unit) => (unit.each > best.each ? unit : best), { load: 0, each: one })
  return { factor: top.each / one, at: top.load }
}

function percentOf(factor: number): number {
  return Math.round((factor - 1) * 100)
}

function warningsOf({ n }: Points, { beta }: UslModel): string[] {
  const distinct = new Set(n).size
  return [
    ...(distinct < FEW_POINTS
      ? [`only ${distinct} different loads: the fit is weak (${FEW_POINTS} or more are wanted)`]
      : []),
    ...(beta === 0
      ? [`no retrograde seen up to N = ${Math.max(...n)}: where throughput falls again is not known`]
      : []),
  ]
}
