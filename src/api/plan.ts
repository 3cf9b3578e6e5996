/** `kt plan` as a function. The command and the library plan through the same call. */
import { parseFlags } from '../parse/parse-flags.ts'
import { COST_RULES, costFlags } from '../planning/cost-request.ts'
import { planFlags } from '../planning/plan-flags.ts'
import { planReport } from '../planning/plan-request.ts'
import { PLAN_RULES } from '../planning/plan-rules.ts'
import type { Plan } from '../report/plan-schema.ts'
import { type OptionsOf, toFlags } from './options.ts'

export type { Plan }

const flags = { ...planFlags, ...costFlags }

/** The flags of `kt plan`, in camelCase, without those of manifests and of what is printed. */
export type PlanInput = OptionsOf<typeof flags>

/** The plan for a peak: workers, machines, the constraint that binds, and cost. */
export async function plan(input: PlanInput): Promise<Plan> {
  const options = parseFlags(toFlags(input, flags, 'plan()'), flags, 'kt plan', [...PLAN_RULES, ...COST_RULES])
  return (await planReport(options)).plan
}

export { planReport as planWith }
