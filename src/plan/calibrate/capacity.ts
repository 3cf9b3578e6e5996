/**
 * What one worker passes, from runs that kept their workers busy. The capacity of a group of like runs is the
 * throughput of the best one, the peak of a curve over concurrency (USL), or, by the utilisation law, throughput over
 * busy share where the workers' CPU was not used up. From the capacities follows the cost of a token: workers = a x
 * input + b x output, with a = 1 / I_w and b = 1 / O_w. Two mixes of input and output at least, or a and b cannot be
 * told apart: then R is kept and only O_w is taken.
 */
import { type Result, success } from '../../errors.ts'
import { FEWEST_POINTS, fitUsl } from '../usl/fit.ts'
import { asymptote, peak, throughputAt } from '../usl/model.ts'
import { equivalentOutput, type MeasuredRun, partlyBusy } from './run.ts'

export interface CapacityPoint {
  workers: number
  inputTokensPerSec: number
  outputTokensPerSec: number
  relativeError: number
}

/** Input:output ratios within this factor are one mix. */
const SAME_MIX = 1.2

/** Runs of the same workers and about the same mix: their concurrencies are points of one curve. */
export function groupByMix(runs: readonly MeasuredRun[]): MeasuredRun[][] {
  const groups: MeasuredRun[][] = []
  for (const run of runs) {
    const same = groups.find(([first]) => {
      if (!first || first.workers !== run.workers) return false
      const factor = inputOutputRatio(first) / inputOutputRatio(run)
      return factor < SAME_MIX && factor > 1 / SAME_MIX
    })
    if (same) same.push(run)
    else groups.push([run])
  }
  return groups
}

/**
 * The most that a group's workers passed: of a fitted curve over concurrency where there is one, else of the best run.
 * Where the workers' CPU is known and was not used up, the curve is that of another limit, and what they would pass
 * follows from their CPU.
 */
export function measureCapacity(group: readonly MeasuredRun[], ratio: number, notes: string[]): Result<CapacityPoint> {
  const equivalent = (run: MeasuredRun): number => equivalentOutput(run, ratio)
  const best = group.reduce((top, run) => (equivalent(run) > equivalent(top) ? run : top))
  const levels = new Set(group.map((run) => run.concurrency).filter((level) => level !== undefined))
  const busy = partlyBusy(best)
  const point: CapacityPoint = {
    workers: best.workers,
    inputTokensPerSec: best.inputTokensPerSec / (busy ?? 1),
    outputTokensPerSec: best.outputTokensPerSec / (busy ?? 1),
    relativeError: best.relativeError,
  }
  if (busy !== undefined) {
    const who = best.workers === 1 ? 'the worker was' : `${best.workers} workers were`
    notes.push(
      `${best.label}: ${who} ${Math.round(busy * 100)} % busy where most passed, so something else was the limit. ` +
        'That a token costs as much CPU in a fully busy worker is an assumption',
    )
    return success(point)
  }
  if (levels.size < FEWEST_POINTS) return success(point)
  const curve = group.filter((run) => run.concurrency !== undefined)
  const result = fitUsl({ n: curve.map((run) => run.concurrency ?? 0), x: curve.map(equivalent) })
  if (!result.ok) return result
  const { model, largestN, residualStandardError, warnings } = result.value
  const top = peak(model)
  const at = top && top.n <= largestN ? top.n : largestN
  const factor = throughputAt(at, model) / equivalent(best)
  const limit = asymptote(model)
  const shape = top && top.n <= largestN ? `peaks at ${Math.round(top.n)} in flight` : 'still grows'
  const cap = limit ? `, contention alone would cap it at ${Math.round(limit)} equivalent tokens/s` : ''
  notes.push(
    `over concurrency up to ${largestN}, ${best.workers} worker${best.workers === 1 ? '' : 's'}: ` +
      `throughput ${shape}${cap}`,
    ...warnings,
  )
  return success({
    ...point,
    inputTokensPerSec: point.inputTokensPerSec * factor,
    outputTokensPerSec: point.outputTokensPerSec * factor,
    relativeError: Math.max(point.relativeError, residualStandardError / throughputAt(at, model)),
  })
}

function inputOutputRatio(run: MeasuredRun): number {
  return run.inputTokensPerSec / Math.max(run.outputTokensPerSec, 1e-9)
}

interface WorkerCosts {
  /** Worker-seconds a token. */
  input: number
  output: number
}

/** Mixes whose input:output ratios differ by less are one mix. */
const DISTINCT_MIX = 1.5

export function hasDistinctMixes(points: readonly CapacityPoint[]): boolean {
  const ratios = points.map(
    ({ inputTokensPerSec, outputTokensPerSec }) => inputTokensPerSec / Math.max(outputTokensPerSec, 1e-9),
  )
  return Math.max(...ratios) / Math.min(...ratios) >= DISTINCT_MIX
}

/**
 * By least squares over the relative error, neither cost below zero. Undefined where the data give one of them as zero:
 * the mixes are too near, or something else bound.
 */
export function workerCosts(points: readonly CapacityPoint[]): WorkerCosts | undefined {
  // Each point says a x + b y = 1.
  let [xx, xy, yy, x1, y1] = [0, 0, 0, 0, 0]
  for (const { workers, inputTokensPerSec, outputTokensPerSec } of points) {
    const [x, y] = [inputTokensPerSec / workers, outputTokensPerSec / workers]
    xx += x * x
    xy += x * y
    yy += y * y
    x1 += x
    y1 += y
  }
  const determinant = xx * yy - xy * xy
  if (!(determinant > 1e-9 * xx * yy)) return undefined
  const input = (yy * x1 - xy * y1) / determinant
  const output = (xx * y1 - xy * x1) / determinant
  return input > 0 && output > 0 ? { input, output } : undefined
}

/** With R kept: b = mean of workers / equivalent output, weighted like the fit above. */
export function workerCostsWithRatio(points: readonly CapacityPoint[], ratio: number): WorkerCosts {
  const loads = points.map(
    ({ workers, inputTokensPerSec, outputTokensPerSec }) => (inputTokensPerSec / ratio + outputTokensPerSec) / workers,
  )
  const output = loads.reduce((sum, load) => sum + load, 0) / loads.reduce((sum, load) => sum + load * load, 0)
  return { input: output / ratio, output }
}
