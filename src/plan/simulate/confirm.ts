/** The P99 of the added wait at a planned size, simulated: what the two-moment formula is held against. */
import type { Demand } from '../demand.ts'
import type { PlanFigures } from '../figures.ts'
import { waitAt } from '../waiting.ts'
import { type FleetOptions, simulateFleet } from './fleet.ts'
import { steadyTraffic } from './traffic.ts'

interface ConfirmedWait {
  seed: number
  workers: number
  requests: number
  p99Ms: number
  formulaP99Ms: number
}

const REQUESTS = 100_000

/** A stream of `hiddenTokens` is open, and silent, while they are generated. */
export function fleetFigures(
  figures: PlanFigures,
  hiddenTokens = 0,
): Pick<FleetOptions, 'requestS' | 'inputTokenS' | 'outputTokenS' | 'tokensPerSecPerStream' | 'ttftS'> {
  const outputTokenS = 1 / figures.outputPerWorker.value
  return {
    requestS: figures.requestCpuMs.value / 1_000,
    inputTokenS: outputTokenS / figures.ratio.value,
    outputTokenS,
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
): ConfirmedWait | undefined {
  const formula = waitAt(demand, figures, workers)
  if (formula.perWorkerP99Ms === undefined) return undefined
  // A few workers stand for all: each is a queue of its own at the same rate.
  const perWorker = demand.requestsPerSec / workers
  const seconds = Math.min(36_000, Math.max(10, Math.ceil(REQUESTS / (perWorker * SAMPLE))))
  const prompts = { ...demand, requestsPerSec: perWorker * SAMPLE, request: { ...demand.request, outputTokens: 0 } }
  const share = (demand.outputTokensPerSec / workers) * (1 / figures.outputPerWorker.value)
  const result = simulateFleet(steadyTraffic(prompts, seconds, undefined), {
    ...fleetFigures(figures),
    // Tokens in their steady state are a slower worker: the same queue, in work that drains at 1 - share.
    requestS: fleetFigures(figures).requestS / (1 - share),
    inputTokenS: fleetFigures(figures).inputTokenS / (1 - share),
    workers: SAMPLE,
    zones: 1,
    budget: REQUESTS,
    seed,
  })
  return {
    seed,
    workers,
    requests: result.simulatedRequests,
    p99Ms: result.wait.p99Ms * (1 - share),
    formulaP99Ms: formula.perWorkerP99Ms,
  }
}

const SAMPLE = 4
