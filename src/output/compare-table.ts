/** Two runs side by side as text in 80 columns: figures, overhead, differences, and last the verdict. */
import type { ChalkInstance } from 'chalk'
import { COMPARED_FIGURES, FIGURES, isMetric, METRICS } from '../slo/metrics.ts'
import { counted, formatMs, formatNumber, formatShare } from '../units.ts'
import type { ComparedRow, ComparedRun, Comparison } from '../verdict/compare.ts'
import { markWords } from './commit-words.ts'
import { bracketed, budgetCell, FORMATS, gateLines, intervalWords, noiseLine } from './sentences.ts'
import { columns, paint, wrapHanging } from './table.ts'

export function renderComparison(comparison: Comparison, color: boolean): string {
  const c = paint(color)
  return [
    heading(comparison, c),
    figures(comparison.rows, c),
    rates(comparison.rows, c),
    overhead(comparison, c),
    differences(comparison, c),
    comparison.notes.map((note) => wrapHanging(note, '')).join('\n'),
    verdict(comparison, c),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function heading({ mode, modeWhy, pairing, baseline, gateway }: Comparison, c: ChalkInstance): string {
  const line = (name: string, { file, url, requests, failed, ...marked }: ComparedRun): string[] => [
    `  ${name.padEnd(8)}  ${file}`,
    c.dim(`            ${url}; ${counted(requests, 'request')}${failed > 0 ? `, ${formatNumber(failed)} failed` : ''}`),
    ...marks(marked).map((text) => c.dim(wrapHanging(text, ' '.repeat(12)))),
  ]
  return [
    wrapHanging(`kt bench compare  mode: ${mode} (${modeWhy}), ${pairing}`, '', 18).replace(
      'kt bench compare',
      c.bold('kt bench compare'),
    ),
    ...line('baseline', baseline),
    ...line('gateway', gateway),
  ].join('\n')
}

function marks(run: Pick<ComparedRun, 'commit' | 'labels'>): string[] {
  const words = markWords(run)
  return words === '' ? [] : [words]
}

function figures(rows: readonly ComparedRow[], c: ChalkInstance): string {
  const shown = rows.filter((row) => row.unit === 'ms')
  if (shown.length === 0) return ''
  const notes = [
    'Delta with its 95 % interval by blocks. alike: within 0.5 ms or 10 %; ?: undecided.',
    ...(shown.some((row) => row.fewBeyond)
      ? ['* fewer than ten requests lie beyond it; its 95 % iid interval, which no verdict rests on, is in brackets.']
      : []),
  ]
  return [figureTable(shown, c), ...notes.map((note) => c.dim(wrapHanging(note, '')))].join('\n')
}

function figureTable(rows: readonly ComparedRow[], c: ChalkInstance): string {
  const head = ['(ms)', 'baseline', 'gateway', 'delta', '', '95 %', ''].map((name) => c.dim(name))
  const body = rows.flatMap((row) => {
    const [family = '', quantile = ''] = row.metric.split('.')
    const title = quantile === 'p50' ? [[isMetric(family) ? METRICS[family].label : family, ...answers(row, c)]] : []
    const label = ` ${quantile.toUpperCase()}${row.fewBeyond ? '*' : ''}`
    const change = [signed(row.delta, formatMs), signed(row.deltaShare, formatShare)]
    const line = [label, own(row.baseline), own(row.gateway), ...change, interval(row), word(row, c)]
    const [from, to] = row.fewBeyond ? [row.iid95?.baseline, row.iid95?.gateway] : []
    return [...title, line, ...(from || to ? [['', from ? bracketed(from) : '', to ? bracketed(to) : '']] : [])]
  })
  return columns([head, ...body], undefined, 0)
}

/** How many answers each side rests on, where these are not all of its requests. */
function answers({ answers }: ComparedRow, c: ChalkInstance): string[] {
  if (!answers) return []
  return [answers.baseline, answers.gateway].map((count) => c.dim(count === null ? '' : `n=${formatNumber(count)}`))
}

function own(value: number | null): string {
  return value === null ? '-' : formatMs(value)
}

function interval({ delta95 }: ComparedRow): string {
  return delta95 ? intervalWords(delta95, '..') : ''
}

function word({ verdict, delta95 }: ComparedRow, c: ChalkInstance): string {
  const isBlank = delta95?.every((bound) => bound === null)
  if (!verdict || isBlank) return ''
  return { worse: c.red('worse'), better: c.green('better'), alike: c.dim('alike'), open: c.dim('?') }[verdict]
}

function rates(rows: readonly ComparedRow[], c: ChalkInstance): string {
  const body = rows
    .filter((row) => row.unit !== 'ms')
    .flatMap((row) => {
      const format = FORMATS[row.unit]
      const own = (value: number | null): string => (value === null ? '-' : format(value))
      // An error rate gets no relative change: its difference is already in percentage points.
      const relative = row.unit === 'share' ? '' : signed(row.deltaShare, formatShare)
      const line = [figureLabel(row.metric), own(row.baseline), own(row.gateway), signed(row.delta, format), relative]
      return row.answers ? [line, ['', ...answers(row, c)]] : [line]
    })
  const head = ['', 'baseline', 'gateway', 'delta', ''].map((name) => c.dim(name))
  return columns([head, ...body], undefined, 0)
}

function figureLabel(metric: string): string {
  const figure = COMPARED_FIGURES.find((known) => FIGURES[known].comparedAs === metric)
  return figure === undefined ? metric : FIGURES[figure].label
}

function overhead({ overhead: entries }: Comparison, c: ChalkInstance): string {
  const title = c.bold('Gateway overhead (ms)')
  if (entries.length === 0) {
    const why = 'unknown: the provider does not stamp its answers and the gateway reports nothing.'
    return `${title}\n${c.dim(wrapHanging(why, '  '))}`
  }
  const head = ['', 'P50', 'P90', 'P95', 'P99', 'Max', 'P99 95 % | budget'].map((name) => c.dim(name))
  const body = entries.flatMap(({ of, definition, totalMs, components = [] }) => {
    const figures = [totalMs.p50, totalMs.p90, totalMs.p95, totalMs.p99, totalMs.max].map(formatMs)
    const label = { floor: 'floor, stamped', old: `old ${definition}`, gateway: definition }[of]
    const parts = components.map(({ name, p50, p99, budgetMs, verdict }) => {
      const within = budgetCell(budgetMs, verdict, c)
      return [`  ${name.replaceAll('_', ' ')}`, formatMs(p50), '', '', formatMs(p99), '', within]
    })
    return [[label, ...figures, bracketed(totalMs.ci95)], ...parts]
  })
  const notes = entries.map(({ of, definition, source, note, count }) => {
    const reading = `${definition}: ${source}, n=${formatNumber(count)}; ${note}`
    const floor = 'floor: the same reading without the gateway; shown, never subtracted'
    return wrapHanging({ floor, old: `old ${reading}`, gateway: reading }[of], '  ')
  })
  return [title, columns([head, ...body]), ...notes.map((note) => c.dim(note))].join('\n')
}

function differences({ differences: found }: Comparison, c: ChalkInstance): string {
  if (found.length === 0) return ''
  const lines = found.map(({ what, baseline, gateway, forbids }) => {
    const text = wrapHanging(`${what}: ${baseline} | ${gateway}`, '  ')
    return forbids ? c.yellow(text) : text
  })
  return [c.bold('The runs differ in (baseline | gateway)'), ...lines].join('\n')
}

function verdict({ gate, judgedBy, noise }: Comparison, c: ChalkInstance): string {
  if (!gate) return ''
  const floor = judgedBy?.floor ? `; floor: ${judgedBy.floor}` : ''
  const by = judgedBy ? [`Judged by ${judgedBy.definition} (${judgedBy.source}); ${judgedBy.caveat}${floor}.`] : []
  const rig = c.dim(wrapHanging(noiseLine(noise ?? undefined), ''))
  return [...by.map((line) => c.dim(wrapHanging(line, ''))), rig, gateLines(gate, c)].join('\n')
}

function signed(value: number | null, format: (value: number) => string): string {
  if (value === null) return '-'
  return `${value > 0 ? '+' : ''}${format(value)}`
}
