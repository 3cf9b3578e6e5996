/** A run against its category's promises: for a person in 80 columns, and as Markdown. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { SloResult } from '../report/schema.ts'
import type { SloJudgement } from '../report/slo-file.ts'
import { formatDuration, formatNumber, formatShare } from '../units.ts'
import { gateMarkdown } from './markdown.ts'
import { columns, paint } from './table.ts'
import { gateLines } from './verdict.ts'

export function renderSlo({ file, categoryBy, requests, slo }: SloJudgement, color: boolean): string {
  const c = paint(color)
  const found = categoryBy === 'match' ? ', found by endpoint and prompt tokens' : ''
  return [
    `${c.bold('kt slo check')}  ${slo.category}${found}\n${c.dim(`  ${file}; ${formatNumber(requests)} requests`)}`,
    columns(figures(slo)),
    gateLines(slo, c),
  ].join('\n\n')
}

/** The same as a section of a bench. */
export function sloSection(slo: SloResult, c: ChalkInstance): string {
  return `${c.bold(`SLO ${slo.category}`)}\n${columns(figures(slo))}\n${gateLines(slo, c)}`
}

export function renderSloMarkdown({ file, requests, slo }: SloJudgement): string {
  const rows = figures(slo).map(([name, value]) => `- ${name}: ${value}`)
  return `## kt slo check: ${slo.category}\n\n${gateMarkdown(slo)}\n\n\`${file}\`, ${formatNumber(requests)} requests\n\n${rows.join('\n')}\n`
}

function figures({ targetsMs, goodput, errorBudget }: SloResult): string[][] {
  const { p50, p99, ttftP50, ttftP99, timeout } = targetsMs
  const target = (name: string, ms: number | null): string[][] =>
    ms === null ? [] : [[name, `< ${formatDuration(ms)}`]]
  return [
    ...target('Latency P50', p50),
    ...target('Latency P99', p99),
    ...target('TTFT P50', ttftP50),
    ...target('TTFT P99', ttftP99),
    ['Timeout', formatDuration(timeout)],
    ['Goodput', goodput ? `${goodput.exact ? '' : 'at least '}${formatShare(goodput.share)}` : 'unknown'],
    ...(errorBudget
      ? [
          [
            'Error budget',
            `${formatNumber(errorBudget.bad)} bad, ${formatNumber(errorBudget.allowed)} allowed at ${formatShare(errorBudget.objective)}`,
          ],
          ['Burn', `${formatNumber(errorBudget.burn, 2)}x`],
        ]
      : []),
  ]
}
