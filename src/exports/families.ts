/** The figures of a run as families of metrics, from which every format for dashboards is written. */
import type { BenchReport } from '../report/schema.ts'
import { type ProcessSummary, summarizeProcess } from '../report/watched.ts'
import { METRIC_NAMES, type Metric } from '../slo/metrics.ts'
import type { Histogram } from '../stats/histogram.ts'

export type Labels = Readonly<Record<string, string>>

interface Single {
  labels: Labels
  value: number
}

interface Summary {
  labels: Labels
  count: number
  sum: number
  quantiles: readonly (readonly [quantile: number, value: number])[]
}

/** How many values lie at or below each bound, and below none of them. */
interface Buckets {
  labels: Labels
  count: number
  sum: number
  /** The count up to each bound, ascending. */
  upTo: readonly (readonly [bound: number, count: number])[]
}

interface Described {
  /** In the words of OpenMetrics; without the `_total` of a counter. */
  name: string
  help: string
  /** The end of the name, where that is a unit. */
  unit?: string
}

export type Family =
  | (Described & { type: 'counter' | 'gauge'; points: readonly Single[] })
  | (Described & { type: 'summary'; points: readonly Summary[] })
  | (Described & { type: 'histogram'; points: readonly Buckets[] })

const QUANTILES = [
  [0.5, 'p50'],
  [0.9, 'p90'],
  [0.95, 'p95'],
  [0.99, 'p99'],
] as const
const MS = 1_000

/** Those that the run has figures for. */
export function familiesOf(report: BenchReport): Family[] {
  const families = [
    requests(report),
    rates(report),
    ...METRIC_NAMES.map((metric) => durations(report, metric)),
    overheads(report),
    verdicts(report),
    ...processes(report),
  ]
  return families.filter(({ points }) => points.length > 0)
}

/** The name of a duration: `addedTtft` is `kt_bench_added_ttft_seconds`. */
function durationName(metric: Metric): string {
  return `kt_bench_${metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_seconds`
}

/** The quantiles of a histogram of microseconds, in seconds. */
export function summaryOf(labels: Labels, histogram: Histogram): Summary {
  const quantiles = QUANTILES.map(([quantile]) => [quantile, histogram.quantileUs(quantile) / 1e6] as const)
  return { labels, count: histogram.count, sum: histogram.sumUs / 1e6, quantiles }
}

/** A histogram of microseconds by bounds in seconds. */
export function bucketsOf(labels: Labels, histogram: Histogram, boundsS: readonly number[]): Buckets {
  const { count, sumUs } = histogram
  return {
    labels,
    count,
    sum: sumUs / 1e6,
    upTo: boundsS.map((bound) => [bound, count - histogram.countAbove(bound * 1e6)] as const),
  }
}

function requests({ arms }: BenchReport): Family {
  return {
    name: 'kt_bench_requests',
    type: 'counter',
    help: 'Requests of the run, by how they ended.',
    points: arms.flatMap(({ name: arm, totals }) =>
      Object.entries(totals.outcomes).map(([outcome, value]) => ({ labels: { arm, outcome }, value })),
    ),
  }
}

function rates({ arms }: BenchReport): Family {
  return {
    name: 'kt_bench_requests_per_second',
    type: 'gauge',
    help: 'Answered requests a second.',
    points: arms.map(({ name: arm, throughput }) => ({ labels: { arm }, value: throughput.requestsPerSec })),
  }
}

function durations({ arms }: BenchReport, metric: Metric): Family {
  return {
    name: durationName(metric),
    type: 'summary',
    help: `Measured ${metric}.`,
    unit: 'seconds',
    points: arms.flatMap((arm) => {
      const found = arm[`${metric}Ms`]
      return found ? [summary({ arm: arm.name }, found, found)] : []
    }),
  }
}

function overheads({ arms }: BenchReport): Family {
  return {
    name: 'kt_bench_overhead_seconds',
    type: 'summary',
    help: 'What the gateway added.',
    unit: 'seconds',
    points: arms.flatMap(({ name: arm, overhead }) =>
      overhead.map((read) => summary({ arm, definition: read.definition }, read, read.totalMs)),
    ),
  }
}

function summary(
  labels: Labels,
  { count, histogram }: { count: number; histogram: { sumUs: number } },
  ms: Readonly<Record<(typeof QUANTILES)[number][1], number>>,
): Summary {
  const quantiles = QUANTILES.map(([quantile, key]) => [quantile, ms[key] / MS] as const)
  return { labels, count, sum: histogram.sumUs / 1e6, quantiles }
}

/** What is not decided has no value. */
function verdicts({ gate }: BenchReport): Family {
  const decided = (gate?.checks ?? []).filter(({ verdict }) => verdict !== 'inconclusive')
  return {
    name: 'kt_bench_check_passed',
    type: 'gauge',
    help: 'Whether a limit was kept: 1, or 0.',
    points: decided.map(({ arm, metric, op, limit, verdict }) => ({
      labels: { ...(arm === undefined ? {} : { arm }), metric, limit: `${op}${limit}` },
      value: verdict === 'pass' ? 1 : 0,
    })),
  }
}

/** CPU in cores and memory of each process that was watched. */
function processes({ processes: watched = [] }: BenchReport): Family[] {
  const points = (read: (of: ProcessSummary) => Record<string, number>): Single[] =>
    watched.flatMap((process) => {
      const found = summarizeProcess(process)
      const stats = found ? Object.entries(read(found)) : []
      return stats.map(([stat, value]) => ({ labels: { process: process.name, stat }, value }))
    })
  return [
    {
      name: 'kt_bench_process_cpu_cores',
      type: 'gauge',
      help: 'CPU of a process that was watched.',
      unit: 'cores',
      points: points(({ cpuPercent: { mean, max } }) => ({ mean: mean / 100, max: max / 100 })),
    },
    {
      name: 'kt_bench_process_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of such a process.',
      unit: 'bytes',
      points: points(({ rssBytes }) => rssBytes),
    },
  ]
}
