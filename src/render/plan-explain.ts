/** `--explain`: every constraint with its formula, and each input with its value, where it comes from, the source and its date. */
import type { Plan } from '../report/plan-schema.ts'
import { formatCount, formatNumber } from '../units.ts'
import { PLAN_WIDTH, rows, trimmed, withUnit } from './plan-words.ts'
import { wrap } from './text.ts'

export function explainPlan({ constraints, demand }: Plan): string[] {
  return [
    ...constraints.flatMap(({ name, per, need, formula, inputs }) => [
      `${name} = ${formula}`,
      `${' '.repeat(name.length)} = ${trimmed(need, 3)} ${per}s`,
      ...sourced(inputs),
      '',
    ]),
    `demand: ${formatNumber(demand.requestsPerSec, demand.requestsPerSec < 10 ? 2 : 0)} requests/s of ${formatCount(demand.request.inputTokens)} input and ${formatCount(demand.request.outputTokens)} visible output tokens (${demand.request.name}; ${demand.request.source})`,
    `burst: ${demand.burst.why}`,
  ]
}

/** A line an input; one that is long is set over two. */
function sourced(inputs: Plan['constraints'][number]['inputs']): string[] {
  const table = rows(
    inputs.map(({ name, value, unit, from }) => [`  ${name}`, withUnit(value, unit), from]),
    ['left', 'right', 'left'],
  )
  return inputs.flatMap(({ from, source, date }, i) => {
    const line = table[i] ?? ''
    if (from === 'computed') return [line]
    const said = `${source}${date ? ` (${date})` : ''}`
    const joined = `${line.trimEnd()}: ${said}`
    return joined.length <= PLAN_WIDTH ? [joined] : [line, ...wrap(`    ${said}`, PLAN_WIDTH, 4)]
  })
}
