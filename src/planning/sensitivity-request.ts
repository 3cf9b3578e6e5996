/** Runs what `kt plan sensitivity` was asked for: the tornado, the scenarios, the growth. */

import { UserError } from '../errors.ts'
import { parseFlag, share } from '../parse/quantity.ts'
import { HOURS_PER_MONTH } from '../plan/instances.ts'
import { makePlan, type PlanResult } from '../plan/plan.ts'
import { exhaustion, type Sensitivity, sensitivity } from '../plan/sensitivity.ts'
import type { PlanFlags } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { buildScenarios, dayAfter, type GrowthFlags, type GrowthRequest, growthRequest } from './sensitivity-flags.ts'

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
  period: string
  periodDays: number
  have: { workers: number; nodes: number; node: string }
  /** What each constraint needs now, of what there is for it; the first to be used up comes first. */
  limits: { name: string; per: 'worker' | 'node'; now: number; capacity: number; days: number | undefined }[]
  /** The first of them. */
  binding: string
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

export async function sensitivityRequest(
  flags: PlanFlags & GrowthFlags & { by?: string | undefined; 'what-if'?: string[] | undefined },
): Promise<SensitivityResult> {
  const by = parseFlag('by', flags.by ?? '20%', share, '20%')
  if (by === 0) throw new UserError('--by 0 moves nothing', 'Write for example --by 20%.')
  const growth = growthRequest(flags)
  const { demand, sizing, choices } = await planRequest(flags)
  const scenarios = [{ name: 'as it is', flags }, ...buildScenarios(flags, flags['what-if'] ?? [])]
  return {
    by,
    tornado: sensitivity(demand, sizing, choices, Math.min(by, 0.99)),
    scenarios:
      flags['what-if'] === undefined
        ? []
        : await Promise.all(scenarios.map(({ name, flags: changed }) => scenarioResult(name, changed))),
    growth: growth && growthResult(growth, makePlan(demand, sizing, choices), choices.parts.targetUtilisation),
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

/**
 * Every constraint grows with the demand; of the CPU only the target share counts, the network is planned with a share
 * already.
 */
function growthResult(
  { growth, period, have, leadDays, from }: GrowthRequest,
  { constraints, nodes }: PlanResult,
  target: number,
): GrowthResult {
  const there = { workers: have, nodes: Math.ceil(have / nodes.workersPerNode), node: nodes.type }
  const limits = constraints
    .map(({ name, per, need }) => {
      const capacity = per === 'node' ? there.nodes : name === 'cpu' ? have * target : have
      return { name, per, ...exhaustion(need, capacity, growth, leadDays) }
    })
    .sort((a, b) => (a.days ?? Number.POSITIVE_INFINITY) - (b.days ?? Number.POSITIVE_INFINITY))
  const [first] = limits
  if (!first) throw new Error('a plan without constraints')
  const { days, orderInDays } = first
  return {
    from,
    ratePerPeriod: growth.rate,
    period,
    periodDays: growth.periodDays,
    have: there,
    limits: limits.map(({ name, per, now, capacity, days: left }) => ({ name, per, now, capacity, days: left })),
    binding: first.name,
    exhaustedOn: days === undefined ? undefined : dayAfter(from, days),
    orderBy: orderInDays === undefined ? undefined : dayAfter(from, orderInDays),
    orderInDays,
    days,
    leadDays,
  }
}
