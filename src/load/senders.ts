/**
 * Who sends a run, and what is said to them: threads of this process (sending-threads.ts), or the workers of a fleet
 * (fleet/coordinator.ts). Both get the same plan and the same messages, so that the one who runs them (run.ts) does not
 * know which they are.
 */
import type { BlockMetric } from '../slo/metrics.ts'
import type { ToldBlock } from './finished-blocks.ts'
import type { StopReason } from './limits.ts'
import type { Progress, RunRecord } from './merge.ts'
import type { RunPlan } from './plan.ts'

/** What every sender of a run is started with. */
export interface SendersJob {
  plan: RunPlan
  /** Whether to hand over the times of every request. */
  samples: boolean
  /** The metrics to be told of each block that is over; undefined where nobody looks. */
  live: readonly BlockMetric[] | undefined
  /**
   * Of a fleet: each worker sends to a provider of its own, started beside it with these flags, instead of the address
   * of the plan.
   */
  upstream?: readonly string[] | undefined
}

export type FromSender =
  /** Ready for the next load phase; senders that share a run begin it together. */
  | { type: 'ready' }
  | { type: 'progress'; progress: Progress }
  | { type: 'blocks'; blocks: ToldBlock[] }
  /** Times of requests (samples.ts), and how many before them were lost because the reader was too slow. */
  | { type: 'samples'; rows: Float64Array; lost: number; startUs: number }
  /** `blocks` blocks of each arm are done: the sender waits for `interim-done`. */
  | { type: 'interim'; blocks: number; record: RunRecord }
  /** The sender stops by itself: the others must stop too. */
  | { type: 'stopping'; reason: StopReason }
  /** A target told this sender to wait, and the others must do so too. */
  | { type: 'held'; arm: number; untilUs: number }
  /** An arm is dead: the other senders must send nothing more to it either. */
  | { type: 'dropped'; arm: number; why: string }
  | { type: 'done'; record: RunRecord }

export type ToSender =
  | { type: 'begin'; startUs: number }
  /** The result of an interim analysis. */
  | { type: 'interim-done'; goOn: boolean }
  | { type: 'hold'; arm: number; untilUs: number }
  | { type: 'drop'; arm: number; why: string }
  | { type: 'stop'; reason: StopReason; drainUs: number }
  /** A batch of samples was taken care of. */
  | { type: 'taken' }

export interface HeardOfSenders {
  message(index: number, message: FromSender): void
  /** Nothing more is heard of this one, and what it sent is not known. The others stop. */
  lost(index: number): void
  /** Nothing of the run is a result. */
  failed(error: unknown): void
}

export interface Senders {
  readonly count: number
  /** Senders begin together this long after the last one was ready: longer than a message takes. */
  readonly beginAfterUs: number
  /** To one of them, or to all. */
  post(message: ToSender, index?: number): void
  /** The run has failed: whoever still sends is ended. */
  abandon(): Promise<unknown>
  /** The run is over. */
  close(): Promise<unknown>
}

export type StartSenders = (job: SendersJob, heard: HeardOfSenders) => Promise<Senders>
