/**
 * A run, fully decided before it starts, and its cut into load phases. Plain data that crosses to the sending threads,
 * and pure functions of it.
 */
import type { ConnectionSpec } from '../client/connection.ts'
import type { Deadlines } from '../client/deadlines.ts'
import type { RequestHead } from '../client/request-result.ts'
import type { Arrival } from '../schedule/arrivals.ts'
import { interleave, share, shareOfBlocks } from '../schedule/blocks.ts'
import type { RampStage } from '../schedule/ramp.ts'
import type { AbortRule } from '../slo/abort-rule.ts'
import type { TraceRing } from '../workload/traces/ring.ts'
import { singleRequests, traceOf, type WorkloadSpec } from '../workload/workload.ts'
import type { CancelPlan } from './cancellation.ts'

export interface ArmPlan {
  name: string
  origin: string
  path: string
  /** By part of the workload, where the address says what is asked. */
  paths?: string[] | undefined
  headers: Record<string, string>
  /** Eight letters that make this arm's nonces its own. */
  tag: string
}

/** By block the arms run one at a time; by request all are under load, and share it. */
type Pairing = 'block' | 'request'

export type Load =
  /** With stages, `concurrency` is their highest level. */
  | { mode: 'closed'; concurrency: number; stages?: RampStage[] | undefined; thinkUs?: number | undefined }
  /**
   * `maxInFlight` limits the requests in flight; a request that is due beyond it waits, and its wait counts. With
   * stages, `rps` is their highest level.
   */
  | {
      mode: 'open'
      rps: number
      maxInFlight: number
      arrival?: Arrival | undefined
      stages?: RampStage[] | undefined
      /** Requests come as they were recorded; `rps` is then their mean rate, as far as it is known. */
      trace?: TraceRing | undefined
    }

export interface RunPlan {
  arms: ArmPlan[]
  /** Which of them the others are compared with: never the first. */
  baseline?: number | undefined
  workload: WorkloadSpec
  load: Load
  /**
   * For each arm; where requests belong to conversations, so many sessions. At least one of the two is set, or
   * `blockUs`.
   */
  requests: number | undefined
  durationUs: number | undefined
  blocks: number
  /** The length of a block where nobody knows how long the run is: the last one takes the rest. */
  blockUs?: number | undefined
  /** How several arms take turns; by block where it is not given. */
  pairing?: Pairing | undefined
  /** Arms in turns by block: the first request of each connection in a block is sent and excluded from the figures. */
  excludeIdleFirst?: boolean | undefined
  /** Numbers of blocks after which the run pauses for an interim analysis, and may end. */
  interimAnalyses?: readonly number[] | undefined
  /**
   * Requests sent on each arm before the measurement; 0 where only `warmupUs` limits it. The first limit reached ends
   * it.
   */
  warmup: number
  warmupUs?: number | undefined
  /** Load that goes on after the last measured request was sent, and is excluded from the figures. */
  coolDownUs?: number | undefined
  /** For a whole request. */
  timeoutUs: number
  /** The same by category of the workload, where each category has its own timeout. */
  categoryTimeoutsUs?: number[] | undefined
  /** The finer deadlines. */
  deadlines?: Omit<Deadlines, 'totalUs'> | undefined
  /** Time that requests in flight (or due and not yet sent) get when the sending ends; else the timeout. */
  drainUs?: number | undefined
  /** An answer that holds nothing is a success. */
  allowEmpty?: boolean | undefined
  /** How connections are made; HTTP/1.1, kept alive, where it is not given. */
  connection?: ConnectionSpec | undefined
  /** Threads that share the load. */
  workers?: number | undefined
  /** The sending threads run under real-time scheduling (src/system/realtime.ts). */
  realtime?: boolean | undefined
  /** The sending threads first run the same load against a provider in this process (jit-warmup.ts). */
  jitWarmup?: boolean | undefined
  /** A request to each arm comes first, in a run of its own (src/bench/validate.ts). */
  validate?: boolean | undefined
  /** The validating request failed, and that might have passed: a warm-up that fails too ends the run. */
  doubtful?: boolean | undefined
  /** The first failure that every other request would meet too ends the run. */
  stopWhenRefused?: boolean | undefined
  /** An arm that fails is a row among others, and one that is dead is dropped: the run goes on with the rest. */
  outlivesArms?: boolean | undefined
  /** Conditions that end the run; any of them on any arm. */
  abortOn?: readonly AbortRule[] | undefined
  /** Send nothing to an arm for as long as it tells in `Retry-After`. */
  respectRetryAfter?: boolean | undefined
  /** Keep answers of all arms, to be compared with those of the baseline after the run. */
  compareAnswers?: boolean | undefined
  /** Sessions that are under way at once, at most. */
  maxSessions?: number | undefined
  /** A share of the requests is left by the client before its end. */
  cancel?: CancelPlan | undefined
  /** The numbers of the requests that are sent, instead of 0, 1, 2, … */
  only?: readonly number[] | undefined
  /** Input and output tokens, over all arms, after which nothing more is sent. */
  tokenBudget: number | undefined
  /** What may be spent, over all arms; nothing more is sent after it. */
  costBudget?: CostBudget | undefined
}

/** US dollars a million tokens. */
export interface TokenPrice {
  inputUsd: number
  outputUsd: number
}

export interface CostBudget extends TokenPrice {
  usd: number
}

/** Requests that are in no figure of the run, sent as those of `plan` are: so many on each of `arms`. */
export function planBeside(plan: RunPlan, arms: ArmPlan[], requests: number, concurrency = 1): RunPlan {
  const { workload, timeoutUs, categoryTimeoutsUs, deadlines, connection, allowEmpty, tokenBudget, costBudget } = plan
  return {
    arms,
    workload: singleRequests(workload),
    load: { mode: 'closed', concurrency },
    requests,
    durationUs: undefined,
    blocks: 1,
    excludeIdleFirst: false,
    warmup: 0,
    ...{ timeoutUs, categoryTimeoutsUs, deadlines, connection, allowEmpty, tokenBudget, costBudget },
  }
}

/** The plan for another machine: a ring is memory of this one. */
export function withoutRing(plan: RunPlan): RunPlan {
  return traceOf(plan.workload) ? withRing(plan, { memory: {} } as unknown as TraceRing) : plan
}

/** The plan with this ring, wherever it has one. */
export function withRing(plan: RunPlan, ring: TraceRing): RunPlan {
  const { load, workload } = plan
  const parts = workload.parts.map((part) => {
    return part.source.kind === 'trace' ? { ...part, source: { ...part.source, ring } } : part
  })
  return {
    ...plan,
    workload: { ...workload, parts },
    load: load.mode === 'open' && load.trace ? { ...load, trace: ring } : load,
  }
}

/** One phase of uninterrupted load with one or more blocks: of one arm, or of several that alternate by request. */
export interface PhasePlan {
  arms: readonly number[]
  firstBlock: number
  blocks: number
  /** For each arm. */
  requests: number | undefined
  durationUs: number | undefined
  blockUs?: number | undefined
  /** The arm was idle while the others ran: the first request of each connection is excluded from the figures. */
  excludeIdleFirst: boolean
  /** An interim analysis follows the phase: the number of blocks of each arm that are done by then. */
  interimAnalysisAfter?: number | undefined
}

/**
 * Cuts a run into load phases. One arm runs in one phase, so that an open loop never pauses. Several arms take turns, a
 * block each, in a balanced random order; paired by request, all run in one phase. An interim analysis ends a phase.
 */
export function planPhases(plan: RunPlan): PhasePlan[] {
  const { arms, blocks, pairing, workload, interimAnalyses = [] } = plan
  const all = arms.map((_, index) => index)
  const pauses = interimAnalyses.filter((after) => after < blocks)
  if (arms.length === 1 || pairing === 'request') {
    const ends = [...pauses, blocks]
    return ends.map((end, i) => {
      const firstBlock = ends[i - 1] ?? 0
      return {
        ...planPhase(plan, all, firstBlock, end - firstBlock),
        ...(end < blocks ? { interimAnalysisAfter: end } : {}),
      }
    })
  }
  return interleave(all, blocks, workload.seed).map(({ arm, block }, i) => ({
    ...planPhase(plan, [arm], block, 1),
    ...((i + 1) % arms.length === 0 && pauses.includes(block + 1) ? { interimAnalysisAfter: block + 1 } : {}),
  }))
}

function planPhase(
  { arms, blocks: all, requests, durationUs, blockUs, load, excludeIdleFirst = true }: RunPlan,
  used: readonly number[],
  firstBlock: number,
  blocks: number,
): PhasePlan {
  return {
    arms: used,
    firstBlock,
    blocks,
    requests: requests === undefined ? undefined : shareOfBlocks(requests, all, firstBlock, blocks),
    // A trace is played to all arms at once.
    durationUs:
      durationUs === undefined
        ? undefined
        : (durationUs / all) * blocks * (load.mode === 'open' && load.trace ? 1 : used.length),
    blockUs,
    excludeIdleFirst: excludeIdleFirst && used.length < arms.length,
  }
}

/** What one of `count` threads sends of a phase. */
export function shareOfPhase(phase: PhasePlan, { count, index }: { count: number; index: number }): PhasePlan {
  const { requests } = phase
  return { ...phase, requests: requests === undefined ? undefined : share(requests, count, index) }
}

/** The block of the `index`-th request of a phase, due `dueUs` after the start of the phase. */
export function findBlock(phase: PhasePlan, index: number, dueUs: number): number {
  const { arms, firstBlock, blocks, requests, durationUs, blockUs = 1 } = phase
  const done = requests === undefined ? dueUs / (durationUs ?? blockUs * blocks) : index / (requests * arms.length)
  return firstBlock + Math.min(blocks - 1, Math.floor(done * blocks))
}

type Head = Pick<RequestHead, 'path' | 'headers'>

/** The heads of the requests of each part, by arm, where parts have headers or addresses of their own. */
export function headsByPart({ arms, workload: { parts } }: RunPlan): Head[][] | undefined {
  if (!parts.some((part) => part.headers) && !arms.some(({ paths }) => paths)) return undefined
  return arms.map(({ path, paths, headers }) =>
    parts.map((part, index) => ({
      path: paths?.[index] ?? path,
      headers: Object.entries({ ...headers, ...part.headers }).flat(),
    })),
  )
}
