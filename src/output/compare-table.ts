/** Two runs side by side as text: what it came to, the figures, the overhead, and what puts them in doubt. */
import { COMPARED_FIGURES, FIGURES, isMetric, METRICS } from '../slo/metrics.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatMs, formatNumber, formatShare } from '../units.ts'
import type { ComparedRow, ComparedRun, Comparison } from '../verdict/compare.ts'
import { type Answer, answered, gateAnswer } from './answer.ts'
import { OF_LESS_USE } from './bench-overhead.ts'
import { numberFormat } from './column.ts'
import { markWords } from './commit-words.ts'
import { bracketed, budgetCell, FORMATS, gateLines, intervalWords, noiseLine } from './sentences.ts'
import { columns, type Page, paragraph } from './table.ts'

export function renderComparison(comparison: Comparison, page: Page): string {
  const { explain } = page
  const { notes, doubts = [], gate } = comparison
  return answered(
    comparisonAnswer(comparison, explain),
    [
      heading(comparison, page),
      [durations(comparison.rows, page), rates(comparison.rows, page)].filter((part) => part !== '').join('\n'),
      explain ? overheadTable(comparison, page) : overheadBlock(comparison, page),
      differences(comparison, page),
      (explain ? notes : doubts).map((note) => paragraph(note, page)).join('\n'),
      gate && (explain || gate.checks.length > 1) ? gateLines(gate, page) : '',
      explain ? basis(comparison, page) : '',
    ],
    page,
  )
}

/** `explained`: what --explain shows is there already. */
function comparisonAnswer({ gate, rows, baseline, gateway }: Comparison, explained: boolean): Answer {
  if (gate) {
    return gateAnswer(gate, {
      pass: 'Keep the report of the gateway as the next baseline.',
      fail: `${explained ? '' : '--explain shows which part takes it; '}'kt doctor --report' looks for the cause.`,
      open: explained ? '' : '--explain shows what it rests on.',
    })
  }
  // Without a verdict the first of these that both have stands for the rest.
  const common = rows.filter(({ unit, delta }) => unit === 'ms' && delta !== null)
  const row = common.find(({ metric }) => metric === 'latency.p99') ?? common[0]
  const isForeign = baseline.client === null || gateway.client === null
  const next = isForeign ? 'Measure both with kt bench to have it judged.' : 'Without --no-gate it is judged.'
  if (!row) return { text: 'The two runs have no duration in common.', next }
  const [from, to, by] = [row.baseline, row.gateway, row.delta].map((ms) => formatMs(ms ?? 0))
  const interval = row.delta95 ? intervalWords(row.delta95) : ''
  const within = interval === '' ? '' : ` (95 %: ${interval})`
  return { text: `${durationName(row)} went from ${from} ms to ${to} ms, by ${by} ms${within}.`, next }
}

/** `latency.p99` -> 'P99 latency', `ttft.p50` -> 'P50 time to first token'. */
function durationName({ metric }: ComparedRow): string {
  const [family = '', quantile = ''] = metric.split('.')
  const name = isMetric(family) ? METRICS[family].label.trim() : family
  return `${quantile.toUpperCase()} ${name.charAt(0).toLowerCase()}${name.slice(1)}`
}

function heading({ mode, modeWhy, pairing, baseline, gateway }: Comparison, { c, explain, width }: Page): string {
  const line = (name: string, { file, url, requests, failed, ...marked }: ComparedRun): string[] => {
    const counts = `${counted(requests, 'request')}${failed > 0 ? `, ${formatNumber(failed)} failed` : ''}`
    const details = [counts, markWords(marked)].filter((words) => words !== '').join('; ')
    return hang(`  ${name.padEnd(8)}  `, `${file}; ${c.dim(explain ? `${url}; ${details}` : details)}`, width)
  }
  const why = `mode: ${mode} (${modeWhy}), ${pairing}`
  return [
    ...hang(`${c.bold('kt bench compare')}  `, why, width),
    ...line('baseline', baseline),
    ...line('gateway', gateway),
  ].join('\n')
}

/** What is shown by itself; the rest on request. */
const SHOWN = ['latency', 'ttft', 'tpot'].flatMap((family) => [`${family}.p50`, `${family}.p99`])

function durations(rows: readonly ComparedRow[], page: Page): string {
  const { c, explain, width } = page
  const shown = rows.filter(({ unit, metric }) => {
    return unit === 'ms' && (explain || SHOWN.includes(metric))
  })
  if (shown.length === 0) return ''
  const head = ['(ms)', 'baseline', 'gateway', 'delta', '', '95 %', ''].map((name) => c.dim(name))
  const families = Map.groupBy(shown, ({ metric }) => metric.split('.')[0] ?? '')
  const body = [...families].flatMap(([family, members]) => familyRows(family, members, page))
  const notes = [
    ...(shown.some((row) => row.delta95)
      ? ['95 %: interval of delta, by blocks; alike: within 0.5 ms or 10 %; ?: undecided.']
      : []),
    ...(explain && shown.some((row) => row.fewBeyond)
      ? ['* fewer than ten requests lie beyond it; in brackets its interval were the requests independent, unjudged.']
      : []),
  ]
  const table = columns([head, ...body], { width, indent: 0, spare: [4] })
  return [table, ...notes.map((note) => c.dim(paragraph(note, page)))].join('\n')
}

/** The quantiles of one duration: they share their unit and their decimals. */
function familyRows(family: string, rows: readonly ComparedRow[], { c, explain }: Page): string[][] {
  const figure = numberFormat(rows.flatMap(({ baseline, gateway, delta }) => [baseline, gateway, delta]))
  const name = isMetric(family) ? METRICS[family].short : family
  const lines = rows.flatMap((row) => {
    const quantile = (row.metric.split('.')[1] ?? '').toUpperCase()
    const label = `${name} ${quantile}${explain && row.fewBeyond ? '*' : ''}`
    // A share of what may be nothing would only mislead.
    const share = row.verdict === 'open' ? '' : signed(row.deltaShare, formatShare)
    const change = [
      signed(row.delta, figure),
      share,
      row.delta95 ? intervalWords(row.delta95, figure) : '',
      word(row, { c }),
    ]
    const [from, to] = explain && row.fewBeyond ? [row.iid95?.baseline, row.iid95?.gateway] : []
    const beneath = from || to ? [['', from ? bracketed(from, figure) : '', to ? bracketed(to, figure) : '']] : []
    return [[label, figure(row.baseline), figure(row.gateway), ...change], ...beneath]
  })
  const [first] = rows
  return first?.answers ? [...lines, ['', ...answers(first, { c })]] : lines
}

/** How many answers each side rests on, where these are not all of its requests. */
function answers({ answers }: ComparedRow, { c }: Pick<Page, 'c'>): string[] {
  if (!answers) return []
  return [answers.baseline, answers.gateway].map((count) => c.dim(count === null ? '' : `n=${formatNumber(count)}`))
}

function word({ verdict, delta95 }: ComparedRow, { c }: Pick<Page, 'c'>): string {
  const isBlank = delta95?.every((bound) => bound === null)
  if (!verdict || isBlank) return ''
  return { worse: c.red('worse'), better: c.green('better'), alike: c.dim('alike'), open: c.dim('?') }[verdict]
}

function rates(rows: readonly ComparedRow[], { c, width }: Page): string {
  const body = rows
    .filter((row) => row.unit !== 'ms')
    .flatMap((row) => {
      const format = row.unit === 'per second' ? numberFormat([row.baseline, row.gateway]) : FORMATS[row.unit]
      const own = (value: number | null): string => (value === null ? '-' : format(value))
      // An error rate gets no relative change: its difference is already in percentage points.
      const relative = row.unit === 'share' ? '' : signed(row.deltaShare, formatShare)
      const line = [figureLabel(row.metric), own(row.baseline), own(row.gateway), signed(row.delta, format), relative]
      return row.answers ? [line, ['', ...answers(row, { c })]] : [line]
    })
  return body.length === 0 ? '' : columns(body, { width, indent: 0, spare: [4] })
}

function figureLabel(metric: string): string {
  const figure = COMPARED_FIGURES.find((known) => FIGURES[known].comparedAs === metric)
  return figure === undefined ? metric : FIGURES[figure].label
}

/** One P50 and one P99, by the reading that a verdict would rest on. */
function overheadBlock({ overhead, judgedBy }: Comparison, { c, width }: Page): string {
  const own = overhead.filter(({ of }) => of === 'gateway')
  const entry = own.find(({ definition }) => definition === judgedBy?.definition) ?? own[0]
  if (!entry) return ''
  const { p50, p99, ci95 } = entry.totalMs
  const before = overhead.find(({ of, definition }) => of === 'old' && definition === entry.definition)?.totalMs
  const figure = numberFormat([p50, p99, ...(before ? [before.p50, before.p99] : [])])
  const was = (ms: number | undefined): string => (ms === undefined ? '' : c.dim(`baseline: ${figure(ms)} ms`))
  const rows = [
    ['P50:', `${figure(p50)} ms`, '', was(before?.p50)],
    ['P99:', `${figure(p99)} ms`, c.dim(bracketed(ci95, figure)), was(before?.p99)],
  ]
  return `${c.bold('Gateway Overhead:')}\n${columns(rows, { width, align: ['left', 'right', 'left', 'left'] })}`
}

function overheadTable({ overhead: entries }: Comparison, page: Page): string {
  const { c, width } = page
  const title = c.bold('Gateway overhead (ms)')
  if (entries.length === 0) {
    const why = 'unknown: the provider does not stamp its answers and the gateway reports nothing.'
    return `${title}\n${c.dim(paragraph(why, page, '  '))}`
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
    return paragraph({ floor, old: `old ${reading}`, gateway: reading }[of], page, '  ')
  })
  return [title, columns([head, ...body], { width, spare: OF_LESS_USE }), ...notes.map((note) => c.dim(note))].join(
    '\n',
  )
}

/** All of them on request; by themselves those that forbid a verdict. */
function differences({ differences: found }: Comparison, page: Page): string {
  const shown = page.explain ? found : found.filter(({ forbids }) => forbids)
  if (shown.length === 0) return ''
  const lines = shown.map(({ what, baseline, gateway, forbids }) => {
    const text = paragraph(`${what}: ${baseline} | ${gateway}`, page, '  ')
    return forbids ? page.c.yellow(text) : text
  })
  return [page.c.bold('The runs differ in (baseline | gateway)'), ...lines].join('\n')
}

/** By what it was judged, and the noise of the rig. */
function basis({ gate, judgedBy, noise }: Comparison, page: Page): string {
  if (!gate) return ''
  const floor = judgedBy?.floor ? `; floor: ${judgedBy.floor}` : ''
  const by = judgedBy ? [`Judged by ${judgedBy.definition} (${judgedBy.source}); ${judgedBy.caveat}${floor}.`] : []
  return [...by, noiseLine(noise ?? undefined)].map((line) => page.c.dim(paragraph(line, page))).join('\n')
}

function signed(value: number | null, format: (value: number) => string): string {
  if (value === null) return '-'
  return `${value > 0 ? '+' : ''}${format(value)}`
}
