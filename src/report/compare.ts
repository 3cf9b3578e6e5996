/**
 * Two reports side by side, as a value: what `kt bench compare` prints and what its --json gives. The mode is `overhead`: a baseline
 * measured directly against a run through a gateway, judged by the budget. Differences of quantiles are shown, the
 * verdict rests on the reading named in `judgedBy` (judge.ts).
 */
import { type Difference, differencesBetween } from './differences.ts'
import { isFloor, type JudgedBy, judgeOverhead, undecided } from './judge.ts'
import type { BenchReport, Distribution, Gate, OverheadResult } from './schema.ts'

export const COMPARE_SCHEMA = 'kt.compare/1'

export interface ComparedRun {
  file: string
  url: string
  startedAt: string
  requests: number
  failed: number
  client: BenchReport['client']['verdict']
}

export interface ComparedRow {
  metric: string
  unit: 'ms' | 'per second' | 'share'
  baseline: number | null
  gateway: number | null
  /** gateway - baseline. */
  delta: number | null
  /** delta / baseline; null where the baseline is 0. */
  deltaShare: number | null
  /** Order-statistic intervals of either side, valid for independent requests only: shown, never judged by. */
  iid95?: { baseline: [number, number | null] | null; gateway: [number, number | null] | null }
  /** Fewer than ten requests lie beyond this quantile. */
  fewBeyond?: boolean
}

export interface ComparedOverhead extends Pick<OverheadResult, 'definition' | 'source' | 'count' | 'totalMs' | 'note'> {
  /** `floor`: the same reading, taken without the gateway. */
  of: 'gateway' | 'floor'
}

export interface Comparison {
  schema: typeof COMPARE_SCHEMA
  mode: 'overhead'
  baseline: ComparedRun
  gateway: ComparedRun
  rows: ComparedRow[]
  overhead: ComparedOverhead[]
  differences: Difference[]
  /** What a reader must know of the two runs beside their figures. */
  notes: string[]
  judgedBy: JudgedBy | null
  /** Null when no verdict was asked for. */
  gate: Gate | null
}

export interface CompareOptions {
  files: { baseline: string; gateway: string }
  budgetMs: number
  noGate: boolean
}

export function compareReports(baseline: BenchReport, gateway: BenchReport, options: CompareOptions): Comparison {
  const ownReading = gateway.overhead.length > 0
  const differences = differencesBetween(baseline, gateway, ownReading)
  const judgement = options.noGate ? undefined : judge(baseline, gateway, differences, options.budgetMs)
  return {
    schema: COMPARE_SCHEMA,
    mode: 'overhead',
    baseline: runOf(baseline, options.files.baseline),
    gateway: runOf(gateway, options.files.gateway),
    rows: rowsOf(baseline, gateway),
    overhead: overheadOf(baseline, gateway),
    differences,
    notes: notesOn(baseline, gateway),
    judgedBy: judgement?.judgedBy ?? null,
    gate: judgement?.gate ?? null,
  }
}

function judge(
  baseline: BenchReport,
  gateway: BenchReport,
  differences: readonly Difference[],
  budgetMs: number,
): { gate: Gate; judgedBy: JudgedBy | null } {
  const refuse = (why: string) => ({ gate: undecided('overhead.p99', budgetMs, why), judgedBy: null })
  if (baseline.totals.successful === 0) return refuse('every request of the baseline failed')
  if (gateway.totals.successful === 0) return refuse('every request through the gateway failed')
  if (baseline.target.role === 'gateway' && gateway.target.role === 'direct') {
    return refuse('the files look swapped: give the baseline first, then the gateway')
  }
  const forbidding = differences.filter((difference) => difference.forbids).map((difference) => difference.what)
  if (forbidding.length > 0) return refuse(`not comparable: ${forbidding.join(', ')} of the two runs differ`)
  return judgeOverhead(gateway, baseline, budgetMs) ?? refuse('neither file carries a reading of the overhead')
}

const QUANTILES = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
] as const

function rowsOf(a: BenchReport, b: BenchReport): ComparedRow[] {
  const streamed = a.target.stream && b.target.stream
  const throughput = (metric: string, read: (t: BenchReport['throughput']) => number | null) =>
    row(metric, 'per second', read(a.throughput), read(b.throughput))
  return [
    ...quantileRows('latency', a.latencyMs, b.latencyMs),
    ...quantileRows('ttfb', a.ttfbMs, b.ttfbMs),
    ...quantileRows('ttft', a.ttftMs, b.ttftMs),
    ...(streamed ? quantileRows('tpot', a.tpotMs, b.tpotMs) : []),
    ...(streamed ? quantileRows('interToken', a.interTokenMs, b.interTokenMs) : []),
    throughput('throughput.requests', (t) => t.requestsPerSec),
    throughput('throughput.tokens', (t) => t.tokensPerSec),
    row('errors.rate', 'share', errorRate(a), errorRate(b)),
  ].filter(({ baseline, gateway }) => baseline !== null || gateway !== null)
}

function quantileRows(metric: string, a: Distribution | undefined, b: Distribution | undefined): ComparedRow[] {
  if (!a && !b) return []
  const fewest = Math.min(a?.count ?? Number.POSITIVE_INFINITY, b?.count ?? Number.POSITIVE_INFINITY)
  return QUANTILES.map(([key, q]) => ({
    ...row(`${metric}.${key}`, 'ms', a?.[key] ?? null, b?.[key] ?? null),
    ...(key === 'p50' || key === 'p99'
      ? { iid95: { baseline: a?.iid95[key] ?? null, gateway: b?.iid95[key] ?? null } }
      : {}),
    ...(Math.round(fewest * (1 - q) * 1e6) / 1e6 < 10 ? { fewBeyond: true } : {}),
  }))
}

function row(metric: string, unit: ComparedRow['unit'], baseline: number | null, gateway: number | null): ComparedRow {
  const delta = baseline === null || gateway === null ? null : Number((gateway - baseline).toFixed(6))
  const deltaShare = delta === null || !baseline ? null : delta / baseline
  return { metric, unit, baseline, gateway, delta, deltaShare }
}

function errorRate({ totals }: BenchReport): number | null {
  return totals.sent === 0 ? null : totals.failed / totals.sent
}

function overheadOf(baseline: BenchReport, gateway: BenchReport): ComparedOverhead[] {
  const pick = (of: ComparedOverhead['of']) => (entry: OverheadResult) => {
    const { definition, source, count, totalMs, note } = entry
    return { of, definition, source, count, totalMs, note }
  }
  const direct = gateway.arms.baseline ?? (isFloor(baseline) ? baseline : undefined)
  const floor = direct?.overhead.filter((entry) => entry.definition === 'provider-stamped') ?? []
  return [...gateway.overhead.map(pick('gateway')), ...floor.map(pick('floor'))]
}

function notesOn(baseline: BenchReport, gateway: BenchReport): string[] {
  const sides = [
    ['baseline', baseline],
    ['gateway', gateway],
  ] as const
  return [
    ...(baseline.target.role === 'gateway'
      ? [
          'the baseline was measured through a gateway too: the deltas are between two gateways, the verdict is on the second',
        ]
      : []),
    ...sides.flatMap(([side, { client }]) =>
      client.verdict === 'ok' ? [] : [`client of the ${side} run: ${[client.verdict, ...client.why].join('; ')}`],
    ),
    ...sides.flatMap(([side, { interrupted }]) => (interrupted ? [`the ${side} run was interrupted`] : [])),
  ]
}

function runOf(report: BenchReport, file: string): ComparedRun {
  return {
    file,
    url: report.target.url,
    startedAt: report.startedAt,
    requests: report.totals.sent,
    failed: report.totals.failed,
    client: report.client.verdict,
  }
}
