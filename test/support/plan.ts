/** Demands that the tests of the planner share. */

import { averageRequests, type Demand, demandFromPeaks } from '../../src/plan/demand.ts'
import { kindNamed, readRequestKinds } from '../../src/planning/workloads.ts'

export const chat = averageRequests([{ kind: kindNamed('chat', readRequestKinds(), '--profile'), share: 1 }])

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
      notes: [],
    },
  )
}
