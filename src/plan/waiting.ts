/**
 * What waiting for a worker adds, at the planned number of workers. A worker serves two kinds of work: a prompt, which
 * takes its tokens / (R x O_w), and streamed tokens, 1 / O_w each, so many and so short that they are a steady share of
 * the CPU. Where the kernel spreads connections over workers (SO_REUSEPORT) each worker is a queue of its own, M/G/1;
 * one queue for all (an ideal balancer) is M/G/k. Both are given. In the queue of one's own, tokens in between slow a
 * prompt down: its mean wait is that of M/G/1 with the unfinished work growing at the tokens' rate, lambda E[S^2] / (2
 * (1 - rho)). Arrivals that burst more than a Poisson stream take Ca^2 in place of its 1 (Allen and Cunneen).
 */

import { outputTokenSeconds } from './cpu.ts'
import type { Demand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import { estimateWait } from './queueing.ts'

interface WorkerLoad {
  requestsPerSec: number
  /** Squared coefficient of variation of the times between its arrivals. */
  arrivalScv: number
  /** CPU seconds of a prompt, and their squared coefficient of variation. */
  promptS: number
  promptScv: number
  /** Share of the worker that streamed tokens take. */
  tokenShare: number
  utilisation: number
}

interface WaitAt {
  workers: number
  utilisation: number
  /** One queue a worker; undefined at or above capacity. */
  perWorkerP99Ms: number | undefined
  perWorkerMeanMs: number | undefined
  /** One queue for all. */
  pooledP99Ms: number | undefined
}

function workerLoad(demand: Demand, figures: PlanFigures, workers: number): WorkerLoad {
  const requestsPerSec = demand.requestsPerSec / workers
  const tokensS = demand.request.inputTokens / (figures.ratio.value * figures.outputPerWorker.value)
  const promptS = tokensS + figures.requestCpuMs.value / 1_000
  const tokenShare = (demand.outputTokensPerSec / workers) * outputTokenSeconds(demand, figures)
  return {
    requestsPerSec,
    // Each arrival goes to one of the workers at random, which takes the burstiness out of what comes to each.
    arrivalScv: 1 + Math.max(0, ((demand.arrivalScv ?? 1) - 1) / workers),
    promptS,
    // What a request costs by itself does not vary.
    promptScv: promptS === 0 ? 0 : demand.request.inputScv * (tokensS / promptS) ** 2,
    tokenShare,
    utilisation: requestsPerSec * promptS + tokenShare,
  }
}

export function waitAt(demand: Demand, figures: PlanFigures, workers: number): WaitAt {
  const load = workerLoad(demand, figures, workers)
  const { requestsPerSec, arrivalScv, promptS, promptScv, utilisation } = load
  const busy = utilisation < 1
  const meanS = busy ? (requestsPerSec * promptS ** 2 * (arrivalScv + promptScv)) / (2 * (1 - utilisation)) : undefined
  const pooled = estimateWait({
    arrivalsPerSec: demand.requestsPerSec,
    // Tokens take their share of every worker: to prompts the rest is a slower worker.
    meanServiceS: promptS / Math.max(1e-9, 1 - load.tokenShare),
    servers: workers,
    serviceScv: promptScv,
    arrivalScv: demand.arrivalScv ?? 1,
  })
  return {
    workers,
    utilisation,
    perWorkerMeanMs: meanS === undefined ? undefined : meanS * 1_000,
    perWorkerP99Ms: meanS === undefined ? undefined : exponentialTail(meanS, requestsPerSec * promptS, load) * 1_000,
    pooledP99Ms: busy && pooled ? pooled.quantileS(0.99) * 1_000 : undefined,
  }
}

/** P99 of a wait that is 0 with the probability that nobody works on a prompt, and exponential above. */
function exponentialTail(meanS: number, promptShare: number, { tokenShare }: WorkerLoad): number {
  // Unfinished prompt work drains at 1 - tokenShare, so it is there for this share of the time.
  const there = Math.min(1, promptShare / Math.max(1e-9, 1 - tokenShare))
  return there <= 0.01 ? 0 : (meanS / there) * Math.log(there / 0.01)
}
