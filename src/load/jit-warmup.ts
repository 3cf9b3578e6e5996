/**
 * The JIT warm-up: before a run each sending thread sends the same workload, by the same kind of load and connection,
 * to a provider in this process. The first thousands of requests of a thread run code that is not compiled yet, or that
 * is compiled beside them on the cores which the target needs: a cold thread sends milliseconds late and measures
 * latencies that are too high. Nothing of the warm-up reaches the target or the figures.
 */
import { ONE_AT_A_TIME } from '../client/connection.ts'
import { singleRequests } from '../workload/workload.ts'
import type { RunPlan } from './plan.ts'

/** A closed loop as fast as it goes, to have the hot code compiled. */
const SPRINT = { requests: 6_000, durationUs: 800_000, concurrency: 8 }
/** Then an open loop, where the run has one. */
const PACED = { durationUs: 300_000, rps: 1_000, maxInFlight: 100 }
const DRAIN_US = 200_000

/** Where the warm-up is sent; plain data that crosses to the sending threads. */
export interface JitWarmupAddress {
  origin: string
  path: string
  paths?: string[] | undefined
}

/** The plans that a sending thread runs before `plan`. */
export function planJitWarmup(plan: RunPlan, { origin, path, paths }: JitWarmupAddress): RunPlan[] {
  const { arms, workload, load, timeoutUs, connection = ONE_AT_A_TIME } = plan
  const common = {
    arms: arms.slice(0, 1).map((arm) => ({ ...arm, origin, path, paths })),
    workload: singleRequests(workload),
    blocks: 1,
    warmup: 0,
    timeoutUs,
    drainUs: DRAIN_US,
    // A connection for every request would use up the ports of this machine.
    connection: { ...connection, keepAlive: true, ca: undefined, insecure: true },
    tokenBudget: undefined,
  }
  const { requests, durationUs, concurrency } = SPRINT
  const sprint: RunPlan = { ...common, requests, durationUs, load: { mode: 'closed', concurrency } }
  if (load.mode === 'closed') return [sprint]
  const { rps, maxInFlight } = PACED
  const paced: RunPlan['load'] = { mode: 'open', rps, maxInFlight, arrival: load.arrival }
  return [sprint, { ...common, requests: undefined, durationUs: PACED.durationUs, load: paced }]
}
