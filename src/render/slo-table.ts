/** A run against its category's promises: for a person in 80 columns, and as Markdown. Strings out. */
import type { SloResult, Verdict } from '../report/schema.ts'
import type { SloJudgement } from '../report/slo-file.ts'
import { formatDuration, formatNumber, formatShare } from '../units.ts'
import { checkSentence, verdictWord } from './check-line.ts'
import { gateMarkdown } from './markdown.ts'
import { columns, paint } from './table.ts'
import { wrap } from './text.ts'

const WIDTH = 80

export function renderSlo({ file, categoryBy, requests, slo }: SloJudgement, color: boolean): string {
  const c = paint(color)
  const shades = { pass: c.green, fail: c.red, inconclusive: c.yellow } satisfies Record<Verdict, unknown>
  const found = categoryBy === 'match' ? ', found by endpoint and prompt tokens' : ''
  const lines = slo.checks.map((check) => {
    const said = verdictWord(check.verdict)
    const text = wrap(`${said}  ${checkSentence(check)}`, WIDTH, said.length + 2).join('\n')
    return text.replace(said, shades[check.verdict].bold(said))
  })
  return [
    `${c.bold('kt slo check')}  ${slo.category}${found}\n${c.dim(`  ${file}; ${formatNumber(requests)} requests`)}`,
    columns(figures(slo)),
    lines.join('\n'),
  ].join('\n\n')
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
