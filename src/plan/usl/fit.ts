/**
 * A USL fit with what it is worth: standard errors sqrt(diag((J'J)^-1) RSS / (n - 3)) with Student's t, and a residual
 * bootstrap where a parameter lies on its bound or the points are few (12 or fewer), since the normal theory fails
 * there. What the data cannot carry is refused or said. (The R package usl prints "95 %" intervals from a one-sided
 * quantile; these are two-sided.)
 */
import { failure, type Result, success } from '../../errors.ts'
import { studentQuantile } from '../../stats/distributions.ts'
import { randomFrom } from '../../stats/random.ts'
import { crossProduct, jacobian, leastSquares, type Points, solve } from './least-squares.ts'
import { throughputAt, type UslModel } from './model.ts'

export const FEWEST_POINTS = 4
const FEW_POINTS = 6
const BOOTSTRAP_UP_TO = 12
const RESAMPLES = 400
/** Above the best so far by more than noise: throughput per N may not grow with N. */
const SUPERLINEAR = 1.1

export interface UslFit {
  model: UslModel
  standardError: UslModel | undefined
  /** Two-sided, by Student's t. */
  t95: Record<keyof UslModel, readonly [number, number]> | undefined
  /** By residual bootstrap, where it is due. */
  bootstrap95: Record<keyof UslModel, readonly [number, number]> | undefined
  /** Models refitted to resampled residuals: carry them through a plan to get its interval. */
  resampled: UslModel[]
  residualStandardError: number
  degreesOfFreedom: number
  largestN: number
  warnings: string[]
}

export function fitUsl(points: Points, seed = 1): Result<UslFit> {
  const why = refusal(points)
  if (why) return failure(why)
  const { model, rss, free } = leastSquares(points)
  const degreesOfFreedom = points.n.length - 3
  const atBound = free.length < 3
  const due = atBound || points.n.length <= BOOTSTRAP_UP_TO
  const resampled = due ? refits(points, model, seed) : []
  const standardError = atBound ? undefined : errors(points, model, rss / degreesOfFreedom)
  const t = studentQuantile(0.975, degreesOfFreedom)
  return success({
    model,
    standardError,
    t95:
      standardError &&
      byParameter((name) => [model[name] - t * standardError[name], model[name] + t * standardError[name]]),
    bootstrap95: due ? byParameter((name) => middle95(resampled.map((refit) => refit[name]))) : undefined,
    resampled,
    residualStandardError: Math.sqrt(rss / degreesOfFreedom),
    degreesOfFreedom,
    largestN: Math.max(...points.n),
    warnings: warningsOf(points, model),
  })
}

function refusal({ n, x }: Points): string | undefined {
  const distinct = new Set(n).size
  if (distinct < FEWEST_POINTS)
    return `a scalability fit needs at least ${FEWEST_POINTS} different loads, not ${distinct}`
  const bad = x.findIndex((value, i) => !(value > 0) || !Number.isFinite(value) || !((n[i] ?? 0) > 0))
  if (bad >= 0) return `point ${bad + 1} (N ${n[bad]}, throughput ${x[bad]}) is not a measurement: both must be above 0`
  const order = n.map((_, i) => i).sort((a, b) => (n[a] ?? 0) - (n[b] ?? 0))
  const [first = 0] = order
  const one = (x[first] ?? 0) / (n[first] ?? 1)
  const above = order.find((i) => (x[i] ?? 0) / (n[i] ?? 1) > one * SUPERLINEAR)
  if (above === undefined) return undefined
  const percent = Math.round(((x[above] ?? 0) / (n[above] ?? 1) / one - 1) * 100)
  return (
    `the throughput at N = ${n[above]} is ${percent} % more per unit than at N = ${n[first]}: superlinear scaling is ` +
    'an error in the data (a cold start, a client that was not ready, another load)'
  )
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

function errors(points: Points, model: UslModel, variance: number): UslModel | undefined {
  const names = ['alpha', 'beta', 'gamma'] as const
  const normal = crossProduct(jacobian(points, model, names))
  const diagonal = names.map(
    (_, j) =>
      solve(
        normal,
        names.map((_, k) => (j === k ? 1 : 0)),
      )?.[j],
  )
  if (diagonal.some((value) => value === undefined || !(value >= 0))) return undefined
  const [alpha = 0, beta = 0, gamma = 0] = diagonal.map((value) => Math.sqrt((value ?? 0) * variance))
  return { alpha, beta, gamma }
}

/** Refits to the fitted values plus residuals drawn again, inflated for the three parameters they were fitted with. */
function refits(points: Points, model: UslModel, seed: number): UslModel[] {
  const random = randomFrom(`usl:${seed}`)
  const fitted = points.n.map((n) => throughputAt(n, model))
  const inflation = Math.sqrt(points.n.length / (points.n.length - 3))
  const residuals = points.x.map((x, i) => (x - (fitted[i] ?? 0)) * inflation)
  return Array.from({ length: RESAMPLES }, () => {
    const x = fitted.map((value) => Math.max(1e-9, value + (residuals[Math.floor(random() * residuals.length)] ?? 0)))
    return leastSquares({ n: points.n, x }).model
  })
}

function byParameter(
  read: (name: keyof UslModel) => readonly [number, number],
): Record<keyof UslModel, readonly [number, number]> {
  return { alpha: read('alpha'), beta: read('beta'), gamma: read('gamma') }
}

/** The 2.5th and 97.5th percentile. */
function middle95(values: readonly number[]): readonly [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (q: number): number =>
    sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(q * (sorted.length - 1))))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}
