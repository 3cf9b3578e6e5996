/** The P99 of the added wait at a planned size, simulated: what the two-moment formula is held against. */
import type { Plan } from '../../report/plan-schema.ts'
import { outputTokenSeconds } from '../cpu.ts'
import type { Demand } from '../demand.ts'
import type { PlanFigures } from '../figures.ts'
import { waitAt } from '../waiting.ts'
import { simulate } from './simulate.ts'
import { steadyTraffic } from './traffic.ts'
import type { WorkerCosts } from './workers.ts'

const RUNS = 5
const REQUESTS_A_RUN = 10_000
/** A few workers stand for all: each is a queue of its own at the same rate. */
const SAMPLE = 4

/** A stream is open, and silent, while hidden tokens are generated. */
export function workerCosts(figures: PlanFigures, demand?: Demand): WorkerCosts {
  const outputTokenS = 1 / figures.outputPerWorker.value
  const hiddenTokens = demand?.request.hiddenTokens ?? 0
  return {
    requestS: figures.requestCpuMs.value / 1_000,
    inputTokenS: outputTokenS / figures.ratio.value,
    outputTokenS: demand ? outputTokenSeconds(demand, figures) : outputTokenS,
    tokensPerSecPerStream: figures.tokensPerSecPerStream.value,
    ttftS: figures.ttftS.value + hiddenTokens / figures.tokensPerSecPerStream.value,
  }
}

/** Undefined where there is no steady state. */
export function confirmWait(
  demand: Demand,
  figures: PlanFigures,
  workers: number,
  seed = 1,
): Plan['simulated'] | undefined {
  const formula = waitAt(demand, figures, workers)
  if (formula.perWorkerP99Ms === undefined) return undefined
  const perWorker = demand.requestsPerSec / workers
  const seconds = Math.min(36_000, Math.max(10, Math.ceil(REQUESTS_A_RUN / (perWorker * SAMPLE))))
  const { request } = demand
  const kinds = request.kinds?.map((kind) => ({ ...kind, outputTokens: 0 }))
  const prompts = {
    ...demand,
    requestsPerSec: perWorker * SAMPLE,
    request: { ...request, outputTokens: 0, ...(kinds && { kinds }) },
  }
  const share = (demand.outputTokensPerSec / workers) * outputTokenSeconds(demand, figures)
  const costs = workerCosts(figures)
  const { wait, simulatedRequests } = simulate(
    steadyTraffic(prompts, seconds, undefined),
    {
      ...costs,
      // Tokens in their steady state are a slower worker: the same queue, in work that drains at 1 - share.
      requestS: costs.requestS / (1 - share),
      inputTokenS: costs.inputTokenS / (1 - share),
      workers: SAMPLE,
      zones: 1,
      budget: REQUESTS_A_RUN,
      seed,
    },
    RUNS,
  )
  const { value, low = value, high = value } = wait.p99Ms
  return {
    seed,
    workers,
    requests: simulatedRequests,
    p99Ms: value * (1 - share),
    p99Ms95: [low * (1 - share), high * (1 - share)],
    formulaP99Ms: formula.perWorkerP99Ms,
  }
}
