/** What a run will send, as far as that is known before it does: requests and tokens. */
import type { Load, RunPlan } from '../load/plan.ts'
import { buildRamp } from '../schedule/ramp.ts'
import { meanTurns } from '../workload/conversations/conversation.ts'
import { expectedTokens } from '../workload/workload.ts'

export interface ExpectedRun {
  /** On each arm, the warm-up among them; undefined where only time limits them. */
  requests: number | undefined
  /** Of these, sent first on a connection in a block. */
  idleFirst: number
  /** Of each request, about. */
  tokens: { input: number; output: number }
}

export function expectedRun(plan: RunPlan): ExpectedRun {
  const { load, blocks, excludeIdleFirst, durationUs, warmup } = plan
  const due =
    load.mode === 'open' && !load.trace && durationUs ? Math.ceil(meanRate(load) * (durationUs / 1e6)) : undefined
  const { conversations } = plan.workload
  const begun = Math.min(plan.requests ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY)
  const measured = conversations ? Math.ceil(begun * meanTurns(conversations)) : begun
  const idleFirst = excludeIdleFirst && load.mode === 'closed' ? blocks * load.concurrency : 0
  return {
    requests: Number.isFinite(measured) ? measured + warmup + idleFirst : undefined,
    idleFirst,
    tokens: expectedTokens(plan.workload),
  }
}

/** The mean rate of an open loop, over its stages where it has any. */
export function meanRate({ rps, stages }: Extract<Load, { mode: 'open' }>): number {
  if (!stages) return rps
  const durationUs = stages.reduce((sum, stage) => sum + stage.durationUs, 0)
  return (buildRamp(stages).upTo(durationUs) * 1e6) / durationUs
}
