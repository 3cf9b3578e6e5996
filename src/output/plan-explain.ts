/** `--explain`: every constraint with its formula, and each input with its value, where it comes from, the source and its date. */

import { FIGURE_WORDS, type FigureKey } from '../plan/figures.ts'
import type { Plan } from '../report/plan-schema.ts'
import { explained, fine, PLAN_WIDTH, trimmed, withUnit } from './plan-words.ts'
import { wrap } from './text.ts'

type Inputs = Plan['constraints'][number]['inputs']

export function explainPlan({ constraints, demand }: Plan): string[] {
  const { request } = demand
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
      `request = ${withUnit(request.inputTokens, 'input')}, ${withUnit(request.outputTokens, 'visible')}${request.hiddenTokens > 0 ? `, ${withUnit(request.hiddenTokens, 'hidden')}` : ''} tokens: ${request.name}; ${request.source}`,
      PLAN_WIDTH - 2,
      10,
    ),
    ...wrap(`burst   = x ${trimmed(demand.burst.factor)}: ${demand.burst.why}`, PLAN_WIDTH - 2, 10),
  ]
}

/** What an input is called: the words for a figure, else its own name. */
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
