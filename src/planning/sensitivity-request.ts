/** Runs what `kt plan sensitivity` was asked for: the tornado, the scenarios, the growth. */

import { HOURS_PER_MONTH } from '../plan/instances.ts'
import { makePlan, type PlanResult } from '../plan/plan.ts'
import { exhaustion, type Sensitivity, sensitivity } from '../plan/sensitivity.ts'
import type { PlanOptions } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { dayAfter, type GrowthRequest, growthRequest, type parseSensitivityFlags } from './sensitivity-flags.ts'

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

export async function sensitivityRequest({
  options,
  scenarios,
}: ReturnType<typeof parseSensitivityFlags>): Promise<SensitivityResult> {
  const growth = growthRequest(options)
  const { demand, sizing, choices } = await planRequest(options)
  return {
    by: options.by,
    tornado: sensitivity(demand, sizing, choices, Math.min(options.by, 0.99)),
    scenarios: await Promise.all(scenarios.map(({ name, options: changed }) => scenarioResult(name, changed))),
    growth: growth && growthResult(growth, makePlan(demand, sizing, choices), choices.parts.targetUtilisation),
  }
}

async function scenarioResult(name: string, options: PlanOptions): Promise<ScenarioResult> {
  const { demand, sizing, choices } = await planRequest(options)
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
