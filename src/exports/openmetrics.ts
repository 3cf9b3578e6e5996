/**
 * A run as OpenMetrics text, for a push gateway or a textfile collector. Quantiles are what was measured, which no
 * client library of metrics takes, so the text is made here (OpenMetrics 1.0).
 */
import type { BenchReport } from '../report/schema.ts'
import { type ProcessSummary, summarizeProcess } from '../report/watched.ts'
import { METRIC_NAMES } from '../slo/metrics.ts'

const QUANTILES = [
  ['0.5', 'p50'],
  ['0.9', 'p90'],
  ['0.95', 'p95'],
  ['0.99', 'p99'],
] as const
const SECONDS = 1_000

type Labels = Readonly<Record<string, string>>

export function toOpenMetrics(report: BenchReport): string {
  const of = { model: report.target.model, run: report.runId }
  const families = [
    requestsFamily(report, of),
    gaugeFamily(report, of),
    ...METRIC_NAMES.flatMap((metric) => durationFamily(report, of, metric)),
    overheadFamily(report, of),
    verdictFamily(report, of),
    ...processFamilies(report, of),
  ]
  return `${families.flat().join('\n')}\n# EOF\n`
}

function line(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
  return `${name}{${pairs.join(',')}} ${value}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function head(name: string, type: string, help: string, unit = ''): string[] {
  return [`# TYPE ${name} ${type}`, ...(unit === '' ? [] : [`# UNIT ${name} ${unit}`]), `# HELP ${name} ${help}`]
}

function requestsFamily({ arms }: BenchReport, of: Labels): string[] {
  const name = 'kt_bench_requests'
  return [
    ...head(name, 'counter', 'Requests of the run, by how they ended.'),
    ...arms.flatMap((arm) =>
      Object.entries(arm.totals.outcomes).map(([outcome, count]) =>
        line(`${name}_total`, { ...of, arm: arm.name, outcome }, count),
      ),
    ),
  ]
}

function gaugeFamily({ arms }: BenchReport, of: Labels): string[] {
  const name = 'kt_bench_requests_per_second'
  return [
    ...head(name, 'gauge', 'Answered requests a second.'),
    ...arms.map((arm) => line(name, { ...of, arm: arm.name }, arm.throughput.requestsPerSec)),
  ]
}

function durationFamily({ arms }: BenchReport, of: Labels, metric: (typeof METRIC_NAMES)[number]): string[] {
  const measured = arms.flatMap((arm) => {
    const found = arm[`${metric}Ms`]
    return found ? [{ labels: { ...of, arm: arm.name }, found }] : []
  })
  if (measured.length === 0) return []
  const name = `kt_bench_${metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_seconds`
  return [
    ...head(name, 'summary', `Measured ${metric}.`, 'seconds'),
    ...measured.flatMap(({ labels, found }) => [
      ...QUANTILES.map(([quantile, key]) => line(name, { ...labels, quantile }, found[key] / SECONDS)),
      line(`${name}_count`, labels, found.count),
      line(`${name}_sum`, labels, found.histogram.sumUs / 1e6),
    ]),
  ]
}

function overheadFamily({ arms }: BenchReport, of: Labels): string[] {
  const name = 'kt_bench_overhead_seconds'
  const lines = arms.flatMap((arm) =>
    arm.overhead.flatMap(({ definition, count, totalMs }) => {
      const labels = { ...of, arm: arm.name, definition }
      return [
        ...QUANTILES.map(([quantile, key]) => line(name, { ...labels, quantile }, totalMs[key] / SECONDS)),
        line(`${name}_count`, labels, count),
      ]
    }),
  )
  return lines.length === 0 ? [] : [...head(name, 'summary', 'What the gateway added.', 'seconds'), ...lines]
}

/** 1 for a pass, 0 for a fail; what is not decided has no value. */
function verdictFamily({ gate }: BenchReport, of: Labels): string[] {
  const decided = (gate?.checks ?? []).filter(({ verdict }) => verdict !== 'inconclusive')
  if (decided.length === 0) return []
  const name = 'kt_bench_check_passed'
  return [
    ...head(name, 'gauge', 'Whether a limit was kept.'),
    ...decided.map(({ metric, op, limit, verdict }) =>
      line(name, { ...of, metric, limit: `${op}${limit}` }, verdict === 'pass' ? 1 : 0),
    ),
  ]
}

/** CPU in cores and memory of each process that was watched. */
function processFamilies({ processes = [] }: BenchReport, of: Labels): string[][] {
  const watched = processes.flatMap((process) => {
    const summary = summarizeProcess(process)
    return summary ? [{ labels: { ...of, process: process.name }, summary }] : []
  })
  if (watched.length === 0) return []
  const family = (name: string, help: string, read: (of: ProcessSummary) => Record<string, number>): string[] => [
    ...head(name, 'gauge', help, name.split('_').at(-1)),
    ...watched.flatMap(({ labels, summary }) =>
      Object.entries(read(summary)).map(([stat, value]) => line(name, { ...labels, stat }, value)),
    ),
  ]
  const cores = ({ cpuPercent: { mean, max } }: ProcessSummary) => ({ mean: mean / 100, max: max / 100 })
  return [
    family('kt_bench_process_cpu_cores', 'CPU of a process that was watched.', cores),
    family('kt_bench_process_memory_bytes', 'Resident memory of such a process.', ({ rssBytes }) => rssBytes),
  ]
}
