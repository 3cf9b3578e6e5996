/**
 * The plan: the vendor's formula, the tier, and the machines, with the constraint that binds named. Pure: the same demand and
 * figures give the same plan. What the figures are worth is said with them; a plan from defaults is a first estimate.
 */
import type { Plan } from '../report/plan-schema.ts'
import { costRatio, equivalentOutputLoad, rawWorkers, wholeUp } from './formula.ts'
import { bandwidthGbps, nodesFor, workersPerNode } from './nodes.ts'
import type { Demand, RedundancyRange, Sizing } from './sizing.ts'
import { boundOf, rpsTierOf, tierOf, upperBound } from './tier.ts'

/** What the user sets in place of the vendor's figures. */
export interface PlanOverrides {
  ratio?: number
  outputPerWorker?: number
  redundancy?: RedundancyRange
}

/** The plan without who made it. */
export type PlanResult = Omit<Plan, 'schema' | 'kt'>

export function makePlan(demand: Demand, sizing: Sizing, overrides: PlanOverrides = {}): PlanResult {
  const ratio = overrides.ratio ?? sizing.ratio
  const outputPerWorker = overrides.outputPerWorker ?? sizing.outputPerWorker
  const redundancy = overrides.redundancy ?? sizing.redundancy
  const raw = rawWorkers(demand, ratio, outputPerWorker)
  return {
    demand,
    workers: { ...range(raw, redundancy), raw, redundancy },
    formula: {
      ratio: figure(ratio, overrides.ratio),
      outputPerWorker: figure(outputPerWorker, overrides.outputPerWorker),
      equivalentOutputTokensPerSec: equivalentOutputLoad(demand, ratio),
    },
    measured: sizing.measuredPerWorker.map((worker) => {
      const workers = rawWorkers(demand, costRatio(worker), worker.outputTokensPerSec)
      return { ...worker, ratio: costRatio(worker), rawWorkers: workers, ...range(workers, redundancy) }
    }),
    tier: tierSection(demand, sizing),
    ...(demand.requestsPerSec === undefined
      ? {}
      : {
          instance: {
            ...omitBounds(rpsTierOf(demand.requestsPerSec, sizing.rpsTiers.tiers)),
            source: sizing.rpsTiers.source,
          },
        }),
    nodes: nodeSection(demand, sizing, raw, redundancy),
    instances: sizing.instances,
    sizing: { name: sizing.name, source: sizing.source },
  }
}

function range(raw: number, { min, max }: RedundancyRange): { peak: number; min: number; max: number } {
  return { peak: wholeUp(raw), min: wholeUp(min * raw), max: wholeUp(max * raw) }
}

function figure(value: number, given: number | undefined): { value: number; from: 'vendor default' | 'given' } {
  return { value, from: given === undefined ? 'vendor default' : 'given' }
}

function tierSection(demand: Demand, { tiers }: Sizing): PlanResult['tier'] {
  const { tier, decidedBy, dimensions } = tierOf(demand, tiers)
  return {
    name: tier.name,
    decidedBy,
    use: tier.use,
    vcpu: tier.vcpu,
    orMore: tier === tiers.at(-1),
    dimensions: dimensions.map(({ dimension, value, tier: reached }) => ({
      dimension,
      value,
      tier: reached.name,
      from: boundOf(reached)[dimension],
      to: upperBound(tiers, reached, dimension) ?? null,
    })),
  }
}

function nodeSection(demand: Demand, sizing: Sizing, raw: number, redundancy: RedundancyRange): PlanResult['nodes'] {
  const { node, network } = sizing
  const gbps = bandwidthGbps(demand, network)
  const counts = [...new Set([1, redundancy.min, redundancy.max])].map((factor) => {
    const need = nodesFor({ workers: raw, gbps }, factor, node, network)
    return { factor, ...need, nodes: Math.max(need.cpu, need.network) }
  })
  const cpuShare = raw / workersPerNode(node)
  const networkShare = gbps / (node.bandwidthGbps * network.targetUtilisation)
  return {
    ...node,
    workersPerNode: workersPerNode(node),
    network: { ...network, eachWayGbps: gbps },
    counts,
    binding: networkShare > cpuShare ? 'network' : 'cpu',
  }
}

function omitBounds({ name, vcpu, memoryMb, connections, orMore }: Sizing['rpsTiers']['tiers'][number]) {
  return { name, vcpu, memoryMb, connections, orMore }
}
