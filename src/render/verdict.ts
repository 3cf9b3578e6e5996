/** A gate's verdict for a person: PASS, FAIL or INCONCLUSIVE, the figure against its limit, and why. Strings out. */
import type { ChalkInstance } from 'chalk'
import type { Check, Gate } from '../report/schema.ts'
import { formatMs, formatNumber } from '../units.ts'
import { hung } from './text.ts'

export function gateLines(gate: Gate, c: ChalkInstance): string {
  const shades = { pass: c.green, fail: c.red, inconclusive: c.yellow }
  return gate.checks
    .map((check) => {
      const word = check.verdict.toUpperCase()
      return hung(`${word}  ${sentence(check)}`, '', word.length + 2).replace(word, shades[check.verdict].bold(word))
    })
    .join('\n')
}

function sentence({ metric, limit, value, verdict: outcome, why, requestsNeeded }: Check): string {
  const name = metric === 'delta.latency.p99' ? 'difference of the P99 latencies' : 'P99 overhead'
  const over = value !== null && value >= limit
  const relation = outcome === 'pass' ? '<' : outcome === 'fail' && over ? '>=' : 'against'
  const figure = value === null ? name : `${name} ${formatMs(value)} ms ${relation} ${limit} ms`
  const needed = requestsNeeded === undefined ? '' : `; about ${formatNumber(requestsNeeded)} requests would decide it`
  return `${figure} (${why}${needed})`
}
