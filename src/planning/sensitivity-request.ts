/** Runs what `kt plan sensitivity` was asked for: the tornado, the scenarios, the growth. */

import { timesDemand } from '../plan/demand.ts'
import { HOURS_PER_MONTH } from '../plan/instances.ts'
import { natPlan } from '../plan/nat.ts'
import { makePlan, nodeCapacity, type PlanResult, planFleet } from '../plan/plan.ts'
import { exhaustion, type Sensitivity, sensitivity } from '../plan/sensitivity.ts'
import { type CostOptions, costOf } from './cost-request.ts'
import type { PlanOptions } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import {
  dayAfter,
  type GrowthRequest,
  growthRequest,
  PERIOD_DAYS,
  type parseSensitivityFlags,
} from './sensitivity-flags.ts'

export interface ScenarioResult {
  name: string
  binding: string
  workers: { peak: number; min: number; max: number }
  nodes: { peak: number; min: number; max: number }
  node: string
  usdPerMonth: number | undefined
}

/** What is deployed at the beginning of a quarter, and what it costs in a month. */
interface Quarter {
  from: string
  times: number
  pods: number
  nodes: number
  binding: string
  machinesUsdPerMonth: number | undefined
  usdPerMonth: number | undefined
}

export interface GrowthResult {
  quarters: Quarter[]
  from: string
  ratePerPeriod: number
  period: string
  periodDays: number
  have: { workers: number; nodes: number; node: string }
  /** What each constraint needs now, of what there is for it; the first to be used up comes first. */
  limits: { name: string; per: 'worker' | 'node'; now: number; capacity: number; days: number | undefined }[]
  /** The first of them, and when; capacity is what is deployed now, or what there is. */
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
  const node = nodeCapacity(choices.node)
  const fleetAt = (given: CostOptions, times: number): Omit<Quarter, 'from' | 'times'> => {
    const grown = timesDemand(demand, times)
    const fleet = planFleet(grown, sizing, choices, node)
    const nat = choices.cloud && natPlan(grown, choices.figures, choices.setting, choices.parts, choices.cloud)
    const cost = costOf(given, grown, choices, { ...fleet, natGateways: nat?.gateways ?? 0 })
    return {
      pods: fleet.pods.steady,
      nodes: fleet.nodes.steady,
      binding: fleet.binding,
      machinesUsdPerMonth: cost && cost.usdPerMonth - cost.trafficUsdPerMonth,
      usdPerMonth: cost?.usdPerMonth,
    }
  }
  return {
    by: options.by,
    tornado: sensitivity(demand, sizing, choices, Math.min(options.by, 0.99)),
    scenarios: await Promise.all(scenarios.map(({ name, options: changed }) => scenarioResult(name, changed))),
    growth: growth && {
      quarters: quartersOf(growth, (times) => fleetAt(options, times)),
      ...growthResult(growth, makePlan(demand, sizing, choices), choices.parts.targetUtilisation),
    },
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

/** The demand at the beginning of each quarter from now on. */
function quartersOf(
  { growth, quarters, from }: GrowthRequest,
  fleetAt: (times: number) => Omit<Quarter, 'from' | 'times'>,
): Quarter[] {
  return Array.from({ length: quarters + 1 }, (_, quarter) => {
    const days = quarter * PERIOD_DAYS.quarter
    const times = (1 + growth.rate) ** (days / growth.periodDays)
    return { from: dayAfter(from, days) ?? '', times, ...fleetAt(times) }
  })
}

/**
 * Every constraint grows with the demand; of the CPU only the target share counts, the network is planned with a share
 * already.
 */
function growthResult(
  { growth, period, have, leadDays, from }: GrowthRequest,
  { constraints, nodes, fleet }: PlanResult,
  target: number,
): Omit<GrowthResult, 'quarters'> {
  const workers = have ?? fleet.pods.steady
  const there = {
    workers,
    nodes: have === undefined ? fleet.nodes.steady : Math.ceil(have / nodes.workersPerNode),
    node: nodes.type,
  }
  const limits = constraints
    .map(({ name, per, need }) => {
      const capacity = per === 'node' ? there.nodes : name === 'cpu' || name === 'events' ? workers * target : workers
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
