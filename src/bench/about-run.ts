/**
 * What the coordinator of a fleet leaves with the broker beside the results of a run, so that they become a report where
 * the coordinator is lost (collect.ts).
 */
import type { Member } from '../load/fleet/members.ts'
import type { RunPlan } from '../load/plan.ts'
import type { RunContext } from './build-report.ts'

export interface AboutRun {
  plan: RunPlan
  context: RunContext
  workers: Member['card'][]
}

/** Without the headers, which hold keys. */
export function aboutRun(plan: RunPlan, context: RunContext, members: readonly Member[]): AboutRun {
  const parts = plan.workload.parts.map((part) => ({ ...part, headers: undefined }))
  return {
    plan: {
      ...plan,
      arms: plan.arms.map((arm) => ({ ...arm, headers: {} })),
      workload: { ...plan.workload, parts, headers: undefined },
    },
    context: { ...context, machineOf: undefined },
    workers: members.map(({ card }) => card),
  }
}
