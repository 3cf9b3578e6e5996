/**
 * Valid reports of invented runs: seeded requests through the real histograms, quantiles and schema. For tests of what
 * reads, compares, judges and renders reports; the figures are as consistent as those of a real run.
 */

import { intervalMs, quantilesMs, summarizeDurations } from '../../src/report/duration-summary.ts'
import { writeHistogram } from '../../src/report/histogram-text.ts'
import { primaryRun } from '../../src/report/runs.ts'
import {
  type ArmResult,
  type BenchReport,
  type Block,
  benchReportSchema,
  type OverheadResult,
  type Run,
} from '../../src/report/schema.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { quantileBounds } from '../../src/stats/quantile-interval.ts'
import { logNormal, normal, type Random, randomFrom } from '../../src/stats/random.ts'
import { isInLatencyTail, type Outcome } from '../../src/wire/outcome.ts'

/** Microseconds of one request. */
export type Model = (random: Random) => number

/** Log-normal with this median; P99 lies at 1.8 times it. */
export const around =
  (medianMs: number): Model =>
  (random) =>
    logNormal(random, medianMs * 1_000, 0.2527)

export const fixed =
  (ms: number): Model =>
  () =>
    ms * 1_000

type Told = 'provider-stamped' | 'self-reported' | 'upstream-reported'

export interface ArmShape {
  requests?: number
  blocks?: number
  /** What the provider takes. */
  upstream?: Model
  /** What lies between client and provider: it is added to the upstream time, and read by `read`. */
  added?: Model
  /** By which definitions the added time is read. */
  read?: Told[]
  /** How many requests of each block fail, and how. */
  failures?: Partial<Record<Outcome, number>>
  stream?: boolean
  /** What the gateway says of its parts. */
  components?: Record<string, Model>
}

export interface ReportShape extends ArmShape {
  seed?: number
  role?: ArmResult['role']
  /** Two reports of one run with different arms were measured in turns. */
  runId?: string
  arm?: string
  /** Sigma of the drift of the machine from block to block; the same for every arm of a pair. */
  drifts?: number
  /** A direct arm measured in turns with the first one. */
  direct?: ArmShape
}

/** Alters a report, or its first arm, before it is checked against the schema. */
type Change = (report: BenchReport, arm: ArmResult) => void

/** The first arm of a report of `shape`. */
export function makeRun(shape: ReportShape = {}, change?: Change): Run {
  return primaryRun(makeReport(shape, change))
}

export function makeReport(shape: ReportShape = {}, change: Change = () => {}): BenchReport {
  const { seed = 1, role = 'unknown', stream = false } = shape
  const primary = shape.arm ?? (shape.direct ? 'gateway' : 'target')
  const runId = shape.runId ?? `pair-${seed}`
  const drifting = randomFrom(`moods/${runId}`)
  const drifts = Array.from({ length: 100 }, () => Math.exp((shape.drifts ?? 0) * normal(drifting)))
  const main = makeArm(primary, role, shape, seed, drifts)
  const direct = shape.direct && makeArm('direct', 'direct', { stream, ...shape.direct }, seed + 1, drifts)
  const report: BenchReport = {
    schema: 'kt.bench/2',
    kt: { version: '0.1.0', gitSha: null },
    startedAt: '2026-11-23T10:00:00.000Z',
    command: 'kt bench',
    interrupted: false,
    machine: {
      cpuModel: 'Test CPU',
      cores: 2,
      memoryBytes: 8 * 1024 ** 3,
      cgroupCpuQuota: null,
      kernel: 'Linux 6.1 x64',
      node: '24.0.0',
      undici: '8.0.0',
      container: false,
      loadAvgBefore: 0.1,
    },
    target: { endpoint: 'chat', model: 'gpt-4o-mini', stream },
    runId,
    ...(direct || shape.runId !== undefined ? { pairing: 'block' } : {}),
    arms: direct ? [main, { ...direct, baseline: true }] : [main],
    load: {
      mode: 'closed',
      concurrency: 10,
      rps: null,
      arrival: null,
      durationS: null,
      requests: shape.requests ?? 2_000,
      warmup: 10,
      timeoutMs: 30_000,
      seed: 1,
      workload: { name: 'prompt', sha256: 'a'.repeat(64) },
      options: {},
    },
    series: [],
    client: {
      verdict: 'ok',
      why: [],
      sendLagMs: null,
      eventLoopDelayMs: { p99: 0.1, max: 0.5 },
      eventLoopUtilization: 0.2,
      cpuShare: 0.3,
      gcMs: 1,
      achievedToOffered: null,
      floorMs: null,
    },
    gate: null,
  }
  change(report, main)
  return benchReportSchema.parse(report)
}

/** A report of several gateways by name, which are measured in turns with a direct arm. */
export function makeGateways(gateways: Readonly<Record<string, ArmShape>>, shape: ReportShape = {}): BenchReport {
  const runId = shape.runId ?? `arms-${shape.seed ?? 1}`
  const each = Object.entries(gateways).map(([arm, own], index) =>
    makeReport({ ...shape, ...own, arm, runId, role: 'gateway', seed: (shape.seed ?? 1) * 1_000 + 2 * index }),
  )
  const [first, ...others] = each
  if (!first) throw new Error('a report without a gateway')
  const baseline = first.arms.slice(1)
  return benchReportSchema.parse({ ...first, arms: [...[first, ...others].map(({ arms }) => arms[0]), ...baseline] })
}

function makeArm(name: string, role: ArmResult['role'], shape: ArmShape, seed: number, drifts: number[]): ArmResult {
  const { requests = 2_000, blocks: count = 20, upstream = around(5), added = around(1), failures = {} } = shape
  const random = randomFrom(`${seed}/${name}`)
  const definitions = shape.read ?? ['provider-stamped']
  const lost = Object.values(failures).reduce((total, n) => total + n, 0)
  const parts = Object.entries(shape.components ?? {})
  const live = Array.from({ length: count }, (_, index) => {
    const sent = Math.floor(requests / count) + (index < requests % count ? 1 : 0)
    const answered = Math.max(0, sent - lost)
    const latency = new Histogram(4)
    const overhead = new Histogram()
    const upstreams = new Histogram(4)
    for (let i = 0; i < answered; i++) {
      const providerUs = upstream(random) * (drifts[index] ?? 1)
      const addedUs = added(random)
      latency.record(providerUs + addedUs)
      upstreams.record(providerUs)
      overhead.record(addedUs)
    }
    for (const [outcome, n = 0] of Object.entries(failures)) {
      const us = outcome === 'KT_ABORTED_AT_DEADLINE' ? 1_000 : 30_000_000
      if (isInLatencyTail(outcome as Outcome)) for (let i = 0; i < n; i++) latency.record(us)
    }
    const components = Object.fromEntries(
      parts.map(([part, model]) => {
        const values = new Histogram()
        for (let i = 0; i < answered; i++) values.record(model(random))
        return [part, writeHistogram(values)]
      }),
    )
    return { index, sent, answered, latency, overhead, upstreams, components }
  })
  const sent = live.reduce((total, block) => total + block.sent, 0)
  const successful = live.reduce((total, block) => total + block.answered, 0)
  const outcomes = Object.fromEntries(Object.entries(failures).map(([outcome, n]) => [outcome, n * count])) as Partial<
    Record<Outcome, number>
  >
  if (successful > 0) outcomes.OK = successful
  const latencyMs = summarizeDurations(
    Histogram.merge(
      live.map((block) => block.latency),
      4,
    ),
  )
  const streamed = shape.stream
    ? summarizeDurations(
        Histogram.merge(
          live.map((block) => block.upstreams),
          4,
        ),
      )
    : undefined
  return {
    name,
    role,
    url: `http://127.0.0.1:${name === 'direct' ? 41001 : 41002}/v1/chat/completions`,
    totals: {
      sent,
      successful,
      failed: sent - successful,
      durationS: 10,
      outcomes,
      connections: { opened: 10, reused: sent },
      warmup: { sent: 10, failed: 0 },
    },
    ...(latencyMs ? { latencyMs, serviceMs: latencyMs, ttfbMs: latencyMs } : {}),
    ...(streamed ? { ttftMs: streamed, tpotMs: streamed, interTokenMs: streamed } : {}),
    throughput: {
      requestsPerSec: successful / 10,
      inputTokensPerSec: successful / 2,
      outputTokensPerSec: successful,
      tokensPerSec: successful * 1.5,
      eventsPerSec: 0,
      bytesPerSec: successful * 50,
      tokenSource: 'usage',
    },
    overhead: successful > 0 ? definitions.map((definition) => overheadOf(definition, live)) : [],
    blocks: live.map(
      ({ index, sent: sentInBlock, answered, latency, overhead, upstreams, components }): Block => ({
        index,
        startedAtS: index / 2,
        sent: sentInBlock,
        outcomes: { ...failures, ...(answered > 0 ? { OK: answered } : {}) },
        latency: writeHistogram(latency),
        metrics: {
          ttfb: writeHistogram(latency),
          ...(shape.stream
            ? {
                ttft: writeHistogram(upstreams),
                tpot: writeHistogram(upstreams),
                interToken: writeHistogram(upstreams),
              }
            : {}),
        },
        overhead: Object.fromEntries(definitions.map((definition) => [definition, writeHistogram(overhead)])),
        ...(parts.length > 0 ? { components } : {}),
      }),
    ),
  }
}

function overheadOf(definition: Told, live: { overhead: Histogram }[]): OverheadResult {
  const parts = live.map((block) => block.overhead)
  const total = Histogram.merge(parts)
  const { lowerUs, upperUs } = quantileBounds(parts, 0.99, 0.025)
  return {
    definition,
    source: definition === 'provider-stamped' ? "the provider's stamps" : 'Test Gateway, x-test-overhead-ms',
    count: total.count,
    totalMs: { ...quantilesMs(total), ci95: intervalMs([lowerUs, upperUs]) },
    negative: total.negative,
    rejected: 0,
    cacheHits: 0,
    retried: 0,
    histogram: writeHistogram(total),
    note:
      definition === 'provider-stamped' ? "from sent to end, less the provider's own time" : "the gateway's own clock",
  }
}
