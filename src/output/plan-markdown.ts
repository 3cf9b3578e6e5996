/** A plan as Markdown, for a design document or a ticket: the answer, the constraints, the redundancy, the sources. */
import type { Plan } from '../report/plan-schema.ts'
import { formatCount, formatNumber } from '../units.ts'
import { cell } from './markdown.ts'
import { planAnswer } from './plan-answer.ts'
import { labelOf, originOf, span, trimmed, withUnit } from './plan-words.ts'

export function planMarkdown(plan: Plan, explain = false): string {
  const { demand, formula, workers, constraints, fleet, nodes, tier, sizing } = plan
  const factors = constraints[0]?.counts.map(({ factor }) => factor) ?? []
  const given = constraints.flatMap(({ inputs }) => inputs).filter(({ from }) => from !== 'computed')
  const unique = [...new Map(given.map((input) => [input.name, input])).values()]
  return [
    ...bold(planAnswer(plan)),
    '',
    `For ${formatCount(demand.inputTokensPerSec)} input and ${formatCount(demand.outputTokensPerSec)} output ` +
      `tokens/s (${cell(demand.form)}, window ${demand.window.seconds} ` +
      `s${demand.window.stated ? '' : ', not stated'}).`,
    '',
    `Formula: (${formatCount(demand.inputTokensPerSec)} / ${formatCount(formula.ratio.value)} + ` +
      `${formatCount(demand.outputTokensPerSec)}) / ${formatCount(formula.outputPerWorker.value)} = ` +
      `${trimmed(workers.raw)} workers of one vCPU. Tier ${tier.name}, ${tier.vcpu}${tier.orMore ? '+' : ''} ` +
      'vCPU at its top.',
    '',
    ...table(
      ['constraint', 'at the peak', ...factors.slice(1).map((factor) => `x ${factor}`), `nodes (${nodes.type})`],
      constraints.map((constraint, i) => [
        `${constraint.name}${[' (binds)', ' (next)'][i] ?? ''}`,
        `${formatNumber(constraint.counts[0]?.need ?? 0)} ${constraint.per}s`,
        ...constraint.counts.slice(1).map(({ need }) => formatNumber(need)),
        trimmed(constraint.nodes),
      ]),
    ),
    '',
    ...table(
      [`redundancy of ${fleet.redundancy.of}`, 'factor', 'why'],
      [
        ...fleet.redundancy.parts.map(({ name, factor, why }) => [name, trimmed(factor), why]),
        ['together', trimmed(fleet.redundancy.product), `beside the vendor's flat ${span(workers.redundancy)}x`],
      ],
    ),
    '',
    ...table(
      ['figure', 'value', 'from'],
      unique.map((input) => [labelOf(input.name), withUnit(input.value, input.unit), originOf(input)]),
    ),
    ...(explain
      ? [
          '',
          ...table(
            ['constraint', 'formula', 'need'],
            constraints.map(({ name, formula, need, per }) => [name, formula, `${trimmed(need, 3)} ${per}s`]),
          ),
        ]
      : []),
    '',
    `Sizing figures: ${cell(sizing.name)}, ${cell(sizing.source)}.`,
  ].join('\n')
}

function bold([first = '', ...rest]: readonly string[]): string[] {
  return [`**${first}**`, '', cell(rest.join(' '))]
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)]
}
