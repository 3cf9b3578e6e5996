/** A bench as Markdown, for the summary of a CI job: verdicts first, then the figures behind them. */
import { primaryRun, runsOf } from '../report/runs.ts'
import type { BenchReport, Gate, OverheadResult, Run } from '../report/schema.ts'
import { METRICS, STAMP_METRICS } from '../slo/metrics.ts'
import { counted, formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { estimateAdded } from '../verdict/estimate.ts'
import { clientWord } from '../verdict/rate.ts'
import { answerNotes, restOfDuration, restsOn } from './answers.ts'
import { answersLine } from './answers-line.ts'
import { otherArmReading } from './bench-overhead.ts'
import { canceledLines } from './canceled-lines.ts'
import { sessionsSentence } from './conversation-table.ts'
import { differenceSentence, droppedLines, failedCell, gatewaysOf, rankingSentence } from './gateways-table.ts'
import { cacheGroups, cacheSentence, modelGroups, type NamedGroup } from './group-tables.ts'
import { shownDurations } from './latency-table.ts'
import { machineLine } from './machine-line.ts'
import { cell, code, gateMarkdown, table } from './markdown.ts'
import { bracketed, estimateBasis, estimateSentence, interimAnalysesLine, loopLine, noiseLine } from './sentences.ts'
import { sloMarkdown } from './slo-table.ts'
import { countedBy, drainNote, rate, tokenNotes } from './throughput-lines.ts'
import { toldWaitsLines } from './told-waits-line.ts'

/**
 * `gate` holds the checks that decide the exit code. Without a gate the report's own is shown and marked as not
 * gated.
 */
export function renderBenchMarkdown(bench: BenchReport, gate: Gate | null): string {
  const report = primaryRun(bench)
  const { target, interimAnalyses } = report
  const several = bench.ranking !== undefined
  const estimate = gate || several ? undefined : estimateAdded(report)
  const shown = estimate ? cell(`${estimateSentence(estimate)} ${estimateBasis(estimate)}`) : ''
  const subject = cell(`${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}; ${loopLine(report)}`)
  const gateway = report.gateway ? ` (${cell(report.gateway)})` : ''
  return `${[
    '## kt bench',
    gate ? gateMarkdown(gate) : shown,
    ...severalMarkdown(bench),
    ...(gate || report.gate ? [cell(noiseLine(report.noise))] : []),
    ...(interimAnalyses ? [cell(interimAnalysesLine(interimAnalyses))] : []),
    `${subject}: ${code(report.url)}${gateway}`,
    resultLine(report),
    report.aborted
      ? `**Ended early** by ${code(report.aborted.rule)}: the figures are those of a part of the run.`
      : '',
    ...(report.conversations ? [cell(sessionsSentence(report.conversations, report.load.conversations))] : []),
    ...canceledLines(report).map(cell),
    ...toldWaitsLines(report).map(cell),
    answersMarkdown(report),
    figures(
      'latency (ms)',
      shownDurations(report, true).map(({ label, measured, rest }) => [label, measured, rest]),
    ),
    ...answerNotes(report).map(cell),
    figures('overhead (ms)', overheadRows(report)),
    figures('by model (ms)', groupRows(modelGroups(report))),
    figures('by cache (ms)', groupRows(cacheGroups(report))),
    cell(cacheSentence(report)),
    report.slo?.length ? sloMarkdown(report.slo) : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

/** Of several gateways: their order, and the figures of each; what follows is of the first one. */
function severalMarkdown(bench: BenchReport): string[] {
  if (runsOf(bench).length === 1) return []
  const { of, rows } = gatewaysOf(bench)
  const figure = (value: number | undefined): string => (value === undefined ? '-' : formatMs(value))
  const compared = bench.ranking?.differences ?? []
  const differences = compared.map((one) => `- ${cell(differenceSentence(one, compared.length))}`)
  return [
    cell(rankingSentence(bench)),
    table(
      [`${of} (ms)`, 'P50', '95 %', 'rank', 'P99', '95 %', 'rank', 'requests/s', 'failed'],
      rows.map(({ name, run, p50, ci50, rank50, p99, ci99, rank99 }) => [
        ...[name, figure(p50), ci50 ? bracketed(ci50) : '-', rank50],
        ...[figure(p99), ci99 ? bracketed(ci99) : '-', rank99],
        ...[rate(run.throughput.requestsPerSec), failedCell(run)],
      ]),
    ),
    ...droppedLines(bench).map(cell),
    differences.join('\n'),
    `### ${cell(primaryRun(bench).name)}`,
  ]
}

function resultLine(report: Run): string {
  const { totals, throughput, client } = report
  const machine = machineLine(report)
  const errorRate = formatShare(totals.sent === 0 ? 0 : totals.failed / totals.sent)
  const notes = [`counted by ${countedBy(throughput)}`, ...tokenNotes(report)].join('; ')
  const tokens = throughput.tokensPerSec === null ? '' : `, ${rate(throughput.tokensPerSec)} tokens/s (${notes})`
  const drained = drainNote(report)
  const why = client.why.map((reason) => `, ${cell(reason)}`).join('')
  return [
    `${counted(totals.sent, 'request')} in ${formatDuration(totals.durationS * 1_000)}, `,
    `${formatNumber(totals.failed)} failed (${errorRate}); `,
    `${rate(throughput.requestsPerSec)} requests/s${drained ? ` (${drained})` : ''}${tokens}; `,
    `client ${clientWord(client)}${why}`,
    machine ? `; machine ${machine.text}` : '',
  ].join('')
}

function answersMarkdown(report: Run): string {
  const line = answersLine(report)
  return line ? `${line.warn ? '**Warning.** ' : ''}Answers: ${cell(line.text)}` : ''
}

/** Properties that JUnit shows beside the verdicts. */
export function benchProperties(bench: BenchReport): Record<string, string> {
  const report = primaryRun(bench)
  const { url, target, load, noise, interimAnalyses } = report
  const machine = machineLine(report)
  return {
    url,
    model: target.model,
    workload: load.workload.name,
    noise: noiseLine(noise),
    ...(machine ? { machine: machine.text } : {}),
    ...(interimAnalyses ? { interimAnalyses: interimAnalysesLine(interimAnalyses) } : {}),
  }
}

type Quantiles = Pick<OverheadResult['totalMs'], 'p50' | 'p90' | 'p95' | 'p99' | 'max'>

function figures(title: string, rows: readonly [string, Quantiles, rest: string][]): string {
  if (rows.length === 0) return ''
  const someRest = rows.some(([, , rest]) => rest !== '')
  return table(
    [title, 'P50', 'P90', 'P95', 'P99', 'max', ...(someRest ? ['answers'] : [])],
    rows.map(([name, { p50, p90, p95, p99, max }, rest]) => {
      return [name, ...[p50, p90, p95, p99, max].map(formatMs), ...(someRest ? [rest] : [])]
    }),
  )
}

/** Latency and overhead of each group that has them. */
function groupRows(groups: readonly NamedGroup[]): [string, Quantiles, string][] {
  return groups.flatMap(([name, { latencyMs, overheadMs }]) => [
    ...(latencyMs ? [row(`${name}, latency`, latencyMs)] : []),
    ...(overheadMs ? [row(`${name}, overhead`, overheadMs)] : []),
  ])
}

function row(name: string, measured: Quantiles & { count: number }): [string, Quantiles, string] {
  return [cell(name), measured, formatNumber(measured.count)]
}

/** What was added to tokens and how long they were held. */
function tokenRows(report: Run): [string, Quantiles, string][] {
  return STAMP_METRICS.flatMap((metric): [string, Quantiles, string][] => {
    const measured = report[`${metric}Ms`]
    return measured ? [[METRICS[metric].label, measured, restOfDuration(report, metric, measured)]] : []
  })
}

function overheadRows(report: Run): [string, Quantiles, string][] {
  const { overhead, totals } = report
  const own = overhead.map(({ definition, totalMs, count }): [string, Quantiles, string] => {
    return [definition, totalMs, restsOn(count, totals.sent)]
  })
  own.push(...tokenRows(report))
  const other = otherArmReading(report)
  return other ? [...own, [other.name, other.reading.totalMs, restsOn(other.reading.count, other.sent)]] : own
}
