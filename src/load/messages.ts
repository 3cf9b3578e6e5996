/** What the sending threads and the one that watches them say to each other: plain data. */

import type { EncodedHistogram } from '../stats/histogram.ts'
import type { SelfReading } from '../system/self-monitor.ts'
import type { StopReason } from './engine.ts'
import type { WorkerShare } from './pacing.ts'
import type { RunPlan } from './plan.ts'
import type { ArmRecord } from './recorder.ts'
import type { StageAddress } from './rehearsal.ts'
import type { Second } from './series.ts'

export interface Progress {
  phase: 'rehearsal' | 'warm-up' | 'measuring'
  elapsedUs: number
  sent: number
  done: number
  failed: number
  inFlight: number
  /** Of the last whole second; null before there is one. */
  lastSecond: Second | null
}

export interface RunRecord {
  arms: ArmRecord[]
  /** Connections opened, by arm. */
  opened: number[]
  series: Second[]
  sendLag: EncodedHistogram
  /** Open loop: 1 when every request left on time. */
  achievedToOffered: number | null
  self: SelfReading
  /** Of each thread, where several sent. */
  workers: SelfReading[]
  stopReason: StopReason | null
  measuredUs: number
  /** By arm, some of its requests with when they left and ended: three numbers each (legs.ts). */
  timed: Float64Array[]
}

/** What a sending thread is started with. */
export interface ThreadData {
  plan: RunPlan
  worker: WorkerShare
  /** Where it rehearses first. */
  stage: StageAddress | undefined
  /** Hand over every request's times. */
  samples: boolean
}

export type FromWorker =
  /** Ready for the next stretch of load; where several threads share a run, they begin it together. */
  | { type: 'ready' }
  | { type: 'progress'; progress: Progress }
  /** Times of requests (samples.ts), and how many before them were lost because the reader was too slow. */
  | { type: 'samples'; rows: Float64Array; lost: number; startUs: number }
  /** So many blocks of each arm are done: judge what there is, and say whether to go on. */
  | { type: 'look'; blocks: number; record: RunRecord }
  /** It stops by itself: the others must too. */
  | { type: 'stopping'; reason: StopReason }
  | { type: 'done'; record: RunRecord }

export type ToWorker =
  | { type: 'begin'; startUs: number }
  /** The answer to a look. */
  | { type: 'looked'; goOn: boolean }
  | { type: 'stop'; reason: StopReason; drainUs: number }
  /** A batch of samples was taken care of. */
  | { type: 'taken' }
