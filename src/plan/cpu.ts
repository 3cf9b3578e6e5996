/**
 * Workers that the CPU needs. By Kong's sizing formula, workers = (input / R + output) / O_w, with R = I_w / O_w, the
 * ratio of what one worker passes: R is a ratio of costs and never taken from traffic. Or by a scalability fit over
 * worker counts, with the interval that the calibration's uncertainty gives; where one group of workers cannot reach
 * the load, it is split into equal groups. Redundancy multiplies the raw figure before it is rounded up: 4 x 27.7 is
 * 111 workers, not 4 x 28 = 112. Source: Kong AI Gateway resource sizing guidelines, capacity planning formula.
 */
import type { Demand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import type { PerWorker } from './sizing.ts'
import { middle95 } from './usl/fit.ts'
import { needFor, type UslModel } from './usl/model.ts'

/** A fit of throughput (equivalent output tokens/s) over worker counts. */
export interface Scaling {
  model: UslModel
  resampled: readonly UslModel[]
  largestN: number
}

/** What a worker passes, drawn again within what the measurement leaves open. */
export interface WorkerDraw {
  ratio: number
  outputPerWorker: number
}

interface CpuWorkers {
  raw: number
  /** 95 % of what the draws give; undefined without a calibration. */
  interval: readonly [number, number] | undefined
  /** Groups that the load is split into; 1 unless a scalability fit demands more. */
  groups: number
  /** Whether the answer lies beyond twice the largest number of workers measured. */
  beyondMeasured: boolean
}

/** Beyond this many times the largest N measured, a fit is a guess. */
const TRUSTED_SPAN = 2

export function cpuWorkers(
  demand: Demand,
  figures: PlanFigures,
  factor: number,
  draws: readonly WorkerDraw[] = [],
  scaling?: Scaling,
): CpuWorkers {
  const load = factor * equivalentOutputLoad(demand, figures.ratio.value)
  if (!scaling) {
    const values = draws.map((draw) => (factor * equivalentOutputLoad(demand, draw.ratio)) / draw.outputPerWorker)
    return {
      raw: load / figures.outputPerWorker.value,
      interval: values.length > 0 ? middle95(values) : undefined,
      groups: 1,
      beyondMeasured: false,
    }
  }
  const { workers, groups } = inGroups(load, scaling.model)
  const values = scaling.resampled.map((model) => inGroups(load, model).workers)
  return {
    raw: workers,
    interval: values.length > 0 ? middle95(values) : undefined,
    groups,
    beyondMeasured: workers / groups > TRUSTED_SPAN * scaling.largestN,
  }
}

/** The fewest equal groups of which each can reach its part (within a tenth, where they are many). */
function inGroups(load: number, model: UslModel): { workers: number; groups: number } {
  for (let groups = 1; ; groups = Math.max(groups + 1, Math.ceil(groups * 1.1))) {
    const need = needFor(load / groups, model)
    if (need !== undefined) return { workers: groups * Math.max(need, 0), groups }
    if (groups > 1e6) return { workers: Number.POSITIVE_INFINITY, groups }
  }
}

/** Tokens per second at the peak. */
interface TokenLoad {
  inputTokensPerSec: number
  outputTokensPerSec: number
}

/** Output tokens/s that cost as much as the whole demand. */
export function equivalentOutputLoad(demand: TokenLoad, ratio: number): number {
  return demand.inputTokensPerSec / ratio + demand.outputTokensPerSec
}

/** Workers before rounding and redundancy. */
export function rawWorkers(demand: TokenLoad, ratio: number, outputPerWorker: number): number {
  return equivalentOutputLoad(demand, ratio) / outputPerWorker
}

/** R from a worker's two throughputs. */
export function costRatio(worker: PerWorker): number {
  return worker.inputTokensPerSec / worker.outputTokensPerSec
}

/** The next whole number, at least 1; what binary fractions add in the thirteenth digit does not count. */
export function wholeUp(value: number): number {
  return Math.max(1, Math.ceil(Number(value.toPrecision(12))))
}
