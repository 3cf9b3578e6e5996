/**
 * A comparison as Markdown, for a pull request or the summary of a CI job, with the verdict first; and the tables,
 * cells and gates that other Markdown outputs use.
 */

import type { Check, Gate, Verdict } from '../report/schema.ts'
import { printable } from '../system/printable.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import type { ComparedRow, ComparedRun, Comparison } from '../verdict/compare.ts'
import { checkSentence, FORMATS, intervalWords, noiseLine, verdictWord } from './sentences.ts'

const MARKS: Record<Verdict, string> = { pass: '✅', fail: '❌', inconclusive: '⚠️' }

export function renderComparisonMarkdown(comparison: Comparison): string {
  const { mode, modeWhy, pairing, baseline, gateway, rows, overhead, differences, notes, judgedBy, noise, gate } =
    comparison
  const run = ({ file, requests }: ComparedRun): string => `${code(file)} (${counted(requests, 'request')})`
  const by = judgedBy ? ` Judged by ${judgedBy.definition}: ${cell(judgedBy.source)}.` : ''
  return `${[
    '## kt bench compare',
    gateMarkdown(gate),
    gate ? cell(noiseLine(noise ?? undefined)) : '',
    `Mode **${mode}** (${cell(modeWhy)}), ${pairing}. Baseline ${run(baseline)}, gateway ${run(gateway)}.${by}`,
    table(
      ['', 'baseline', 'gateway', 'delta', '95 %', ''],
      rows.map((row) => [
        row.metric + answersIn(row),
        own(row, row.baseline),
        own(row, row.gateway),
        delta(row),
        interval(row),
        row.verdict ?? '',
      ]),
    ),
    overhead.length === 0
      ? ''
      : table(
          ['overhead (ms)', 'P50', 'P90', 'P95', 'P99', 'max'],
          overhead.map(({ of, definition, totalMs }) => [
            `${of}, ${definition}`,
            ...[totalMs.p50, totalMs.p90, totalMs.p95, totalMs.p99, totalMs.max].map(formatMs),
          ]),
        ),
    differences.length === 0
      ? ''
      : table(
          ['differs', 'baseline', 'gateway'],
          differences.map(({ what, baseline: a, gateway: b }) => [what, a, b]),
        ),
    notes.map((note) => `- ${cell(note)}`).join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

/** Properties that JUnit shows beside the verdicts. */
export function comparisonProperties({ mode, pairing, baseline, gateway, noise }: Comparison): Record<string, string> {
  return { mode, pairing, baseline: baseline.file, gateway: gateway.file, noise: noiseLine(noise ?? undefined) }
}

/** A line for each verdict. */
export function gateMarkdown(gate: Gate | null): string {
  if (!gate) return ''
  const line = (check: Check): string => {
    return `- ${MARKS[check.verdict]} **${verdictWord(check.verdict)}** ${cell(checkSentence(check))}`
  }
  return gate.checks.map(line).join('\n')
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  const rule = `| ${head.map((_, index) => (index === 0 ? ':--' : '--:')).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

/** What would end a cell or become markup; an underscore within a word is none. */
const MARKUP = /[\\`*{}[\]<>|~&]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu

export function cell(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, ' ')).replaceAll(MARKUP, (mark) => `\\${mark}`)
}

export function code(text: string): string {
  return text.includes('`') ? cell(text) : `\`${printable(text)}\``
}

function own({ unit }: ComparedRow, value: number | null): string {
  return value === null ? '-' : FORMATS[unit](value)
}

/** How many answers each side rests on, where these are not all of its requests. */
function answersIn({ answers }: ComparedRow): string {
  if (!answers) return ''
  const [a, b] = [answers.baseline, answers.gateway].map((count) => (count === null ? '-' : formatNumber(count)))
  return ` (n=${a}, ${b})`
}

function delta(row: ComparedRow): string {
  if (row.delta === null) return '-'
  return `${row.delta > 0 ? '+' : ''}${own(row, row.delta)}`
}

function interval({ delta95 }: ComparedRow): string {
  return delta95 ? intervalWords(delta95) : ''
}
