/** The result of `kt bench` as text in 80 columns: requests, latency, throughput, gateway overhead, verdict. */
import type { ChalkInstance } from 'chalk'
import type { StopReason } from '../load/limits.ts'
import { primaryRun } from '../report/runs.ts'
import type { BenchReport, DurationSummary, Run } from '../report/schema.ts'
import { type DurationSpec, METRIC_NAMES, METRICS, type Shown } from '../slo/metrics.ts'
import { counted, formatDuration, formatMs, formatNumber } from '../units.ts'
import { estimateAdded } from '../verdict/estimate.ts'
import { uncategorised } from '../verdict/slo.ts'
import { OUTCOMES, type Outcome } from '../wire/outcome.ts'
import { answerNotes, restOfDuration, restsOn } from './answers.ts'
import { ending } from './bench-ending.ts'
import { overheadSection } from './bench-overhead.ts'
import {
  bracketed,
  estimateSentence,
  gateLines,
  interimAnalysesLine,
  loopLine,
  noiseLine,
  omissionNote,
} from './sentences.ts'
import { sloSection } from './slo-table.ts'
import { columns, paint, wrapHanging } from './table.ts'
import { countedBy, drainNote, limitNote, rate, tokenNotes } from './throughput-lines.ts'
import { toldWaitsLines } from './told-waits-line.ts'

interface BenchView {
  color: boolean
  /** Show the time to first byte without --stream too. */
  showTtfb: boolean
  details: Partial<Record<Outcome, string>>
  stopped: StopReason | null
}

export function renderBench(bench: BenchReport, view: BenchView): string {
  const c = paint(view.color)
  const report = primaryRun(bench)
  const { baseline } = report
  const measured = report.totals.successful > 0 && view.stopped !== 'refused'
  return [
    heading(report, c),
    results(report, c),
    failures(report.totals, '', view, c),
    baseline
      ? failures(baseline.totals, `${baseline.role === 'direct' ? ' directly' : ' on the other arm'}`, view, c)
      : '',
    toldWaitsLines(report)
      .map((line) => c.yellow(wrapHanging(line, '')))
      .join('\n'),
    ...(measured ? [latency(report, view, c), throughput(report, c), overheadSection(report, c)] : []),
    ending(report, view.stopped, c),
    measured && report.slo ? sloSection(report.slo, uncategorised(report), c) : '',
    report.gate ? gateLines(report.gate, c) : measured ? estimateLines(report, c) : '',
    measured && (report.gate || report.slo || report.noise) ? c.dim(verdictBasis(report)) : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

/** What the run says where nobody asked for a verdict. */
function estimateLines(report: Run, c: ChalkInstance): string {
  const estimate = estimateAdded(report)
  return estimate ? c.bold(wrapHanging(estimateSentence(estimate), '')) : ''
}

/** What every verdict rests on: the noise of the rig, and after how many blocks it was judged. */
function verdictBasis({ noise, interimAnalyses }: Run): string {
  const analyses = interimAnalyses ? [interimAnalysesLine(interimAnalyses)] : []
  return [noiseLine(noise), ...analyses].map((line) => wrapHanging(line, '')).join('\n')
}

function heading(report: Run, c: ChalkInstance): string {
  const { url, gateway, target, load, baseline, pairing } = report
  const named = gateway ? ` (${gateway})` : ''
  const direct = baseline
    ? [
        `${baseline.role === 'direct' ? 'directly, ' : ''}in ` +
          `turns${pairing === 'request' ? ' by request' : ''}: ${baseline.url}`,
      ]
    : []
  const workload = load.workload.name === 'prompt' ? '' : `workload: ${load.workload.name}; `
  const sent = [`${workload}each prompt ends with a nonce, so that no cache answers`]
  return [
    `${c.bold('kt bench')}  ${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}; ` +
      `${loopLine(report)}; seed ${load.seed}`,
    c.dim([`${url}${named}`, ...direct, ...sent].map((line) => `          ${line}`).join('\n')),
  ].join('\n')
}

function results(report: Run, c: ChalkInstance): string {
  const { totals, load, baseline } = report
  const { connections, warmup, idleFirst } = totals
  const rows = [
    ['Total Requests', formatNumber(totals.sent)],
    ['Successful', formatNumber(totals.successful)],
    ['Failed', formatNumber(totals.failed)],
    ['Duration', formatDuration(totals.durationS * 1_000), c.dim(tookNote(report))],
  ]
  const warm = load.warmup > 0 || load.warmupS ? `; ${formatNumber(warmup.sent)} warm-up requests excluded` : ''
  const theirs = baseline ? ` (the other arm ${formatNumber(baseline.totals.connections.opened)})` : ''
  const opened =
    `${counted(connections.opened, 'connection')} opened${theirs}, ` +
    `${formatNumber(connections.reused)} ` +
    'requests on an open one'
  const note = wrapHanging(opened + warm + idleFirstNote(idleFirst), '  ', 2)
  const partial = report.aborted ? c.yellow(' (of a part of the run)') : ''
  return `${c.bold('Benchmark Results')}${partial}\n${columns(rows, ['left', 'right', 'left'])}\n${c.dim(note)}`
}

/** The run as a whole takes longer than what is measured: JIT warm-up, warm-up, the other arm, the floor. */
function tookNote({ totals, tookS = 0 }: Run): string {
  return tookS > totals.durationS * 1.05 + 0.1 ? `measured of ${formatDuration(tookS * 1_000)}` : ''
}

/** Each class of failure of an arm with its count, the reason the target gave, and what to do. */
function failures(totals: Run['totals'], where: string, view: BenchView, c: ChalkInstance): string {
  if (totals.failed === 0) return ''
  const lines = Object.entries(totals.outcomes).flatMap(([code, count]) => {
    if (code === 'OK') return []
    const outcome = code as Outcome
    const { means, next } = OUTCOMES[outcome]
    const detail = view.details[outcome]
    return [
      wrapHanging(`${code}  ${formatNumber(count)} x ${means}`, '  ').replace(code, c.red(code)),
      ...(detail ? [c.dim(wrapHanging(`"${detail}"`, '    ', 0))] : []),
      wrapHanging(next, '    ', 0),
    ]
  })
  const unanswered = (totals.outcomes.KT_ABORTED_AT_DEADLINE ?? 0) === totals.failed
  const title = unanswered
    ? c.bold(`Not answered in time${where}`)
    : totals.successful === 0
      ? c.red.bold(`Every request failed${where}`)
      : c.bold(`Failures${where}`)
  return [title, ...lines].join('\n')
}

/** The first request of each connection in a block is excluded: its connection was idle while the other arm ran. */
function idleFirstNote(idleFirst: Run['totals']['idleFirst']): string {
  if (!idleFirst) return ''
  const failed = idleFirst.failed > 0 ? ` (${formatNumber(idleFirst.failed)} of them failed)` : ''
  return `; ${formatNumber(idleFirst.sent)} excluded as the first of a connection in a block${failed}`
}

const SHOWN: Record<Shown, (report: Run, showTtfb: boolean) => boolean> = {
  always: () => true,
  'open loop': ({ load }) => load.mode === 'open',
  'streams or asked for': ({ target }, showTtfb) => target.stream || showTtfb,
  'no keep-alive': ({ load }) => load.connection?.keepAlive === false,
  'with the overhead': () => false,
}

/** What concerns connections stands last. */
const ROWS = METRIC_NAMES.toSorted(
  (a, b) => Number(METRICS[a].shown === 'no keep-alive') - Number(METRICS[b].shown === 'no keep-alive'),
)

type MetricRow = Pick<DurationSpec, 'label' | 'openLabel' | 'shown'>

interface LatencyRow {
  label: string
  measured: DurationSummary
  /** How many answers it rests on, where not on all, and whether it is suspect. */
  rest: string
}

/** The durations of a run in the order of their table, without those that were not measured. */
export function latencyRows(report: Run, showTtfb: boolean): LatencyRow[] {
  return ROWS.flatMap((metric) => {
    const { label, openLabel = label, shown }: MetricRow = METRICS[metric]
    const measured = SHOWN[shown](report, showTtfb) ? report[`${metric}Ms`] : undefined
    if (!measured) return []
    const rest = restOfDuration(report, metric, measured)
    return [{ label: report.load.mode === 'open' ? openLabel : label, measured, rest }]
  })
}

function latency(report: Run, view: BenchView, c: ChalkInstance): string {
  if (!report.latencyMs) return ''
  const shown = latencyRows(report, view.showTtfb).map(({ label, measured: d, rest }) => {
    return [label, ...[d.p50, d.p90, d.p95, d.p99, d.max].map(formatMs), c.dim(rest)]
  })
  const head = ['', 'P50', 'P90', 'P95', 'P99', 'Max'].map((name) => c.dim(name))
  const omission = omissionNote(report)
  const notes = [tailNote(report.latencyMs), ...(omission ? [omission] : [])].map((line) =>
    c.dim(wrapHanging(line, '  ')),
  )
  const doubts = answerNotes(report).map((line) => c.yellow(wrapHanging(line, '  ')))
  const align = ['left', ...Array<'right'>(5).fill('right'), 'left'] as const
  return [c.bold('Latency (ms)'), columns([head, ...shown], align), ...notes, ...doubts].join('\n')
}

/** The P99 with its interval; marked where fewer than ten observations lie beyond it. */
function tailNote({ count, p99, iid95 }: DurationSummary): string {
  const few = count * 0.01 < 10 ? `; fewer than ten requests lie beyond it` : ''
  return `P99 of latency: ${formatMs(p99)} ${bracketed(iid95.p99)} iid 95 %, n=${formatNumber(count)}${few}`
}

function throughput(report: Run, c: ChalkInstance): string {
  const t = report.throughput
  const { successful, sent } = report.totals
  const note = [restsOn(successful, sent), drainNote(report) ?? ''].filter((part) => part !== '').join('; ')
  const rows = [['Requests/sec', rate(t.requestsPerSec), c.dim(note)]]
  if (t.tokensPerSec !== null) {
    const parts =
      t.inputTokensPerSec === null ? '' : `in ${rate(t.inputTokensPerSec)}, out ${rate(t.outputTokensPerSec ?? 0)}; `
    rows.push(['Tokens/sec', rate(t.tokensPerSec), c.dim(`${parts}counted by ${countedBy(t)}`)])
  }
  const limit = limitNote(report)
  const notes = tokenNotes(report).map((line) => c.dim(wrapHanging(line, '  ')))
  if (limit !== undefined) {
    const shade = report.client.throughputLimit?.by === 'target' ? c.dim : c.yellow
    notes.push(shade(wrapHanging(limit, '  ')))
  }
  return [c.bold('Throughput'), columns(rows, ['left', 'right', 'left']), ...notes].join('\n')
}
