/**
 * On which basis the tokens of a report were counted, so that figures are only laid side by side where it is the same.
 */
import type { ArmResult, Run } from './schema.ts'

type TokenSource = ArmResult['throughput']['tokenSource']

export const COUNTED_BY: Readonly<Record<TokenSource, string>> = {
  usage: 'usage',
  tokenizer: 'tokenizer',
  events: 'events',
  mixed: 'usage and otherwise, mixed',
  none: 'nothing',
}

/** The output tokens that crossed the wire: without reasoning whose text was not sent. */
export function visibleTokensPerSec({
  outputTokensPerSec,
  hiddenTokensPerSec = 0,
}: Pick<ArmResult['throughput'], 'outputTokensPerSec' | 'hiddenTokensPerSec'>): number | null {
  return outputTokensPerSec === null ? null : outputTokensPerSec - hiddenTokensPerSec
}

type Counted = Pick<Run, 'throughput' | 'totals' | 'target'>

/** Why the tokens of two runs must not be compared, in words; undefined where they may. */
export function otherTokenBasis(a: Counted, b: Counted): string | undefined {
  const [first, second] = [a.throughput.tokenSource, b.throughput.tokenSource]
  if (first === 'none' || second === 'none') return undefined
  if (first !== second) return `one run counts them by ${COUNTED_BY[first]}, the other by ${COUNTED_BY[second]}`
  if (first === 'mixed') return 'both runs count some answers by usage and others not, in shares that may differ'
  const [older, newer] = a.throughput.counted ? [b, a] : [a, b]
  if (older.throughput.counted || !newer.throughput.counted) return undefined
  if (older.totals.failed > 0) return 'an earlier version of kt counted those of failed answers too'
  const hides = older.target.stream && (newer.throughput.hiddenTokensPerSec ?? 0) > 0
  return hides ? 'an earlier version of kt left hidden reasoning out of those of streams' : undefined
}
