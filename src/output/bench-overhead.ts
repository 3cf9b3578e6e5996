/** The overhead in a bench's table: a row for each definition and its parts, the other arm, and what they rest on. */
import type { ChalkInstance } from 'chalk'
import { explainDisagreement } from '../overhead/disagreement.ts'
import type { OverheadResult, Run } from '../report/schema.ts'
import { STAMP_METRICS, type StampMetric } from '../slo/metrics.ts'
import { formatMs, formatNumber } from '../units.ts'
import { restsOn } from './answers.ts'
import { bracketed, budgetCell } from './sentences.ts'
import { columns, wrapHanging } from './table.ts'

export function overheadSection(report: Run, c: ChalkInstance): string {
  const title = c.bold(
    report.role === 'direct' ? 'Measurement floor (ms): no gateway in between' : 'Gateway Overhead (ms)',
  )
  if (report.overhead.length === 0) {
    const why = 'the provider does not stamp its answers and the target reports no overhead of its own'
    const lines = [
      `unknown: ${why}.`,
      ...signals(report),
      'Bench the provider directly as well, then: kt bench compare baseline.json gateway.json',
    ]
    return [title, ...lines.map((line) => c.dim(wrapHanging(line, '  ', 2)))].join('\n')
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
    columns([head, ...rows]),
    ...report.overhead.flatMap((entry) => notes(entry, c)),
    ...beside.map((line) => c.dim(wrapHanging(line, '  '))),
  ].join('\n')
}

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

function notes(entry: OverheadResult, c: ChalkInstance): string[] {
  const [low, high] = entry.totalMs.ci95
  const unbounded = low === 0 && high === null
  const bounds = unbounded ? '(no interval: fewer than ten blocks)' : `${bracketed([low, high])} by blocks`
  const interval = `P99 ${formatMs(entry.totalMs.p99)} ${bounds}`
  const counted = [
    entry.cacheHits > 0 ? `${formatNumber(entry.cacheHits)} cache hits excluded` : '',
    entry.retried > 0 ? `${formatNumber(entry.retried)} retried by the gateway excluded` : '',
    entry.negative > 0 ? `${formatNumber(entry.negative)} below zero: an error in the method` : '',
  ].filter((text) => text !== '')
  const text = [interval, `n=${formatNumber(entry.count)}`, ...counted].join('; ')
  return [
    c.dim(wrapHanging(`${entry.definition}: ${text}`, '  ')),
    c.dim(wrapHanging(`${entry.source}: ${entry.note}`, '    ')),
  ]
}
