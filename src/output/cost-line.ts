/** What a run cost, in a line. */
import { priceBasis } from '../report/cost-schema.ts'
import type { Run } from '../report/schema.ts'
import { formatCount, formatUsd } from '../units.ts'

/** Undefined where nothing is paid for. */
export function costLine({ cost, target }: Pick<Run, 'cost' | 'target'>): string | undefined {
  if (cost === undefined) return undefined
  if (cost === null) {
    return `unknown: there is no list price of '${target.model}' (--price input=0.15,output=0.60 gives yours)`
  }
  const { usd, arms, model } = cost
  const tokens = (of: 'inputTokens' | 'outputTokens'): string =>
    formatCount(arms.reduce((sum, arm) => sum + arm[of], 0))
  const each = arms.length > 1 ? ` (${arms.map((arm) => `${arm.name} ${formatUsd(arm.usd)}`).join(', ')})` : ''
  return (
    `about ${formatUsd(usd)}${each} for ${tokens('inputTokens')} input and ${tokens('outputTokens')} output tokens ` +
    `of ${model} (${priceBasis(cost)})`
  )
}
