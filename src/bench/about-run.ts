/**
 * What the coordinator of a fleet leaves with the broker beside the results of a run, so that they become a report
 * where the coordinator is lost (collect.ts).
 */
import type { ConnectionSpec } from '../client/connection.ts'
import type { Route } from '../client/route.ts'
import type { Member } from '../load/fleet/members.ts'
import { type RunPlan, withoutRing } from '../load/plan.ts'
import type { RunContext } from './build-report.ts'

export interface AboutRun {
  plan: RunPlan
  context: RunContext
  workers: Member['card'][]
}

/** Without the headers and what else holds keys: the client's certificate has one, and a proxy a password. */
export function aboutRun(plan: RunPlan, context: RunContext, members: readonly Member[]): AboutRun {
  const parts = plan.workload.parts.map((part) => ({ ...part, headers: undefined }))
  return {
    plan: withoutRing({
      ...plan,
      arms: plan.arms.map((arm) => ({ ...arm, headers: {} })),
      workload: { ...plan.workload, parts, headers: undefined },
      connection: plan.connection && withoutKeys(plan.connection),
    }),
    context: { ...context, machineOf: undefined },
    workers: members.map(({ card }) => card),
  }
}

/** That there was a certificate is in the report; its file may hold the key too. */
function withoutKeys({ routes, cert, ...connection }: ConnectionSpec): ConnectionSpec {
  const shown = routes?.map(({ via, ...route }): Route => {
    return { ...route, via: via.kind === 'proxy' ? { ...via, proxy: { ...via.proxy, authorization: undefined } } : via }
  })
  return { ...connection, cert: cert && '', key: undefined, routes: shown }
}
