/** A run, fully decided before it starts: plain data that crosses to the thread which sends. */
import type { ArmName } from '../report/schema.ts'
import type { WorkloadSpec } from '../workload/workload.ts'

export interface ArmPlan {
  name: ArmName
  origin: string
  path: string
  headers: Record<string, string>
  /** Eight letters that make this arm's nonces its own. */
  tag: string
}

export type Load =
  | { mode: 'closed'; concurrency: number }
  /** `maxInFlight` bounds the connections; what is due beyond it waits, and its wait counts. */
  | { mode: 'open'; rps: number; maxInFlight: number }

export interface RunPlan {
  arms: ArmPlan[]
  workload: WorkloadSpec
  load: Load
  /** For each arm. At least one is set. */
  requests: number | undefined
  durationUs: number | undefined
  blocks: number
  /** Requests sent on each arm before anything is measured. */
  warmup: number
  timeoutUs: number
  /** Input and output tokens after which no more is sent, over all arms. */
  tokenBudget: number | undefined
}

/** A stretch of uninterrupted load on one arm, holding one or more blocks. */
export interface Segment {
  arm: number
  firstBlock: number
  blocks: number
  requests: number | undefined
  durationUs: number | undefined
}
