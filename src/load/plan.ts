/** A run, fully decided before it starts: plain data that crosses to the thread which sends. */
import type { ConnectionSpec } from '../client/connection.ts'
import type { Deadlines } from '../client/deadlines.ts'
import type { ArmName } from '../report/schema.ts'
import type { Arrival } from '../schedule/arrivals.ts'
import type { RampStage } from '../schedule/ramp.ts'
import type { WorkloadSpec } from '../workload/workload.ts'

export interface ArmPlan {
  name: ArmName
  origin: string
  path: string
  headers: Record<string, string>
  /** Eight letters that make this arm's nonces its own. */
  tag: string
}

/** By block the arms run one at a time; by request both are under load, and share it. */
export type Pairing = 'block' | 'request'

export type Load =
  /** With stages, `concurrency` is their highest level. */
  | { mode: 'closed'; concurrency: number; stages?: RampStage[] | undefined; thinkUs?: number | undefined }
  /**
   * `maxInFlight` bounds what is in flight; what is due beyond it waits, and its wait counts. With stages, `rps` is their
   * highest level.
   */
  | { mode: 'open'; rps: number; maxInFlight: number; arrival?: Arrival | undefined; stages?: RampStage[] | undefined }

export interface RunPlan {
  arms: ArmPlan[]
  workload: WorkloadSpec
  load: Load
  /** For each arm. At least one is set. */
  requests: number | undefined
  durationUs: number | undefined
  blocks: number
  /** How two arms take turns; blocks unless told. */
  pairing?: Pairing | undefined
  /** In turns by block: the first request of each connection in a block is sent and left out. */
  excludeIdleFirst?: boolean | undefined
  /** Numbers of blocks after which the run pauses to be judged, and may end. */
  interimAnalyses?: readonly number[] | undefined
  /** Requests sent on each arm before anything is measured; 0 where only `warmupUs` says how long; the first to be reached ends it. */
  warmup: number
  warmupUs?: number | undefined
  /** Load that goes on after the last measured request was sent, and is left out. */
  coolDownUs?: number | undefined
  /** For a whole request. */
  timeoutUs: number
  /** The same by category of the workload, where each has its own. */
  categoryTimeoutsUs?: number[] | undefined
  /** The finer deadlines. */
  deadlines?: Omit<Deadlines, 'totalUs'> | undefined
  /** What is in flight (or due and unsent) when the sending ends has this long; else the timeout. */
  drainUs?: number | undefined
  /** How connections are made; else HTTP/1.1, kept alive. */
  connection?: ConnectionSpec | undefined
  /** Threads that share the load. */
  workers?: number | undefined
  /** The threads go through it first on a provider of kt's own (rehearsal.ts). */
  jitWarmup?: boolean | undefined
  /** Input and output tokens after which no more is sent, over all arms. */
  tokenBudget: number | undefined
}

/** A stretch of uninterrupted load, holding one or more blocks: of one arm, or of two that alternate by request. */
export interface PhasePlan {
  arms: readonly number[]
  firstBlock: number
  blocks: number
  /** For each arm. */
  requests: number | undefined
  durationUs: number | undefined
  /** The arm has rested while the other one ran, and the first request of each connection does not count. */
  excludeIdleFirst: boolean
  /** After it the run is judged, and may end: so many blocks of each arm are done by then. */
  interimAnalysisAfter?: number | undefined
}
