/**
 * The verdict of kt on its own client: `saturated` when the client was the limit (such a run cannot pass a gate),
 * `noisy` when the machine was, `rate-not-reached` when requests left more slowly than asked, `ok` otherwise. The rules
 * err towards doubt.
 */
import type { RunRecord } from '../load/merge.ts'
import { toMs } from '../report/duration-summary.ts'
import type { BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import type { SelfReading } from '../system/self-monitor.ts'
import { formatMs } from '../units.ts'
import { rateNotReached } from '../verdict/rate.ts'

const BUSY_LOOP = 0.9
const LATE_SEND_MS = 5
const LATE_LOOP_MS = 20
/** Share of the measured time in which the control group may hold the process. */
const THROTTLED = 0.01

export function judgeClient(record: RunRecord): BenchReport['client'] {
  const { self, workers, achievedToOffered, runtime } = record
  const lag = Histogram.unpack(record.sendLag)
  const sendLagMs =
    lag.count > 0 ? { p50: toMs(lag.quantileUs(0.5)), p99: toMs(lag.quantileUs(0.99)), max: toMs(lag.maxUs) } : null
  const { saturated, noisy } = doubts(record, sendLagMs?.p99)
  const sentLate = (sendLagMs?.p99 ?? 0) > LATE_SEND_MS
  const slow = rateNotReached({ achievedToOffered }) ?? (sentLate ? undefined : replayedLate(record))
  return {
    verdict:
      saturated.length > 0 ? 'saturated' : noisy.length > 0 ? 'noisy' : slow === undefined ? 'ok' : 'rate-not-reached',
    why: [...saturated, ...noisy, ...(slow === undefined ? [] : [slow])],
    sendLagMs,
    eventLoopDelayMs: { p99: round(self.eventLoopDelayMs.p99), max: round(self.eventLoopDelayMs.max) },
    eventLoopUtilization: round(self.eventLoopUtilization),
    cpuShare: round(self.cpuShare),
    gcMs: round(self.gcMs),
    achievedToOffered: achievedToOffered === null ? null : round(achievedToOffered),
    floorMs: measurementFloor(record),
    runtime: { ...runtime, v8Flags: [...runtime.v8Flags] },
    involuntarySwitches: self.involuntarySwitches,
    throttledMs: self.throttledMs === null ? null : round(self.throttledMs),
    ...(workers.length > 0 ? { workers: workers.map(workerOf) } : {}),
  }
}

/** A trace whose requests left late, also for want of a slot, was not replayed. */
function replayedLate({ arms }: RunRecord): string | undefined {
  const late = arms.flatMap(({ replay }) => (replay ? [Histogram.unpack(replay.late)] : []))
  const [p99, most] = [
    Math.max(0, ...late.map((each) => each.quantileUs(0.99) || 0)),
    Math.max(0, ...late.map((each) => each.maxUs)),
  ]
  if (toMs(p99) <= LATE_SEND_MS) return undefined
  return `the trace was replayed ${formatMs(toMs(p99))} ms late at P99, ${formatMs(toMs(most))} ms at most`
}

/** The rules that the run breaks, in words. */
function doubts(record: RunRecord, lagP99Ms: number | undefined): { saturated: string[]; noisy: string[] } {
  const { self, measuredUs } = record
  const saturated: string[] = []
  const noisy: string[] = []
  const busy = self.eventLoopUtilization
  const threads = record.workers.length > 0 ? 'a sending thread' : 'the sending thread'
  if (busy > BUSY_LOOP) saturated.push(`${threads} was busy ${Math.round(busy * 100)} % of the time`)
  const exhausted = record.arms.reduce((sum, { outcomes }) => sum + (outcomes.KT_RESOURCES ?? 0), 0)
  if (exhausted > 0) saturated.push('this machine ran out of file descriptors or ports')
  if (lagP99Ms !== undefined && lagP99Ms > LATE_SEND_MS) {
    const late = busy > BUSY_LOOP / 2 ? saturated : noisy
    late.push(`sends were ${formatMs(lagP99Ms)} ms late at P99`)
  }
  const { p99 } = self.eventLoopDelayMs
  if (p99 > LATE_LOOP_MS) noisy.push(`the event loop was ${formatMs(p99)} ms late at P99`)
  const throttled = self.throttledMs === null ? 0 : (self.throttledMs * 1_000) / measuredUs
  if (throttled > THROTTLED) {
    noisy.push(`the control group's CPU limit held kt for ${round(throttled * 100)} % of the time`)
  }
  return { saturated, noisy }
}

function workerOf({ eventLoopUtilization, eventLoopDelayMs, gcMs }: SelfReading) {
  return {
    eventLoopUtilization: round(eventLoopUtilization),
    eventLoopDelayP99Ms: round(eventLoopDelayMs.p99),
    gcMs: round(gcMs),
  }
}

/** The stamped reading of the direct arm: the measurement floor, which is the error of the instrument. */
function measurementFloor(record: RunRecord): BenchReport['client']['floorMs'] {
  const direct = record.arms.find((arm) => arm.name === 'direct')
  const floor = direct && Histogram.unpack(direct.stamped.total)
  if (!floor || floor.count === 0) return null
  const [p50, p99] = [toMs(floor.quantileUs(0.5)), toMs(floor.quantileUs(0.99))]
  return { p50, p99, source: 'direct-arm', count: floor.count }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000
}
