/** What the sending thread and the one that watches it say to each other: plain data. */

import type { EncodedHistogram } from '../stats/histogram.ts'
import type { SelfReading } from '../system/self-monitor.ts'
import type { StopReason } from './engine.ts'
import type { ArmRecord } from './recorder.ts'
import type { Second } from './series.ts'

export interface Progress {
  phase: 'warm-up' | 'measuring'
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
  stopReason: StopReason | null
  measuredUs: number
}

export type FromWorker = { type: 'progress'; progress: Progress } | { type: 'done'; record: RunRecord }
export type ToWorker = { type: 'stop'; drainUs: number }
