/**
 * What kt says of itself: `saturated` when the client was the limit (a run that cannot pass a gate), `noisy` when the machine
 * was, `ok` otherwise. The rules err towards doubt.
 */

import { toMs } from '../report/distribution.ts'
import type { BenchReport } from '../report/schema.ts'
import { Histogram } from '../stats/histogram.ts'
import type { RunRecord } from './messages.ts'

const BUSY_LOOP = 0.9
const LATE_SEND_MS = 5
const LATE_LOOP_MS = 20

export function clientOf(record: RunRecord): BenchReport['client'] {
  const { self, achievedToOffered } = record
  const lag = Histogram.decode(record.sendLag)
  const sendLagMs =
    lag.count > 0 ? { p50: toMs(lag.quantileUs(0.5)), p99: toMs(lag.quantileUs(0.99)), max: toMs(lag.maxUs) } : null
  const round = (value: number): number => Math.round(value * 1_000) / 1_000

  const saturated: string[] = []
  const noisy: string[] = []
  if (self.eventLoopUtilization > BUSY_LOOP) {
    saturated.push(`the sending thread was busy ${Math.round(self.eventLoopUtilization * 100)} % of the time`)
  }
  if (sendLagMs && sendLagMs.p99 > LATE_SEND_MS) {
    const why = `sends were ${sendLagMs.p99} ms late at P99`
    if (self.eventLoopUtilization > BUSY_LOOP / 2) saturated.push(why)
    else noisy.push(why)
  }
  if (self.eventLoopDelayMs.p99 > LATE_LOOP_MS)
    noisy.push(`the event loop was ${round(self.eventLoopDelayMs.p99)} ms late at P99`)
  return {
    verdict: saturated.length > 0 ? 'saturated' : noisy.length > 0 ? 'noisy' : 'ok',
    why: [...saturated, ...noisy],
    sendLagMs,
    eventLoopDelayMs: { p99: round(self.eventLoopDelayMs.p99), max: round(self.eventLoopDelayMs.max) },
    eventLoopUtilization: round(self.eventLoopUtilization),
    cpuShare: round(self.cpuShare),
    gcMs: round(self.gcMs),
    achievedToOffered: achievedToOffered === null ? null : round(achievedToOffered),
    floorMs: floorOf(record),
  }
}

/** What the stamps read straight at the provider: the instrument's own error, where the run has a direct arm. */
function floorOf(record: RunRecord): { p50: number; p99: number } | null {
  const direct = record.arms.find((arm) => arm.name === 'direct')
  const floor = direct && Histogram.decode(direct.stamped.total)
  return floor && floor.count > 0 ? { p50: toMs(floor.quantileUs(0.5)), p99: toMs(floor.quantileUs(0.99)) } : null
}
