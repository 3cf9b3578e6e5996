/**
 * Machines and what a plan costs on each: workers that fit by allocatable CPU, nodes by every constraint, dollars by
 * list price. A worker's throughput may be scaled by core speed (CoreMark per vCPU against the machine it was measured
 * on), within one source of CoreMark only. Burstable machines are refused: a credit that runs out shows as token delay.
 */

import { median } from '../stats/means.ts'
import { cpuNeed, otherNeeds } from './constraints.ts'
import type { Demand } from './demand.ts'
import { countAt, nodeCapacity, type PlanChoices, planFleet } from './plan.ts'
import type { NodeType, Sizing } from './sizing.ts'

export interface Instance extends NodeType {
  family: string
  cloudId: 'aws' | 'gcp' | 'azure' | 'own'
  arch: string
  vcpuIs: 'thread' | 'core'
  region: string
  priceDate: string
  priceSource: string
  /** Other ways of buying, where a price of them is known. */
  usdPerHourAs?: { reserved?: number | undefined; spot?: number | undefined } | undefined
  bandwidthIs: 'baseline' | 'ceiling'
  coremarkPerVcpu?: number | undefined
  coremarkSource?: string | undefined
  bareMetal: boolean
}

export interface RankedInstance {
  instance: Instance
  workersPerNode: number
  /** A worker here against one where the figures were measured; undefined where that is not known. */
  speed: number | undefined
  nodes: { peak: number; min: number; max: number }
  /** What is deployed: with every part of the redundancy, in whole zones. */
  deploy: { nodes: number; pods: number; usdPerMonth: number | undefined }
  usdPerMonth: { peak: number; min: number; max: number } | undefined
  binding: string
}

export const HOURS_PER_MONTH = 730

/**
 * Cheapest first as it is deployed; machines without a price come last. Those whose bandwidth is a ceiling stand below
 * all others: what nothing guarantees is not ranked with what is.
 */
export function rankInstances(
  demand: Demand,
  sizing: Sizing,
  choices: PlanChoices,
  instances: readonly Instance[],
  measuredOn?: Instance,
): RankedInstance[] {
  return instances
    .flatMap((instance): RankedInstance[] => {
      const ranked = rankInstance(demand, sizing, choices, instance, measuredOn)
      return ranked ? [ranked] : []
    })
    .sort(
      (a, b) =>
        Number(isCeiling(a)) - Number(isCeiling(b)) ||
        (a.deploy.usdPerMonth ?? Number.POSITIVE_INFINITY) - (b.deploy.usdPerMonth ?? Number.POSITIVE_INFINITY) ||
        a.deploy.nodes - b.deploy.nodes,
    )
}

export function isCeiling({ instance }: Pick<RankedInstance, 'instance'>): boolean {
  return instance.bandwidthIs === 'ceiling'
}

function rankInstance(
  demand: Demand,
  sizing: Sizing,
  choices: PlanChoices,
  instance: Instance,
  measuredOn: Instance | undefined,
): RankedInstance | undefined {
  const node = nodeCapacity(instance)
  if (node.workersPerNode < 1) return undefined
  const speed = relativeSpeed(instance, measuredOn)
  const { min, max } = choices.redundancy
  const counts = [1, min, max].map((factor) => {
    const cpu = cpuNeed(demand, choices.figures)
    const need = cpu.need / (speed ?? 1)
    const needs = [{ ...cpu, need }, ...otherNeeds(demand, choices.figures, choices.setting, node, need)]
    return countAt(factor, needs, node)
  })
  const [peak, lower, upper] = counts
  if (!peak || !lower || !upper) return undefined
  // A zone that is planned to be lost must not be the only one.
  const atLeast = (nodes: number): number => Math.max(nodes, choices.parts.zones)
  const nodes = { peak: atLeast(peak.nodes), min: atLeast(lower.nodes), max: atLeast(upper.nodes) }
  const price = instance.usdPerHour
  const month = (count: number): number => count * (price ?? 0) * HOURS_PER_MONTH
  const fleet = planFleet(demand, sizing, choices, node, speed)
  return {
    instance,
    workersPerNode: node.workersPerNode,
    speed,
    nodes,
    deploy: {
      nodes: fleet.nodes.steady,
      pods: fleet.pods.steady,
      usdPerMonth: price === undefined ? undefined : month(fleet.nodes.steady),
    },
    usdPerMonth:
      price === undefined ? undefined : { peak: month(nodes.peak), min: month(nodes.min), max: month(nodes.max) },
    binding: fleet.nodes.perZone === 1 ? 'zones' : fleet.binding,
  }
}

/** Core speed against the machine the figures were measured on; CoreMarks of different sources cannot be compared. */
export function relativeSpeed(instance: Instance, measuredOn: Instance | undefined): number | undefined {
  if (!measuredOn?.coremarkPerVcpu || !instance.coremarkPerVcpu) return undefined
  if (measuredOn.coremarkSource !== instance.coremarkSource) return undefined
  return instance.coremarkPerVcpu / measuredOn.coremarkPerVcpu
}

/** Within a family, from its median. */
const FAMILY_SPREAD = 1.5

/** Against the catalogue: regions differ by less than this, units by more. */
const UNIT_SPREAD = 5

/**
 * Why prices of a list cannot be true, a line for each. Within a family a vCPU costs about the same in every size, so a
 * price that is far off is another operating system's, another unit's or a typing error. (A published list mixed prices
 * of Windows into one family, twice.)
 */
export function implausiblePrices(prices: ReadonlyMap<string, number>, catalogue: readonly Instance[]): string[] {
  const families = new Map<string, { size: string; perVcpu: number; listed: number | undefined }[]>()
  for (const { type, family, vcpu, usdPerHour } of catalogue) {
    const price = prices.get(type)
    if (price === undefined) continue
    const listed = usdPerHour === undefined ? undefined : usdPerHour / vcpu
    families.set(family, [...(families.get(family) ?? []), { size: type, perVcpu: price / vcpu, listed }])
  }
  return [...families].flatMap(([family, sizes]) => {
    const middle = median(sizes.map(({ perVcpu }) => perVcpu))
    return sizes.flatMap(({ size, perVcpu, listed }) => {
      if (listed !== undefined && apart(perVcpu, listed) > UNIT_SPREAD) {
        const unit = perVcpu / listed > 100 ? ' (a price per month?)' : ''
        return [
          `${size}: ${amount(perVcpu)} USD a vCPU-hour, where ${amount(listed)} is listed: ` +
            `the unit cannot be USD an hour${unit}`,
        ]
      }
      return apart(perVcpu, middle) > FAMILY_SPREAD
        ? [
            `${size}: ${amount(perVcpu)} USD a vCPU-hour, where ${family} costs ${amount(middle)}: ` +
              "another system's price, or a typing error",
          ]
        : []
    })
  })
}

function apart(a: number, b: number): number {
  return Math.max(a / b, b / a)
}

function amount(value: number): string {
  return String(Number(value.toPrecision(3)))
}
