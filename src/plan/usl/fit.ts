/**
 * A USL fit of the throughputs at several loads, with the scatter around it. What the data cannot carry is refused or
 * said.
 */
import { failure, type Result, success } from '../../errors.ts'
import { leastSquares, type Points } from './least-squares.ts'
import type { UslModel } from './model.ts'

export const FEWEST_POINTS = 4
const FEW_POINTS = 6
/** Above the best so far by more than noise: throughput per N may not grow with N. */
const SUPERLINEAR = 1.1

export interface UslFit {
  model: UslModel
  residualStandardError: number
  largestN: number
  warnings: string[]
}

export function fitUsl(points: Points): Result<UslFit> {
  const why = refusal(points)
  if (why) return failure(why)
  const { model, rss } = leastSquares(points)
  return success({
    model,
    residualStandardError: Math.sqrt(rss / (points.n.length - 3)),
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
