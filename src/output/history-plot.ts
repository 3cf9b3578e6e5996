/**
 * A history as text: a point for each run, the level between changes, a bar at each change; then the changes. Where the
 * largest value is many times the smallest, the axis is logarithmic.
 */
import { FIGURES, isFigure } from '../slo/metrics.ts'
import { median } from '../stats/means.ts'
import { hang } from '../system/terminal.ts'
import { counted, formatNumber, formatShare } from '../units.ts'
import type { History, HistoryChange } from '../verdict/history.ts'
import { markWords } from './commit-words.ts'
import { FORMATS } from './sentences.ts'
import { type Page, paragraph } from './table.ts'

const ROWS = 12
const AXIS = 10
const MOST_EXCLUDED = 5
const LOGARITHMIC_FROM = 10

export function renderHistory(history: History, page: Page): string {
  const { c, width } = page
  const { folder, metric, definition, runs } = history
  const how = definition ? `, ${definition}` : ''
  const newest = runs.at(-1)
  const marks = newest ? markWords(newest) : ''
  const most = width - AXIS - 2
  const hidden = Math.max(0, runs.length - most)
  const earlier = hidden > 0 ? `; the newest ${most} are drawn` : ''
  return [
    `${c.bold('kt bench history')}  ` +
      `${metric}${how}\n${c.dim(paragraph(`${folder}: ${counted(runs.length, 'run')}${earlier}`, page, '  '))}`,
    marks === '' ? '' : c.dim(paragraph(`newest: ${marks}`, page, '  ')),
    runs.length > 1 ? plot(history, hidden, most, page) : '',
    changes(history, page),
    excluded(history, page),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function plot({ runs, changes: found, unit }: History, hidden: number, most: number, page: Page): string {
  const { c } = page
  const shown = runs.slice(hidden).map((run) => run.value)
  const starts = found.map(({ index }) => index - hidden).filter((index) => index > 0)
  const axis = axisOf(shown)
  const step = Math.max(1, Math.floor(most / shown.length))
  const bounds = [0, ...starts, shown.length]
  const levels = shown.map((_, index) => {
    const level = bounds.findLastIndex((start) => start <= index)
    return median(shown.slice(bounds[level], bounds[level + 1]))
  })
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const cells = shown.map((value, index) => {
      const mark =
        axis.rowOf(value) === row ? c.cyan('*') : axis.rowOf(levels[index] ?? value) === row ? c.dim('-') : ' '
      const bar = starts.includes(index) && mark === ' ' ? c.yellow('|') : mark
      return bar + ' '.repeat(Math.min(step, 4) - 1)
    })
    const label = row % 3 === 0 || row === ROWS - 1 ? format(axis.valueAt(row), unit) : ''
    return `${c.dim(`${label.padStart(AXIS - 1)} |`)}${cells.join('')}`.trimEnd()
  })
  const scale = `a mark for each run${axis.logarithmic ? '; logarithmic axis' : ''}`
  const ends = endWords(runs[hidden], runs.at(-1))
  return [...lines, c.dim(paragraph(`${ends}; ${scale}`, page, ' '.repeat(AXIS + 1)))].join('\n')
}

/** Day and commit of the first run and of the last; where the day does not tell them apart, the hour too. */
function endWords(first: HistoryRun | undefined, last: HistoryRun | undefined): string {
  const sameDay = first?.startedAt.slice(0, 10) === last?.startedAt.slice(0, 10)
  const ends = [first, last].map((run) => {
    if (!run) return ''
    const at = run.startedAt.slice(0, sameDay ? 16 : 10).replace('T', ' ')
    return [at, ...(run.commit ? [run.commit.sha.slice(0, 7)] : [])].join(' ')
  })
  return [...new Set(ends)].join(' to ')
}

type HistoryRun = History['runs'][number]

interface Axis {
  logarithmic: boolean
  rowOf(value: number): number
  valueAt(row: number): number
}

/** Never empty, with a small margin. */
function axisOf(values: readonly number[]): Axis {
  const logarithmic = Math.min(...values) > 0 && Math.max(...values) >= LOGARITHMIC_FROM * Math.min(...values)
  const [to, from] = logarithmic ? [Math.log, Math.exp] : [(value: number) => value, (place: number) => place]
  const places = values.map((value) => to(value))
  const [lowest, highest] = [Math.min(...places), Math.max(...places)]
  const margin = (highest - lowest) * 0.05 || Math.abs(highest) * 0.1 || 1
  const low = logarithmic ? lowest - margin : Math.max(lowest - margin, lowest >= 0 ? 0 : Number.NEGATIVE_INFINITY)
  const high = highest + margin
  return {
    logarithmic,
    rowOf: (value) => Math.round(((high - to(value)) / (high - low)) * (ROWS - 1)),
    valueAt: (row) => from(high - ((high - low) * row) / (ROWS - 1)),
  }
}

function changes({ changes: found, runs, unit, metric }: History, page: Page): string {
  if (found.length > 0) return found.map((change) => changeLine(change, unit, metric, page)).join('\n')
  const level = `level ${format(median(runs.map((run) => run.value)), unit)}`
  if (runs.length >= 8) return paragraph(`No change found: ${level} (E-divisive, p <= 0.01)`, page)
  const few = `${counted(runs.length, 'run is', 'runs are')} too few to find a change, which needs four on each side`
  return page.c.dim(paragraph(`${level}; ${few}`, page))
}

function changeLine(change: HistoryChange, unit: History['unit'], metric: string, { c, width }: Page): string {
  const { file, startedAt, before, after, delta, deltaShare, p } = change
  const marks = markWords(change)
  const better = isFigure(metric) && FIGURES[metric].better === 'higher' ? delta > 0 : delta < 0
  const share = deltaShare === null ? '' : ` (${deltaShare > 0 ? '+' : ''}${formatShare(deltaShare)})`
  const run = `${startedAt.slice(0, 16).replace('T', ' ')} ${file}${marks === '' ? '' : `, ${marks}`}`
  const text = `${run}: from ${format(before, unit)} to ${format(after, unit)}${share}, p ${formatNumber(p, 3)}`
  const word = (better ? c.green : c.red)(better ? 'better' : 'worse')
  return hang(`${word}${better ? '' : ' '}  `, text, width).join('\n')
}

function excluded({ left: files }: History, page: Page): string {
  if (files.length === 0) return ''
  const shown = files.slice(0, MOST_EXCLUDED).map(({ file, why }) => paragraph(`${file}: ${why}`, page, '  '))
  const more = files.length > shown.length ? [`  … and ${files.length - shown.length} more`] : []
  return page.c.dim(['Excluded:', ...shown, ...more].join('\n'))
}

function format(value: number, unit: History['unit']): string {
  return `${FORMATS[unit](value)}${unit === 'ms' ? ' ms' : ''}`
}
