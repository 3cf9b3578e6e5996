/** From the report of one level's run to its point on the curve: latency of its steady part, block by block; what passed; what it cost. */
import { toMs } from '../report/distribution.ts'
import type { BenchReport, Distribution } from '../report/schema.ts'
import type { SweepLevel } from '../report/sweep-schema.ts'
import { Histogram } from '../stats/histogram.ts'
import { steadyFrom } from '../stats/steady.ts'
import { throughputError } from '../stats/throughput-error.ts'
import type { GatewayUse } from './watch-gateway.ts'

export function levelOf(report: BenchReport, level: number, gateway: GatewayUse | null): SweepLevel {
  const { totals, throughput, client, ttftMs, tpotMs, interTokenMs } = report
  const blocks = report.blocks.filter((block) => block.arm === report.arms.primary)
  const latencies = blocks.map((block) => Histogram.decode(block.latency))
  const { skip, steady } = steadyFrom(latencies.map((histogram) => (histogram.count > 0 ? histogram.meanUs : 0)))
  const skippedBlocks = steady ? skip : 0
  const latency = Histogram.merge(latencies.slice(skippedBlocks), 4)
  const [overhead] = report.overhead
  return {
    level,
    requests: totals.sent,
    failed: totals.failed,
    achievedRps: throughput.requestsPerSec,
    throughputError: throughputError(report.series.map(({ done }) => done)),
    inputTokensPerSec: throughput.inputTokensPerSec,
    outputTokensPerSec: throughput.outputTokensPerSec,
    eventsPerSec: throughput.eventsPerSec,
    bytesPerSec: throughput.bytesPerSec,
    tokenSource: throughput.tokenSource,
    inFlight: totals.inFlight ?? null,
    gateway,
    latencyMs: latency.count > 0 ? { p50: toMs(latency.quantileUs(0.5)), p99: toMs(latency.quantileUs(0.99)) } : null,
    ttftMs: pairOf(ttftMs),
    tpotMs: pairOf(tpotMs),
    interTokenMs: pairOf(interTokenMs),
    overheadMs: overhead ? { p50: overhead.totalMs.p50, p99: overhead.totalMs.p99, ci95: overhead.totalMs.ci95 } : null,
    client: client.verdict,
    achievedToOffered: client.achievedToOffered,
    steady,
    skippedBlocks,
  }
}

function pairOf(distribution: Distribution | undefined): { p50: number; p99: number } | null {
  return distribution ? { p50: distribution.p50, p99: distribution.p99 } : null
}
