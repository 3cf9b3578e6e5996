/**
 * Fits the USL by Levenberg-Marquardt under its bounds, 0 <= a, b <= 1 and g >= 0. Every choice of which of a and b lie
 * on a bound is fitted on its own and the best admissible one wins: three parameters allow it, and a bound is then
 * reached exactly instead of being approached.
 */
import { solve } from '../../stats/solve.ts'
import { throughputAt, type UslModel } from './model.ts'

export interface Points {
  n: readonly number[]
  x: readonly number[]
}

interface Fit {
  model: UslModel
  /** Residual sum of squares. */
  rss: number
}

const ALL = ['alpha', 'beta', 'gamma'] as const
const MAX_STEPS = 500
/** From one place alone it may end in a valley that is not the deepest: loads differ by orders of magnitude. */
const STARTS = [
  { alpha: 0.01, beta: 1e-4 },
  { alpha: 1e-3, beta: 1e-8 },
  { alpha: 1e-5, beta: 1e-6 },
  { alpha: 0.3, beta: 1e-3 },
]

export function leastSquares(points: Points): Fit {
  let best: Fit | undefined
  for (const alpha of [undefined, 0, 1]) {
    for (const beta of [undefined, 0, 1]) {
      for (const start of STARTS) {
        const fit = levenbergMarquardt(points, alpha, beta, start)
        const { model } = fit
        const admissible = [model.alpha, model.beta].every((value) => value >= 0 && value <= 1) && model.gamma >= 0
        // A tie goes to the fit with more parameters inside, which comes first.
        if (admissible && (!best || fit.rss < best.rss * (1 - 1e-9))) best = fit
      }
    }
  }
  if (!best) throw new Error('no admissible fit: the one with both on a bound always is')
  return best
}

/** d X / d parameter at each point, by parameter. */
function jacobian({ n }: Points, model: UslModel, free: readonly (keyof UslModel)[]): number[][] {
  return n.map((at) => {
    const base = 1 + model.alpha * (at - 1) + model.beta * at * (at - 1)
    const byAlpha = (-model.gamma * at * (at - 1)) / base ** 2
    const derivative = { alpha: byAlpha, beta: byAlpha * at, gamma: at / base }
    return free.map((name) => derivative[name])
  })
}

function levenbergMarquardt(
  points: Points,
  alpha: number | undefined,
  beta: number | undefined,
  start: { alpha: number; beta: number },
): Fit {
  const fixed = { ...(alpha === undefined ? {} : { alpha }), ...(beta === undefined ? {} : { beta }) }
  const free = ALL.filter((name) => !(name in fixed))
  const gamma = Math.max(...points.x.map((x, i) => x / (points.n[i] ?? 1)))
  let model: UslModel = { ...start, gamma, ...fixed }
  let rss = residualSum(points, model)
  let damping = 1e-3
  for (let step = 0; step < MAX_STEPS && damping < 1e12; step++) {
    const rows = jacobian(points, model, free)
    const residuals = points.x.map((x, i) => x - throughputAt(points.n[i] ?? 0, model))
    const normal = crossProduct(rows)
    const gradient = free.map((_, j) => rows.reduce((sum, row, i) => sum + (row[j] ?? 0) * (residuals[i] ?? 0), 0))
    const damped = normal.map((row, j) => row.map((value, k) => (j === k ? value * (1 + damping) : value)))
    const delta = solve(damped, gradient)
    const next = delta && moved(model, free, delta)
    const nextRss = next ? residualSum(points, next) : Number.POSITIVE_INFINITY
    if (next && nextRss <= rss) {
      // By the step and not by the sum of squares, which is flat at its minimum: half the digits would be lost.
      const done = free.every((name) => Math.abs(next[name] - model[name]) <= 1e-13 * Math.abs(next[name]))
      model = next
      rss = nextRss
      damping /= 10
      if (done) break
    } else {
      damping *= 10
    }
  }
  return { model, rss }
}

function moved(model: UslModel, free: readonly (keyof UslModel)[], delta: readonly number[]): UslModel {
  const next = { ...model }
  free.forEach((name, j) => {
    next[name] += delta[j] ?? 0
  })
  return next
}

function residualSum({ n, x }: Points, model: UslModel): number {
  return x.reduce((sum, value, i) => sum + (value - throughputAt(n[i] ?? 0, model)) ** 2, 0)
}

/** J'J. */
function crossProduct(rows: readonly (readonly number[])[]): number[][] {
  const size = rows[0]?.length ?? 0
  return Array.from({ length: size }, (_, j) =>
    Array.from({ length: size }, (_, k) => rows.reduce((sum, row) => sum + (row[j] ?? 0) * (row[k] ?? 0), 0)),
  )
}
