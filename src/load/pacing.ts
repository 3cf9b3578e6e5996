/**
 * By what a load phase runs: its schedule, its slots, and what follows the measured part. With several sending threads
 * each has its share: every n-th request of an open loop, its part of the slots and requests of a closed one.
 */
import { share } from '../schedule/blocks.ts'
import { buildRamp, flatRamp, type Ramp, shiftRamp } from '../schedule/ramp.ts'
import { replay } from '../schedule/replay.ts'
import {
  closedLoop,
  fixedSlots,
  limitRequests,
  openLoop,
  rampedSlots,
  type Schedule,
  type ScheduleLimits,
  type SlotsAt,
  slice,
} from '../schedule/schedule.ts'
import { hash32 } from '../stats/random.ts'
import { RingRows } from '../workload/traces/ring.ts'
import type { PhasePlan, RunPlan } from './plan.ts'

/** One of several threads that share a run's load. */
export interface WorkerShare {
  index: number
  count: number
}

export const ALONE: WorkerShare = { index: 0, count: 1 }

export interface Pacing {
  open: boolean
  /** The measured part. */
  schedule: Schedule
  /** The same load without its limits, for the cool-down. */
  unlimited: Schedule
  slotsAt: SlotsAt
  /** Closed loop: the pause between an answer and the slot's next request. */
  thinkUs: number
  /** Of the measured part; Infinity when a number of requests ends it. */
  durationUs: number
  coolDownUs: number
  /** Time that requests in flight get when the sending ends. */
  drainUs: number
  /** For this long after the duration, requests that were due within it are still sent. */
  owedUs: number
}

/** The pacing of a measured phase; `phase.requests` is this worker's share already. */
export function buildPacing(plan: RunPlan, phase: PhasePlan, worker: WorkerShare, coolDownUs: number): Pacing {
  const { load, durationUs, blocks } = plan
  const offsetUs = durationUs === undefined ? 0 : (durationUs / blocks) * phase.firstBlock
  // What is left out comes on top, at the last level where the stages are over.
  const onTopUs = phase.excludeIdleFirst && load.mode === 'open' ? (phase.durationUs ?? 0) : 0
  const ramp = load.stages && shiftRamp(buildRamp(extendStages(load.stages, coolDownUs + onTopUs)), offsetUs)
  const { arms, firstBlock } = phase
  const requests = phase.requests === undefined ? undefined : phase.requests * arms.length
  const limits = { requests, durationUs: phase.durationUs }
  const seed = hash32(`arrival/${plan.workload.seed}/${firstBlock}`)
  const pacing = buildShare(plan, limits, ramp, worker, coolDownUs, seed)
  if (load.mode !== 'open' || !load.trace) return pacing
  const recorded = replay(new RingRows(load.trace), arms.length, worker)
  return { ...pacing, schedule: limitRequests(recorded, requests), unlimited: recorded }
}

/** The warm-up runs at the load of the run; where that ramps, at its first level; of a trace, at its mean rate. */
export function buildWarmupPacing(plan: RunPlan, limits: ScheduleLimits, worker: WorkerShare): Pacing {
  return buildShare(plan, limits, undefined, worker, 0, hash32(`warm-up/${plan.workload.seed}`))
}

function buildShare(
  { load, timeoutUs, drainUs }: RunPlan,
  { requests, durationUs }: ScheduleLimits,
  ramp: Ramp | undefined,
  { index, count }: WorkerShare,
  coolDownUs: number,
  seed: number,
): Pacing {
  const common = {
    durationUs: durationUs ?? Number.POSITIVE_INFINITY,
    coolDownUs,
    drainUs: drainUs ?? Number.POSITIVE_INFINITY,
    owedUs: drainUs ?? timeoutUs,
  }
  const first = load.stages?.[0]?.to || undefined
  if (load.mode === 'closed') {
    const lastsUs = common.durationUs + coolDownUs
    return {
      ...common,
      open: false,
      schedule: closedLoop({ requests, durationUs }),
      unlimited: closedLoop({}),
      slotsAt: ramp
        ? rampedSlots(ramp, lastsUs, index, count)
        : fixedSlots(share(first ?? load.concurrency, count, index)),
      thinkUs: load.thinkUs ?? 0,
    }
  }
  const rate = ramp ?? flatRamp(first ?? load.rps)
  const schedule = (within: ScheduleLimits): Schedule => slice(openLoop(rate, within, load.arrival, seed), index, count)
  return {
    ...common,
    open: true,
    schedule: limitRequests(schedule({ durationUs }), requests),
    unlimited: schedule({}),
    slotsAt: fixedSlots(share(load.maxInFlight, count, index)),
    thinkUs: 0,
  }
}

/** The stages, with the last level held for longer. */
function extendStages(stages: NonNullable<RunPlan['load']['stages']>, byUs: number) {
  const last = stages.at(-1)?.to ?? 0
  return byUs > 0 ? [...stages, { from: last, to: last, durationUs: byUs }] : stages
}
