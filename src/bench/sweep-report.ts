/** The report of a sweep, and the points of its curves. */

import { toMs } from '../report/duration-summary.ts'
import { readHistogram } from '../report/histogram-text.ts'
import type { Run } from '../report/schema.ts'
import { SWEEP_SCHEMA, type SweepCurve, type SweepLevel, type SweepReport } from '../report/sweep-schema.ts'
import { METRICS, SWEEP_METRICS, type SweepMetric } from '../slo/metrics.ts'
import { measureScaling } from '../stats/curve.ts'
import { Histogram } from '../stats/histogram.ts'
import { throughputError } from '../stats/means.ts'
import { findSteady } from '../stats/steadiness.ts'
import { bestReading } from '../verdict/judge-overhead.ts'
import type { GatewayUse } from './embedded.ts'
import type { SweepOptions } from './sweep-options.ts'

export function sweepReport(
  first: Run,
  options: Record<string, unknown>,
  ask: SweepOptions,
  curves: SweepCurve[],
  interrupted: boolean,
): SweepReport {
  const { url, role, gateway } = first
  const { endpoint, model, stream } = first.target
  const { cpuModel, cores, node } = first.machine
  // The parsed options hold the load and duration of the first level, which the report gives as levels.
  const { rps: _, concurrency: __, duration: ___, ...shown } = options
  const reading = bestReading(first)
  return {
    schema: SWEEP_SCHEMA,
    kt: first.kt,
    startedAt: first.startedAt,
    command: first.command,
    ...(first.commit ? { commit: first.commit } : {}),
    ...(first.labels ? { labels: first.labels } : {}),
    interrupted,
    machine: { cpuModel, cores, node },
    target: { url, endpoint, model, stream, role, ...(gateway ? { gateway } : {}) },
    load: { mode: ask.mode, levels: ask.levels, stepS: ask.stepMs / 1_000, seed: first.load.seed, options: shown },
    workload: first.load.workload,
    overheadSource: reading ? `${reading.definition}, ${reading.source}` : null,
    curves,
    scaling: measureScaling(curves),
  }
}

/**
 * The point of the curve that the run of one level gives: latency of its steady part, throughput, and the gateway's
 * usage.
 */
export function toLevel(report: Run, level: number, gateway: GatewayUse | null): SweepLevel {
  const { totals, throughput, client, answers } = report
  const latencies = report.blocks.map((block) => readHistogram(block.latency))
  const { skip, steady } = findSteady(
    latencies.map((histogram) => (histogram.count > 0 ? histogram.quantileUs(0.5) : 0)),
  )
  const skippedBlocks = steady ? skip : 0
  const latency = Histogram.merge(latencies.slice(skippedBlocks), METRICS.latency.digits)
  const [overhead] = report.overhead
  return {
    level,
    requests: totals.sent,
    failed: totals.failed,
    ...(answers ? { answers } : {}),
    achievedRps: throughput.requestsPerSec,
    throughputError: throughputError(report.series.map(({ done }) => done)),
    inputTokensPerSec: throughput.inputTokensPerSec,
    outputTokensPerSec: throughput.outputTokensPerSec,
    eventsPerSec: throughput.eventsPerSec,
    bytesPerSec: throughput.bytesPerSec,
    tokenSource: throughput.tokenSource,
    ...(throughput.hiddenTokensPerSec === undefined ? {} : { hiddenTokensPerSec: throughput.hiddenTokensPerSec }),
    inFlight: totals.inFlight ?? null,
    gateway,
    ...quantilesOf(report),
    latencyMs: latency.count > 0 ? { p50: toMs(latency.quantileUs(0.5)), p99: toMs(latency.quantileUs(0.99)) } : null,
    overheadMs: overhead ? { p50: overhead.totalMs.p50, p99: overhead.totalMs.p99, ci95: overhead.totalMs.ci95 } : null,
    client: client.verdict,
    achievedToOffered: client.achievedToOffered,
    steady,
    skippedBlocks,
  }
}

function quantilesOf(report: Run): Pick<SweepLevel, `${SweepMetric}Ms`> {
  const entries = SWEEP_METRICS.map((metric) => {
    const measured = report[`${metric}Ms`]
    return [`${metric}Ms`, measured ? { p50: measured.p50, p99: measured.p99 } : null]
  })
  return Object.fromEntries(entries) as Pick<SweepLevel, `${SweepMetric}Ms`>
}
