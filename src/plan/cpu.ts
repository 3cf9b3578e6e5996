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
  /** Its streamed share; all of it where nothing is said. */
  request?: { streamedShare: number } | undefined
}

/** Output tokens/s that cost as much as the whole demand. */
export function equivalentOutputLoad(demand: TokenLoad, ratio: number): number {
  return demand.inputTokensPerSec / ratio + demand.outputTokensPerSec * jsonWeight(demand, ratio)
}

/** Tokens of an answer that is not streamed are a body, as a prompt's are, and cost what those cost. */
function jsonWeight({ request }: TokenLoad, ratio: number): number {
  const streamed = request?.streamedShare ?? 1
  return streamed + (1 - streamed) / ratio
}

/** CPU seconds of an output token in the mean; runs of one's own were of answers as they travel. */
export function outputTokenSeconds(demand: TokenLoad, { ratio, outputPerWorker }: PlanFigures): number {
  return (outputPerWorker.from === 'calibrated' ? 1 : jsonWeight(demand, ratio.value)) / outputPerWorker.value
}

/** Workers before rounding and redundancy. */
export function rawWorkers(demand: TokenLoad, ratio: number, outputPerWorker: number): number {
  return equivalentOutputLoad(demand, ratio) / outputPerWorker
}

/** The same by all figures of a plan, a request's own CPU among them. */
export function workersByFigures(demand: TokenLoad, figures: PlanFigures): number {
  const { ratio, outputPerWorker, requestCpuMs } = figures
  const byInput = demand.inputTokensPerSec / (ratio.value * outputPerWorker.value)
  const byOutput = demand.outputTokensPerSec * outputTokenSeconds(demand, figures)
  return byInput + byOutput + ((demand.requestsPerSec ?? 0) * requestCpuMs.value) / 1_000
}

/** R from a worker's two throughputs. */
export function costRatio(worker: PerWorker): number {
  return worker.inputTokensPerSec / worker.outputTokensPerSec
}

/** The next whole number, at least 1; what binary fractions add in the thirteenth digit does not count. */
export function wholeUp(value: number): number {
  return Math.max(1, Math.ceil(Number(value.toPrecision(12))))
}
