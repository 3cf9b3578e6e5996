/** A schedule by the recorded times of a trace, which are read while the run goes on. */
import type { Schedule } from './schedule.ts'

export interface RecordedTimes {
  /** NaN where the row is not read yet, or the trace has no such row. */
  dueUs(row: number): number
  /** The trace was read to its end. */
  readonly over: boolean
  /** When one more request would have been due after it. */
  readonly endUs: number
  /** A sender needs no row before this one any longer. */
  take(row: number, worker: number): void
}

/** A row that is not read yet is asked for again after this time. */
const AGAIN_US = 500

/** Every row is due once on each of `arms`; of `count` workers, number `index` sends every count-th row. */
export function rowOf(sent: number, arms: number, { index, count }: { index: number; count: number }): number {
  return Math.floor(sent / arms) * count + index
}

export function replay(times: RecordedTimes, arms: number, worker: { index: number; count: number }): Schedule {
  return (elapsedUs, sent) => {
    const row = rowOf(sent, arms, worker)
    times.take(row, worker.index)
    // Before the time: a row that came in between would be taken for none.
    const { over } = times
    const atUs = times.dueUs(row)
    if (!Number.isNaN(atUs)) return { kind: 'due', atUs }
    return over ? { kind: 'end', atUs: times.endUs } : { kind: 'unknown', atUs: elapsedUs + AGAIN_US }
  }
}
