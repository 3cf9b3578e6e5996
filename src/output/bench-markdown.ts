/** A bench as Markdown, for the summary of a CI job: verdicts first, then the figures behind them. Strings out. */
import type { BenchReport, Gate, OverheadResult } from '../report/schema.ts'
import { formatDuration, formatMs, formatNumber, formatShare } from '../units.ts'
import { latencyRows } from './bench-table.ts'
import { looksLine, loopLine, noiseLine } from './check-line.ts'
import { cell, gateMarkdown, table } from './markdown.ts'
import { sloMarkdown } from './slo-table.ts'

/** `gate`: what decides the exit code; without one the standard budget is shown, and named so. */
export function renderBenchMarkdown(report: BenchReport, gate: Gate | null): string {
  const { target, totals, throughput, client } = report
  const shown = gate || !report.gate ? '' : `${gateMarkdown(report.gate)}\n\nShown, not gated.`
  const rate = (value: number): string => formatNumber(value, value < 100 ? 2 : 0)
  const tokens = throughput.tokensPerSec === null ? '' : `, ${rate(throughput.tokensPerSec)} tokens/s`
  return `${[
    '## kt bench',
    gate ? gateMarkdown(gate) : shown,
    ...(gate || report.gate ? [cell(noiseLine(report.noise))] : []),
    ...(report.looks ? [cell(looksLine(report.looks))] : []),
    `${cell(`${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}; ${loopLine(report)}`)}: \`${target.url}\`${target.gateway ? ` (${cell(target.gateway)})` : ''}`,
    `${formatNumber(totals.sent)} requests in ${formatDuration(totals.durationS * 1_000)}, ${formatNumber(totals.failed)} failed (${formatShare(totals.sent === 0 ? 0 : totals.failed / totals.sent)}); ${rate(throughput.requestsPerSec)} requests/s${tokens}; client ${client.verdict}${client.why.map((why) => `, ${cell(why)}`).join('')}`,
    figures(
      'latency (ms)',
      latencyRows(report, true).map(([name, d]) => [name, d]),
    ),
    figures('overhead (ms)', overheadRows(report)),
    report.slo?.length ? sloMarkdown(report.slo) : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

/** What JUnit says beside the verdicts. */
export function benchProperties({ target, load, noise, looks }: BenchReport): Record<string, string> {
  return {
    url: target.url,
    model: target.model,
    workload: load.workload.name,
    noise: noiseLine(noise),
    ...(looks ? { looks: looksLine(looks) } : {}),
  }
}

type Quantiles = Pick<OverheadResult['totalMs'], 'p50' | 'p90' | 'p95' | 'p99' | 'max'>

function figures(title: string, rows: readonly [string, Quantiles][]): string {
  if (rows.length === 0) return ''
  return table(
    [title, 'P50', 'P90', 'P95', 'P99', 'max'],
    rows.map(([name, { p50, p90, p95, p99, max }]) => [name, ...[p50, p90, p95, p99, max].map(formatMs)]),
  )
}

function overheadRows({ overhead, arms }: BenchReport): [string, Quantiles][] {
  const own = overhead.map(({ definition, totalMs }): [string, Quantiles] => [definition, totalMs])
  const other = arms.baseline?.overhead.find(({ definition }) => definition === 'provider-stamped')
  if (!other) return own
  return [...own, [arms.baseline?.name === 'direct' ? 'floor (direct)' : 'the other arm', other.totalMs]]
}
