/**
 * The overhead of a gateway: one P50 and one P99, by the best reading of the run; and on request a row for each
 * definition and its parts, the other arm, and what they rest on.
 */
import type { ChalkInstance } from 'chalk'
import { explainDisagreement } from '../overhead/disagreement.ts'
import { readHistogram } from '../report/histogram-text.ts'
import type { OverheadResult, Run } from '../report/schema.ts'
import { STAMP_METRICS, type StampMetric } from '../slo/metrics.ts'
import { formatMs, formatNumber } from '../units.ts'
import { type Estimate, estimateAdded } from '../verdict/estimate.ts'
import { bestReading } from '../verdict/judge-overhead.ts'
import { restsOn } from './answers.ts'
import { numberFormat } from './column.ts'
import { bracketed, budgetCell, isOpen } from './sentences.ts'
import { readStatistic, type Statistic, statisticName } from './statistics.ts'
import { columns, type Page, paragraph } from './table.ts'

interface BlockView {
  statistics?: readonly Statistic[] | undefined
}

type Reading = Pick<Estimate['p99'], 'valueMs' | 'ci95Ms'>

export function overheadBlock(report: Run, { statistics }: BlockView, { c, width }: Page): string {
  const direct = report.role === 'direct'
  const readings = readingsOf(report, statistics)
  if (readings.length === 0) return direct ? '' : `${c.bold('Gateway Overhead:')}\n  unknown`
  // As in the answer: values and bounds have the same decimals.
  const figure = numberFormat(readings.flatMap(([, { valueMs, ci95Ms }]) => [valueMs, ...(ci95Ms ?? [])]))
  const rows = readings.map(([name, { valueMs, ci95Ms }]) => {
    return [`${name}:`, `${figure(valueMs)} ms`, c.dim(ci95Ms && !isOpen(ci95Ms) ? bracketed(ci95Ms, figure) : '')]
  })
  const title = direct ? 'Measurement Floor: no gateway in between' : 'Gateway Overhead:'
  return `${c.bold(title)}\n${columns(rows, { width, align: ['left', 'right', 'left'] })}`
}

/** The figures that the answer names, or the statistics that were asked for. */
function readingsOf(report: Run, statistics: readonly Statistic[] | undefined): [string, Reading][] {
  const best = bestReading(report)
  if (statistics && best) {
    const durations = readHistogram(best.histogram)
    return statistics.map((statistic) => {
      return [statisticName(statistic), { valueMs: readStatistic(durations, statistic), ci95Ms: null }]
    })
  }
  const estimate = estimateAdded(report)
  if (estimate?.kind === 'overhead') {
    return [...(estimate.p50 ? [['P50', estimate.p50] as [string, Reading]] : []), ['P99', estimate.p99]]
  }
  if (!best) return []
  const { p50, p99, ci95 } = best.totalMs
  return [
    ['P50', { valueMs: p50, ci95Ms: null }],
    ['P99', { valueMs: p99, ci95Ms: ci95 }],
  ]
}

export function overheadSection(report: Run, page: Page): string {
  const { c, width } = page
  const title = c.bold(report.role === 'direct' ? 'Measurement floor (ms)' : 'Overhead by definition (ms)')
  if (report.overhead.length === 0) {
    const why = 'the provider does not stamp its answers and the target reports no overhead of its own'
    return [title, ...[`unknown: ${why}.`, ...signals(report)].map((line) => c.dim(paragraph(line, page, '  ')))].join(
      '\n',
    )
  }
  const head = ['', 'P50', 'P90', 'P95', 'P99', 'Max', 'budget'].map((name) => c.dim(name))
  // The one-way delays are parts of what the stamps give.
  const rows = report.overhead.flatMap((entry) => [
    ...overheadRows(entry, c),
    ...(entry.definition === 'provider-stamped' ? [...tokenRows(report, entry, c), ...oneWayRows(report)] : []),
  ])
  const other = otherArmReading(report)
  if (other) rows.push([other.name, ...quantiles(other.reading)])
  const beside = [...explainDisagreement(report.overhead), ...signals(report)]
  return [
    title,
    columns([head, ...rows], { width, spare: OF_LESS_USE }),
    ...report.overhead.flatMap((entry) => notes(entry, page)),
    ...beside.map((line) => c.dim(paragraph(line, page, '  '))),
  ].join('\n')
}

/** P90, P95 and Max. */
export const OF_LESS_USE = [2, 3, 5] as const

interface OtherArmReading {
  name: string
  reading: OverheadResult
  /** Requests of that arm. */
  sent: number
}

/** What the provider's stamps say of the other arm: the measurement floor where that is the provider itself. */
export function otherArmReading({ baseline }: Run): OtherArmReading | undefined {
  const reading = baseline?.overhead.find(({ definition }) => definition === 'provider-stamped')
  if (!baseline || !reading) return undefined
  const name = baseline.role === 'direct' ? 'floor (direct)' : 'the other arm'
  return { name, reading, sent: baseline.totals.sent }
}

/** The one-way delays, by the provider's own record; only on one host. */
function oneWayRows({ oneWayMs }: Run): string[][] {
  if (!oneWayMs) return []
  return [['  request path', oneWayMs.requestPath] as const, ['  response path', oneWayMs.responsePath] as const].map(
    ([name, { p50, p99, max }]) => [name, formatMs(p50), '', '', formatMs(p99), formatMs(max)],
  )
}

/** What the gateway does not report, and what it reported that is impossible. */
function signals({ signals: reported }: Run): string[] {
  if (!reported) return []
  const name = reported.gateway ?? 'the target'
  const rejected = Object.entries(reported.rejected).map(
    ([rule, count]) => `${name}: ${formatNumber(count)} excluded: ${rule}`,
  )
  return [...(reported.caveat === '' ? [] : [`${name}: ${reported.caveat}`]), ...rejected]
}

function overheadRows(entry: OverheadResult, c: ChalkInstance): string[][] {
  const rows = [[entry.definition, ...quantiles(entry)]]
  for (const [name, part] of Object.entries(entry.components ?? {})) {
    const within = budgetCell(part.budgetMs, part.verdict, c)
    const budget = [within, c.dim(restsOn(part.count, entry.count))].filter((text) => text !== '').join(' ')
    rows.push([`  ${name.replaceAll('_', ' ')}`, formatMs(part.p50), '', '', formatMs(part.p99), '', budget])
  }
  return rows
}

const TOKEN_ROWS: Readonly<Record<StampMetric, string>> = {
  addedTtft: '  first token',
  addedPerToken: '  each token',
  hold: '  hold',
}

/** What was added to tokens and how long they were held, beside the limits that were asked for. */
function tokenRows(report: Run, { perTokenMs }: OverheadResult, c: ChalkInstance): string[][] {
  const rows = STAMP_METRICS.flatMap((metric) => {
    const measured = report[`${metric}Ms`]
    if (!measured) return []
    const check = report.gate?.checks.find((one) => one.metric === `${metric}.p99`)
    return [
      [TOKEN_ROWS[metric], ...quantiles({ totalMs: measured }), check ? budgetCell(check.limit, check.verdict, c) : ''],
    ]
  })
  if (rows.length > 0 || !perTokenMs) return rows
  // A report of before, whose tokens have both in one.
  return [['  each token', formatMs(perTokenMs.p50), '', '', formatMs(perTokenMs.p99), formatMs(perTokenMs.max)]]
}

type Quantiles = Record<'p50' | 'p90' | 'p95' | 'p99' | 'max', number>

function quantiles({ totalMs }: { totalMs: Quantiles }): string[] {
  return [totalMs.p50, totalMs.p90, totalMs.p95, totalMs.p99, totalMs.max].map(formatMs)
}

function notes(entry: OverheadResult, page: Page): string[] {
  const { ci95, p99 } = entry.totalMs
  const bounds = isOpen(ci95) ? '(no interval: fewer than ten blocks)' : `${bracketed(ci95)} by blocks`
  const counted = [
    entry.cacheHits > 0 ? `${formatNumber(entry.cacheHits)} from a cache excluded` : '',
    entry.retried > 0 ? `${formatNumber(entry.retried)} retried by the gateway excluded` : '',
    entry.negative > 0 ? `${formatNumber(entry.negative)} below zero: an error in the method` : '',
  ].filter((text) => text !== '')
  const text = [`P99 ${formatMs(p99)} ${bounds}`, `n=${formatNumber(entry.count)}`, ...counted].join('; ')
  return [
    page.c.dim(paragraph(`${entry.definition}: ${text}`, page, '  ')),
    page.c.dim(paragraph(`${entry.source}: ${entry.note}`, page, '    ')),
  ]
}
