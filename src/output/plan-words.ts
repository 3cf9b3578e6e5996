/** Words and lines that the texts of the planner share, and the explanation of a plan. */

import { FIGURE_WORDS, type FigureKey } from '../plan/figures.ts'
import type { Plan } from '../report/plan-schema.ts'
import { formatBytes, formatCount, formatNumber } from '../units.ts'
import { columns, indent, wrap } from './table.ts'

export const PLAN_WIDTH = 98

/** Rows whose last cell is text of any length, wrapped within its column. */
export function explained(cells: readonly (readonly string[])[]): string[] {
  const width = [0, 1].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const left = (width[0] ?? 0) + (width[1] ?? 0) + 4
  return rows(
    cells.flatMap(([name = '', value = '', text = '']) =>
      wrap(text, PLAN_WIDTH - 2 - left).map((part, i) => (i === 0 ? [name, value, part] : ['', '', part])),
    ),
    ['left', 'right', 'left'],
  )
}

export function section(title: string, lines: readonly string[]): string {
  const body = lines.flatMap((line) => indent(wrap(line, PLAN_WIDTH, line.startsWith('- ') ? 2 : 0), 2))
  return `${title}\n${body.join('\n')}\n`
}

export function rows(cells: readonly (readonly string[])[], align?: ('left' | 'right')[]): string[] {
  return columns(cells, align, 0).split('\n')
}

/** '60-120', or one number where both ends are the same. */
export function span({ min, max }: { min: number; max: number }): string {
  return min === max ? trimmed(min) : `${trimmed(min)}-${trimmed(max)}`
}

/** Grouped digits, or the form 4.2M for large numbers. */
export function compact(value: number): string {
  return value >= 1e5 ? formatCount(value) : formatNumber(value)
}

/** Two decimals, or two significant digits of a smaller number: 7.45, 0.0018. */
export function fine(value: number): string {
  return value > 0 && value < 0.01 ? String(Number(value.toPrecision(2))) : trimmed(value)
}

/**
 * Like `fine`, but a value that would be rounded down to a whole number is marked, because it needs one more worker.
 */
export function raw(value: number): string {
  if (value < 0.01) return fine(value)
  const whole = Math.floor(value)
  const barely = value > whole && formatNumber(value, 2) === formatNumber(whole, 2)
  return `${barely ? 'just over ' : ''}${trimmed(value)}`
}

export function trimmed(value: number, digits = 2): string {
  const text = formatNumber(value, digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/** 'a', 'a and b', 'a, b and c' */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`
}

/** A value with its unit, in the most readable scale. */
export function withUnit(value: number, unit: string): string {
  if (unit === 'B') return value < 1024 ? `${trimmed(value)} B` : formatBytes(value)
  if (unit === '' && Math.abs(value) >= 100 && Math.abs(value) < 1e6) return formatNumber(value)
  const text = Math.abs(value) >= 10_000 ? formatCount(value) : trimmed(value, Math.abs(value) < 1 ? 3 : 2)
  return unit === '' ? text : `${text} ${unit}`
}

type Inputs = Plan['constraints'][number]['inputs']

/** `--explain`: every constraint with its formula, and each input with its value, origin, source and date. */
export function explainPlan({ constraints, demand }: Plan): string[] {
  const { request } = demand
  const hidden = request.hiddenTokens > 0 ? `, ${withUnit(request.hiddenTokens, 'hidden')}` : ''
  return [
    ...constraints.flatMap(({ name, per, need, formula, inputs }) => {
      const under = ' '.repeat(name.length + 3)
      return [
        ...wrap(`${name} = ${formula}`, PLAN_WIDTH - 2, under.length),
        `${' '.repeat(name.length)} = ${need > 0 && need < 0.001 ? fine(need) : trimmed(need, 3)} ${per}s`,
        ...sourced(inputs),
        '',
      ]
    }),
    ...wrap(
      `request = ${withUnit(request.inputTokens, 'input')}, ` +
        `${withUnit(request.outputTokens, 'visible')}${hidden} ` +
        `tokens: ${request.name}; ${request.source}`,
      PLAN_WIDTH - 2,
      10,
    ),
    ...wrap(`burst   = x ${trimmed(demand.burst.factor)}: ${demand.burst.why}`, PLAN_WIDTH - 2, 10),
  ]
}

/** The label of an input: the words for a figure, otherwise its name. */
export function labelOf(name: string): string {
  return isFigure(name) ? FIGURE_WORDS[name].label : name
}

/** 'assumed, --ttft replaces it: medians of hosted models (2026-11)' */
export function originOf({ name, from, source, date }: Inputs[number]): string {
  if (from === 'computed') return from
  const option =
    isFigure(name) && (from === 'assumed' || from === 'vendor default') ? ` (${FIGURE_WORDS[name].option})` : ''
  return `${from}${option}: ${source}${date ? ` (${date})` : ''}`
}

function sourced(inputs: Inputs): string[] {
  return explained(
    inputs.map((input) => [`  ${labelOf(input.name)}`, withUnit(input.value, input.unit), originOf(input)]),
  )
}

function isFigure(name: string): name is FigureKey {
  return name in FIGURE_WORDS
}
