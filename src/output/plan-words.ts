/** Words and lines that the texts of the planner share, and the explanation of a plan. */

import { FIGURE_WORDS, type FigureKey } from '../plan/figures.ts'
import type { Plan } from '../report/plan-schema.ts'
import { hang } from '../system/terminal.ts'
import { formatBytes, formatCount, formatNumber } from '../units.ts'
import { columns, indent, type Page } from './table.ts'

/** What a section's lines are indented by. */
const INDENT = 2

/** A name, a value, and a text of any length. */
export const EXPLAINED: readonly ('left' | 'right')[] = ['left', 'right', 'left']

export function section(title: string, lines: readonly string[], { c, width }: Page): string {
  const head = hang('', title, width).map((line) => c.bold(line))
  return `${head.join('\n')}\n${indent(
    lines.flatMap((line) => fitted(line, width - INDENT)),
    INDENT,
  ).join('\n')}\n`
}

/** A line broken to the page, below what it is indented by or below the text of its dash. */
export function fitted(line: string, width: number): string[] {
  const [head = ''] = /^ *(?:- )?/.exec(line) ?? []
  return hang(head, line.slice(head.length), width)
}

/** A table within a section. */
export function rows(
  cells: readonly (readonly string[])[],
  { width }: Page,
  align?: readonly ('left' | 'right')[],
): string[] {
  return columns(cells, { width: width - INDENT, align, indent: 0 }).split('\n')
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
export function explainPlan({ constraints, demand }: Plan, page: Page): string[] {
  const width = page.width - INDENT
  const { request } = demand
  const hidden = request.hiddenTokens > 0 ? `, ${withUnit(request.hiddenTokens, 'hidden')}` : ''
  return [
    ...constraints.flatMap(({ name, per, need, formula, inputs }) => {
      return [
        ...hang(`${name} = `, formula, width),
        `${' '.repeat(name.length)} = ${need > 0 && need < 0.001 ? fine(need) : trimmed(need, 3)} ${per}s`,
        ...sourced(inputs, page),
        '',
      ]
    }),
    ...hang(
      'request = ',
      `${withUnit(request.inputTokens, 'input')}, ` +
        `${withUnit(request.outputTokens, 'visible')}${hidden} ` +
        `tokens: ${request.name}; ${request.source}`,
      width,
    ),
    ...hang('burst   = ', `x ${trimmed(demand.burst.factor)}: ${demand.burst.why}`, width),
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

function sourced(inputs: Inputs, page: Page): string[] {
  const cells = inputs.map((input) => [`  ${labelOf(input.name)}`, withUnit(input.value, input.unit), originOf(input)])
  return rows(cells, page, EXPLAINED)
}

function isFigure(name: string): name is FigureKey {
  return name in FIGURE_WORDS
}
