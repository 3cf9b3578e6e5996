/**
 * From a plan to the pace of one stretch of load: the schedule, the slots, what follows the measured part. A worker's pace is its
 * share: every n-th request of the open loop, its part of the slots and requests of the closed one. Pure.
 */
import { share } from '../schedule/blocks.ts'
import { buildRamp, flatRamp, type Ramp, shiftRamp } from '../schedule/ramp.ts'
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
  /** Closed loop: between an answer and the slot's next request. */
  thinkUs: number
  /** Of the measured part; Infinity when its end is a number of requests. */
  durationUs: number
  coolDownUs: number
  /** What is in flight when the sending ends has this long. */
  drainUs: number
  /** What was due and not yet sent when the duration ends is sent for this long. */
  owedUs: number
}

/** `segment` with its requests already shared out to this worker. */
export function buildPacing(plan: RunPlan, segment: PhasePlan, worker: WorkerShare, coolDownUs: number): Pacing {
  const { load, durationUs, blocks } = plan
  const offsetUs = durationUs === undefined ? 0 : (durationUs / blocks) * segment.firstBlock
  const ramp = load.stages && shiftRamp(buildRamp(extended(load.stages, coolDownUs)), offsetUs)
  const { arms, firstBlock } = segment
  const requests = segment.requests === undefined ? undefined : segment.requests * arms.length
  const limits = { requests, durationUs: segment.durationUs }
  return pace(plan, limits, ramp, worker, coolDownUs, hash32(`arrival/${plan.workload.seed}/${firstBlock}`))
}

/** The warm-up runs at the run's load; where that moves, at the level it begins with. */
export function buildWarmupPacing(plan: RunPlan, limits: ScheduleLimits, worker: WorkerShare): Pacing {
  return pace(plan, limits, undefined, worker, 0, hash32(`warm-up/${plan.workload.seed}`))
}

function pace(
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

/** The last level held for as long as the cool-down takes. */
function extended(stages: NonNullable<RunPlan['load']['stages']>, coolDownUs: number) {
  const last = stages.at(-1)?.to ?? 0
  return coolDownUs > 0 ? [...stages, { from: last, to: last, durationUs: coolDownUs }] : stages
}
