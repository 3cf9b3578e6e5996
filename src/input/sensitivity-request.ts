/** Runs what `kt plan sensitivity` was asked for: the tornado, the scenarios, the growth. */
import { exhaustion } from '../plan/growth.ts'
import { makePlan } from '../plan/plan.ts'
import { type Sensitivity, sensitivity } from '../plan/sensitivity.ts'
import { dayAfter } from './dates.ts'
import { type GrowthFlags, growthRequest } from './growth-request.ts'
import type { PlanFlags } from './plan-flags.ts'
import { shareOf } from './plan-numbers.ts'
import { planRequest } from './plan-request.ts'
import { scenariosOf } from './scenarios.ts'

export interface ScenarioResult {
  name: string
  binding: string
  workers: { peak: number; min: number; max: number }
  nodes: { peak: number; min: number; max: number }
  node: string
  usdPerMonth: number | undefined
}

export interface GrowthResult {
  from: string
  ratePerPeriod: number
  periodDays: number
  workersNow: number
  have: number
  usableWorkers: number
  exhaustedOn: string | undefined
  orderBy: string | undefined
  orderInDays: number | undefined
  days: number | undefined
  leadDays: number
}

export interface SensitivityResult {
  by: number
  tornado: Sensitivity
  scenarios: ScenarioResult[]
  growth: GrowthResult | undefined
}

const HOURS_PER_MONTH = 730

export async function sensitivityRequest(
  flags: PlanFlags & GrowthFlags & { by?: string | undefined; 'what-if'?: string[] | undefined },
): Promise<SensitivityResult> {
  const by = shareOf('by', flags.by ?? '20%', '20%')
  const growth = growthRequest(flags)
  const { demand, sizing, choices } = await planRequest(flags)
  const scenarios = [{ name: 'as it is', flags }, ...scenariosOf(flags, flags['what-if'] ?? [])]
  return {
    by,
    tornado: sensitivity(demand, sizing, choices, Math.min(by, 0.99)),
    scenarios:
      flags['what-if'] === undefined
        ? []
        : await Promise.all(scenarios.map(({ name, flags: changed }) => scenarioResult(name, changed))),
    growth:
      growth && growthResult(growth, makePlan(demand, sizing, choices).workers.raw, choices.parts.targetUtilisation),
  }
}

async function scenarioResult(name: string, flags: PlanFlags): Promise<ScenarioResult> {
  const { demand, sizing, choices } = await planRequest(flags)
  const { answer } = makePlan(demand, sizing, choices)
  const { usdPerHour, type } = choices.node
  return {
    name,
    binding: answer.binding,
    workers: answer.workers,
    nodes: answer.nodes,
    node: type,
    usdPerMonth: usdPerHour === undefined ? undefined : answer.nodes.max * usdPerHour * HOURS_PER_MONTH,
  }
}

function growthResult(
  { growth, have, leadDays, from }: NonNullable<ReturnType<typeof growthRequest>>,
  workersNow: number,
  target: number,
): GrowthResult {
  const { days, orderInDays } = exhaustion(workersNow, have * target, growth, leadDays)
  return {
    from,
    ratePerPeriod: growth.rate,
    periodDays: growth.periodDays,
    workersNow,
    have,
    usableWorkers: have * target,
    exhaustedOn: days === undefined ? undefined : dayAfter(from, days),
    orderBy: orderInDays === undefined ? undefined : dayAfter(from, orderInDays),
    orderInDays,
    days,
    leadDays,
  }
}
