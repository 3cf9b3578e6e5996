/** `kt plan` from its flags to the whole plan: the demand, the constraints, and the wait at the planned size, simulated. */
import { makePlan } from '../plan/plan.ts'
import { confirmWait } from '../plan/simulate/confirm.ts'
import type { Plan } from '../report/plan-schema.ts'
import { ktVersion } from '../system/package-info.ts'
import type { PlanFlags } from './plan-flags.ts'
import { type PlanRequest, planRequest } from './plan-request.ts'

/** The contract's name, without loading the contract: a plan is made here, not read. */
const SCHEMA: Plan['schema'] = 'kt.plan/1'

export async function planReport(flags: PlanFlags): Promise<PlanRequest & { plan: Plan }> {
  const request = await planRequest(flags)
  const { demand, sizing, choices } = request
  const made = makePlan(demand, sizing, choices)
  const simulated = confirmWait(demand, choices.figures, made.answer.workers.min)
  const plan: Plan = { schema: SCHEMA, kt: { version: ktVersion }, ...made, ...(simulated ? { simulated } : {}) }
  return { ...request, plan }
}
