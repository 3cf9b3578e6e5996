/** Demands and flags that the tests of the planner share. */

import { parseFlags } from '../../src/parse/parse-flags.ts'
import { averageRequests, type Demand, demandFromPeaks } from '../../src/plan/demand.ts'
import { type PlanOptions, planFlags } from '../../src/planning/plan-flags.ts'
import { PLAN_RULES } from '../../src/planning/plan-rules.ts'
import { readRequestKinds } from '../../src/planning/workloads.ts'

/** Flags as they are typed. */
export type Typed = Readonly<Record<string, unknown>>

/** The options that flags of `kt plan` come to. */
export function planOptions(flags: Typed): PlanOptions {
  return parseFlags(flags, planFlags, 'kt plan', PLAN_RULES)
}

export const chat = averageRequests([{ kind: readRequestKinds().named('chat', '--profile'), share: 1 }])

/** Peaks in tokens/s of chat requests. */
export function chatDemand(inputTokensPerSec: number, outputTokensPerSec: number, requestsPerSec?: number): Demand {
  return demandFromPeaks(
    { inputTokensPerSec, outputTokensPerSec, ...(requestsPerSec === undefined ? {} : { requestsPerSec }) },
    chat,
    {
      form: 'peaks in tokens/s',
      cacheHitShare: 0,
      window: { seconds: 1, stated: false },
      burst: { factor: 1, why: 'a test' },
      minute: { factor: 1, why: 'a test' },
      notes: [],
    },
  )
}
