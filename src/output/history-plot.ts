/**
 * A history as text in 80 columns: a point for each run, the level between changes, a bar at each change; then the
 * changes.
 */

import type { ChalkInstance } from 'chalk'
import { FIGURES, isFigure } from '../slo/metrics.ts'
import { median } from '../stats/means.ts'
import { counted, formatNumber, formatShare } from '../units.ts'
import type { History, HistoryChange } from '../verdict/history.ts'
import { markWords } from './commit-words.ts'
import { FORMATS } from './sentences.ts'
import { paint, WIDTH, wrapHanging } from './table.ts'

const ROWS = 12
const AXIS = 10
const MOST_SHOWN = WIDTH - AXIS - 2
const MOST_EXCLUDED = 5

export function renderHistory(history: History, color: boolean): string {
  const c = paint(color)
  const { folder, metric, definition, runs } = history
  const how = definition ? `, ${definition}` : ''
  const newest = runs.at(-1)
  const marks = newest ? markWords(newest) : ''
  const hidden = Math.max(0, runs.length - MOST_SHOWN)
  const earlier = hidden > 0 ? `; the newest ${MOST_SHOWN} are drawn` : ''
  return [
    `${c.bold('kt bench history')}  ` +
      `${metric}${how}\n${c.dim(wrapHanging(`${folder}: ${counted(runs.length, 'run')}${earlier}`, '  '))}`,
    marks === '' ? '' : c.dim(wrapHanging(`newest: ${marks}`, '  ')),
    plot(history, hidden, c),
    changes(history, c),
    excluded(history, c),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function plot({ runs, changes: found, unit }: History, hidden: number, c: ChalkInstance): string {
  const shown = runs.slice(hidden).map((run) => run.value)
  const starts = found.map(({ index }) => index - hidden).filter((index) => index > 0)
  const [low, high] = rangeOf(shown)
  const rowOf = (value: number): number => Math.round(((high - value) / (high - low)) * (ROWS - 1))
  const step = Math.max(1, Math.floor(MOST_SHOWN / shown.length))
  const bounds = [0, ...starts, shown.length]
  const levels = shown.map((_, index) => {
    const level = bounds.findLastIndex((start) => start <= index)
    return median(shown.slice(bounds[level], bounds[level + 1]))
  })
  const lines = Array.from({ length: ROWS }, (_, row) => {
    const cells = shown.map((value, index) => {
      const mark = rowOf(value) === row ? c.cyan('*') : rowOf(levels[index] ?? value) === row ? c.dim('-') : ' '
      const bar = starts.includes(index) && mark === ' ' ? c.yellow('|') : mark
      return bar + ' '.repeat(Math.min(step, 4) - 1)
    })
    const value = high - ((high - low) * row) / (ROWS - 1)
    const label = row % 3 === 0 || row === ROWS - 1 ? format(value, unit) : ''
    return `${c.dim(`${label.padStart(AXIS - 1)} |`)}${cells.join('')}`.trimEnd()
  })
  const ends = [runs[hidden], runs.at(-1)].map((run) => (run ? endWords(run) : ''))
  return [...lines, c.dim(wrapHanging([...new Set(ends)].join(' to '), ' '.repeat(AXIS + 1)))].join('\n')
}

/** Day and commit of a run; its time too would not fit. */
function endWords({ startedAt, commit }: History['runs'][number]): string {
  return [startedAt.slice(0, 10), ...(commit ? [commit.sha.slice(0, 7)] : [])].join(' ')
}

function changes({ changes: found, runs, unit, metric }: History, c: ChalkInstance): string {
  if (found.length > 0) return found.map((change) => changeLine(change, unit, metric, c)).join('\n')
  const level = `level ${format(median(runs.map((run) => run.value)), unit)}`
  return runs.length < 8
    ? c.dim(
        wrapHanging(`${level}; ${runs.length} runs are too few to find a change, which needs four on each side`, ''),
      )
    : `No change found: ${level} (E-divisive, p <= 0.01)`
}

function changeLine(change: HistoryChange, unit: History['unit'], metric: string, c: ChalkInstance): string {
  const { file, startedAt, before, after, delta, deltaShare, p } = change
  const marks = markWords(change)
  const better = isFigure(metric) && FIGURES[metric].better === 'higher' ? delta > 0 : delta < 0
  const share = deltaShare === null ? '' : ` (${deltaShare > 0 ? '+' : ''}${formatShare(deltaShare)})`
  const text =
    `${startedAt.slice(0, 16).replace('T', ' ')} ${file}${marks === '' ? '' : `, ${marks}`}: from ${format(before, unit)} to ` +
    `${format(after, unit)}${share}, p ${formatNumber(p, 3)}`
  const word = better ? 'better' : 'worse'
  return wrapHanging(`${word.padEnd(6)}  ${text}`, '', 8).replace(word, better ? c.green(word) : c.red(word))
}

function excluded({ left: files }: History, c: ChalkInstance): string {
  if (files.length === 0) return ''
  const shown = files.slice(0, MOST_EXCLUDED).map(({ file, why }) => wrapHanging(`${file}: ${why}`, '  '))
  const more = files.length > shown.length ? [`  … and ${files.length - shown.length} more`] : []
  return c.dim(['Excluded:', ...shown, ...more].join('\n'))
}

/** The range of the axis: never empty, with a small margin. */
function rangeOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const margin = (high - low) * 0.05 || Math.abs(high) * 0.1 || 1
  return [Math.max(low - margin, low >= 0 ? 0 : Number.NEGATIVE_INFINITY), high + margin]
}

function format(value: number, unit: History['unit']): string {
  return `${FORMATS[unit](value)}${unit === 'ms' ? ' ms' : ''}`
}
