/** One check as a sentence, the same words in every output: what was asked, what was found, on what, and what would decide it. */
import type { Check, Verdict } from '../report/schema.ts'
import { formatMs, formatNumber, formatShare } from '../units.ts'

const NAMES: Record<string, string> = {
  'overhead.p99': 'P99 overhead',
  'delta.latency.p99': 'difference of the P99 latencies',
  'delta.overhead.p99': 'difference of the P99 overheads',
}

const OPPOSITE = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' } as const

export function checkSentence(check: Check): string {
  const { why, requestsNeeded } = check
  const needed = requestsNeeded === undefined ? '' : `; about ${formatNumber(requestsNeeded)} requests would decide it`
  return `${checkFigure(check)} (${why}${needed})`
}

/** 'P99 overhead 1.24 ms < 7 ms', without the reasons. */
export function checkFigure({ metric, op, limit, value, verdict }: Check): string {
  const name = NAMES[metric] ?? metric
  if (value === null) return name
  const breached = op.startsWith('<') ? value >= limit : value <= limit
  const relation = verdict === 'pass' ? op : verdict === 'fail' && breached ? OPPOSITE[op] : 'against'
  return `${name} ${quantity(metric, value)} ${relation} ${limitOf(metric, limit)}`
}

/** A value in the unit of its metric. */
export function quantity(metric: string, value: number): string {
  if (isShare(metric)) return formatShare(value)
  if (metric.startsWith('throughput.')) return `${formatNumber(value, value < 100 ? 2 : 0)} a second`
  return `${formatMs(value)} ms`
}

function limitOf(metric: string, limit: number): string {
  return isShare(metric) || metric.startsWith('throughput.')
    ? quantity(metric, limit)
    : limit < 1_000
      ? `${Number(limit.toPrecision(3))} ms`
      : `${formatNumber(limit)} ms`
}

function isShare(metric: string): boolean {
  return metric === 'errors.rate' || metric.endsWith('goodput')
}

export function verdictWord(verdict: Verdict): string {
  return verdict.toUpperCase()
}
