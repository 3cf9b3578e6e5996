/**
 * A new gateway against an old one: P99 of what each adds (latency, where the runs do not carry that) may grow by the larger of
 * 0.5 ms and 10 %. From 1 to 6.9 ms is a regression, however far under the budget.
 */

import { durationCheck, type Judge } from './checks.ts'
import { judgeDelta, sharedDefinition } from './delta.ts'
import type { JudgedBy } from './judge.ts'
import type { Pair } from './pair.ts'
import type { RegressionLimit } from './threshold-flags.ts'

export const MAX_REGRESSION: RegressionLimit = { ms: 0.5, share: 0.1 }

const QUANTILE = 0.99

export function regressionJudge(pair: Pair, limit: RegressionLimit): { judge: Judge; judgedBy: JudgedBy } {
  const definition = sharedDefinition(pair)
  const of = definition ? 'overhead' : 'latency'
  const judge: Judge = (alphaFail) => {
    const { result, limitMs } = judgeDelta(pair, definition ?? 'latency', QUANTILE, limit, alphaFail)
    return durationCheck(`delta.${of}.p99`, '<', limitMs, result)
  }
  const how = pair.paired ? 'by blocks run in turns' : 'of two runs recorded apart'
  return {
    judge,
    judgedBy: {
      definition: pair.paired ? 'paired' : 'quantile-difference',
      source: `P99 of ${definition ? `${definition} overhead` : 'latency'}, new minus old, ${how}`,
      caveat: pair.paired
        ? 'the mood of the machine, which both blocks of a pair met, cancels'
        : "two runs apart do not share the machine's mood: a change of less than about 15 % can hide in it",
      floor: null,
    },
  }
}
