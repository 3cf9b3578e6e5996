/**
 * Workers that the CPU needs. By Kong's sizing formula, workers = (input / R + output) / O_w, with R = I_w / O_w, the
 * ratio of what one worker passes: R is a ratio of costs and never taken from traffic. Where runs show that a request
 * costs by itself, requests x its CPU is added. Redundancy multiplies the raw figure before it is rounded up: 4 x 27.7
 * is 111 workers, not 4 x 28 = 112. Source: Kong AI Gateway resource sizing guidelines, capacity planning formula.
 */
import type { PlanFigures } from './figures.ts'
import type { PerWorker } from './sizing.ts'

/** Tokens per second at the peak. */
interface TokenLoad {
  inputTokensPerSec: number
  outputTokensPerSec: number
  requestsPerSec?: number | undefined
}

/** Output tokens/s that cost as much as the whole demand. */
export function equivalentOutputLoad(demand: TokenLoad, ratio: number): number {
  return demand.inputTokensPerSec / ratio + demand.outputTokensPerSec
}

/** Workers before rounding and redundancy. */
export function rawWorkers(demand: TokenLoad, ratio: number, outputPerWorker: number): number {
  return equivalentOutputLoad(demand, ratio) / outputPerWorker
}

/** The same by all figures of a plan, a request's own CPU among them. */
export function workersByFigures(demand: TokenLoad, { ratio, outputPerWorker, requestCpuMs }: PlanFigures): number {
  const byTokens = rawWorkers(demand, ratio.value, outputPerWorker.value)
  return byTokens + ((demand.requestsPerSec ?? 0) * requestCpuMs.value) / 1_000
}

/** R from a worker's two throughputs. */
export function costRatio(worker: PerWorker): number {
  return worker.inputTokensPerSec / worker.outputTokensPerSec
}

/** The next whole number, at least 1; what binary fractions add in the thirteenth digit does not count. */
export function wholeUp(value: number): number {
  return Math.max(1, Math.ceil(Number(value.toPrecision(12))))
}
