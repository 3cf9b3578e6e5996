/** Two runs side by side for a person: figures, overhead, what differs, and last the verdict. Fits 80 columns. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { ComparedRow, ComparedRun, Comparison } from '../report/compare.ts'
import { formatMs, formatNumber, formatShare } from '../units.ts'
import { columns, paint } from './table.ts'
import { hung, WIDTH } from './text.ts'
import { gateLines } from './verdict.ts'

const METRICS: Record<string, string> = {
  latency: 'Latency',
  ttfb: 'Time to first byte',
  ttft: 'Time to first token',
  tpot: 'Time per output token',
  interToken: 'Inter-token',
}

export function renderComparison(comparison: Comparison, color: boolean): string {
  const c = paint(color)
  return [
    heading(comparison, c),
    figures(comparison.rows, c),
    rates(comparison.rows, c),
    overhead(comparison, c),
    differences(comparison, c),
    comparison.notes.map((note) => hung(note, '')).join('\n'),
    verdict(comparison, c),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function heading({ mode, baseline, gateway }: Comparison, c: ChalkInstance): string {
  const line = (name: string, { file, url, requests, failed }: ComparedRun): string[] => [
    `  ${name.padEnd(8)}  ${file}`,
    c.dim(
      `            ${url}; ${formatNumber(requests)} requests${failed > 0 ? `, ${formatNumber(failed)} failed` : ''}`,
    ),
  ]
  return [
    `${c.bold('kt bench compare')}  mode: ${mode} (direct against gateway)`,
    ...line('baseline', baseline),
    ...line('gateway', gateway),
  ].join('\n')
}

function figures(rows: readonly ComparedRow[], c: ChalkInstance): string {
  const shown = rows.filter((row) => row.unit === 'ms')
  if (shown.length === 0) return ''
  const plain = figureTable(shown, true, paint(false))
  const fits = plain.split('\n').every((line) => line.length <= WIDTH)
  const notes = [
    'In brackets: 95 % iid intervals, valid for independent requests only; no verdict rests on them.',
    ...(shown.some((row) => row.fewBeyond) ? ['* fewer than ten requests lie beyond it.'] : []),
  ]
  return [figureTable(shown, fits, c), ...notes.map((note) => c.dim(hung(note, '')))].join('\n')
}

/** Intervals beside their figures, or, for long figures, on a line of their own. */
function figureTable(rows: readonly ComparedRow[], beside: boolean, c: ChalkInstance): string {
  const head = ['(ms)', 'baseline', 'gateway', 'delta', ''].map((name) => c.dim(name))
  const body = rows.flatMap((row) => {
    const [family = '', quantile = ''] = row.metric.split('.')
    const title = quantile === 'p50' ? [[METRICS[family] ?? family, '', '', '', '']] : []
    const label = `  ${quantile.toUpperCase()}${row.fewBeyond ? '*' : ''}`
    const [from, to] = [row.iid95?.baseline, row.iid95?.gateway]
    const change = [signed(row.delta, formatMs), signed(row.deltaShare, formatShare)]
    if (beside) return [...title, [label, withInterval(row.baseline, from), withInterval(row.gateway, to), ...change]]
    const below = from || to ? [['', from ? bracketed(from) : '', to ? bracketed(to) : '', '', '']] : []
    return [...title, [label, withInterval(row.baseline), withInterval(row.gateway), ...change], ...below]
  })
  return columns([head, ...body], undefined, 0)
}

function rates(rows: readonly ComparedRow[], c: ChalkInstance): string {
  const names: Record<string, string> = {
    'throughput.requests': 'Requests/sec',
    'throughput.tokens': 'Tokens/sec',
    'errors.rate': 'Error rate',
  }
  const body = rows
    .filter((row) => row.unit !== 'ms')
    .map((row) => {
      const format = row.unit === 'share' ? formatShare : (value: number) => formatNumber(value, value < 100 ? 2 : 0)
      const own = (value: number | null): string => (value === null ? '-' : format(value))
      // The relative change of an error rate says little; its difference is in points already.
      const relative = row.unit === 'share' ? '' : signed(row.deltaShare, formatShare)
      return [names[row.metric] ?? row.metric, own(row.baseline), own(row.gateway), signed(row.delta, format), relative]
    })
  const head = ['', 'baseline', 'gateway', 'delta', ''].map((name) => c.dim(name))
  return columns([head, ...body], undefined, 0)
}

function overhead({ overhead: entries }: Comparison, c: ChalkInstance): string {
  const title = c.bold('Gateway overhead (ms)')
  if (entries.length === 0) {
    return `${title}\n${c.dim(hung('no request carries its own: no stamps from the provider, no report from the gateway.', '  '))}`
  }
  const head = ['', 'P50', 'P90', 'P95', 'P99', 'Max', 'P99 95 % by blocks'].map((name) => c.dim(name))
  const body = entries.map(({ of, definition, totalMs }) => {
    const figures = [totalMs.p50, totalMs.p90, totalMs.p95, totalMs.p99, totalMs.max].map(formatMs)
    return [of === 'floor' ? 'floor, stamped' : definition, ...figures, bracketed(totalMs.ci95)]
  })
  const notes = entries.map(({ of, definition, source, note, count }) =>
    of === 'floor'
      ? hung('floor: the same reading without the gateway; shown, never subtracted', '  ')
      : hung(`${definition}: ${source}, n=${formatNumber(count)}; ${note}`, '  '),
  )
  return [title, columns([head, ...body]), ...notes.map((note) => c.dim(note))].join('\n')
}

function differences({ differences: found }: Comparison, c: ChalkInstance): string {
  if (found.length === 0) return ''
  const lines = found.map(({ what, baseline, gateway, forbids }) => {
    const text = hung(`${what}: ${baseline} | ${gateway}`, '  ')
    return forbids ? c.yellow(text) : text
  })
  return [c.bold('The runs differ in (baseline | gateway)'), ...lines].join('\n')
}

function verdict({ gate, judgedBy }: Comparison, c: ChalkInstance): string {
  if (!gate) return ''
  const by = judgedBy
    ? [
        `Judged by ${judgedBy.definition} (${judgedBy.source}); ${judgedBy.caveat}${judgedBy.floor ? `; floor: ${judgedBy.floor}` : ''}.`,
      ]
    : []
  return [...by.map((line) => c.dim(hung(line, ''))), gateLines(gate, c)].join('\n')
}

function withInterval(value: number | null, interval?: [number, number | null] | null): string {
  if (value === null) return '-'
  return interval ? `${formatMs(value)} ${bracketed(interval)}` : formatMs(value)
}

function bracketed([low, high]: readonly [number, number | null]): string {
  return `[${formatMs(low)}, ${high === null ? 'inf)' : `${formatMs(high)}]`}`
}

function signed(value: number | null, format: (value: number) => string): string {
  if (value === null) return '-'
  return `${value > 0 ? '+' : ''}${format(value)}`
}
