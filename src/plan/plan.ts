/**
 * The plan: the vendor's formula first, then every constraint that can bind before it, counted in nodes, with the
 * binding one and the next named. Pure: the same demand and figures give the same plan. What the figures are worth is
 * said with them.
 */
import type { Plan } from '../report/plan-schema.ts'
import { workersPerNode } from './allocatable.ts'
import {
  connectionsPerRequest,
  cpuNeed,
  memoryBytes,
  otherNeeds,
  requestsInFlight,
  type UpstreamSetting,
} from './constraints.ts'
import { contradictions, type OneInstance } from './contradictions.ts'
import { costRatio, equivalentOutputLoad, rawWorkers, wholeUp, workersByFigures } from './cpu.ts'
import { type Demand, timesDemand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import { type CloudLimits, natPlan } from './nat.ts'
import type { Need, NodeCapacity } from './need.ts'
import { podSize } from './pod-size.ts'
import { type Quota, quotaPlan } from './quotas.ts'
import { type Fleet, sizeFleet } from './redundancy.ts'
import type { NodeType, RedundancyParts, RedundancyRange, Sizing } from './sizing.ts'
import { chooseRpsTier, chooseTier, lowerBound, upperBound } from './tier.ts'
import { type Calibration, cpuUncertainty, extrapolations, intervalOf, otherUncertainty } from './uncertainty.ts'
import { waitAt } from './waiting.ts'
import { bandwidthGbps } from './wire-needs.ts'

/** What the user chose, beside the demand. */
export interface PlanChoices {
  figures: PlanFigures
  redundancy: RedundancyRange
  parts: RedundancyParts
  setting: UpstreamSetting
  node: NodeType
  quota: Quota
  /** On the way to the provider; none where nodes have public addresses. */
  cloud?: CloudLimits | undefined
  calibration?: Calibration | undefined
}

/** The plan without who made it and the checks made of it. */
export type PlanResult = Omit<Plan, 'schema' | 'kt'>

export function defaultChoices(sizing: Sizing): PlanChoices {
  return {
    figures: sizing.figures,
    redundancy: sizing.redundancy,
    parts: sizing.redundancyParts,
    setting: { upstream: 'h1', upstreamKeepAlive: true, providerAddresses: 1 },
    node: sizing.node,
    quota: { providers: [] },
  }
}

export function makePlan(demand: Demand, sizing: Sizing, choices: PlanChoices = defaultChoices(sizing)): PlanResult {
  const { figures, redundancy, calibration } = choices
  const raw = workersByFigures(demand, figures)
  const interval = calibration && intervalOf(demand, calibration)
  const node = nodeCapacity(choices.node)
  const needs: Need[] = [cpuNeed(demand, figures), ...otherNeeds(demand, figures, choices.setting, node, raw)]
  const factors = [...new Set([1, redundancy.min, redundancy.max])]
  const counts = factors.map((factor) => countAt(factor, needs, node))
  const fleet = planFleet(demand, sizing, choices, node)
  const beyond = calibration ? extrapolations(demand, calibration) : []
  const ranked = needs
    .map((need) => ({ ...need, nodes: need.per === 'node' ? need.need : need.need / node.workersPerNode }))
    .sort((a, b) => b.nodes - a.nodes)
  const instance = oneInstance(demand, sizing, choices, raw)
  const [binding, next] = ranked
  if (!binding || !next) throw new Error('a plan without constraints')
  const at = (factor: number): number => counts.find((count) => count.factor === factor)?.workers ?? 0
  return {
    demand: demandSection(demand, requestsInFlight(demand, figures)),
    workers: {
      peak: wholeUp(raw),
      min: wholeUp(redundancy.min * raw),
      max: wholeUp(redundancy.max * raw),
      raw,
      redundancy,
      ...(interval ? { interval95: [wholeUp(interval[0]), wholeUp(interval[1])] } : {}),
    },
    answer: {
      binding: binding.name,
      next: next.name,
      workers: { peak: at(1), min: at(redundancy.min), max: at(redundancy.max) },
      nodes: countNodes(counts, redundancy),
    },
    constraints: ranked.map((need) => ({
      ...need,
      counts: factors.map((factor) => ({
        factor,
        need: wholeUp(factor * need.need),
      })),
    })),
    quotas: quotaPlan(demand, choices.quota).needs,
    ...(choices.quota.failing ? { amplification: quotaPlan(demand, choices.quota).amplification } : {}),
    formula: {
      ratio: figures.ratio,
      outputPerWorker: figures.outputPerWorker,
      equivalentOutputTokensPerSec: equivalentOutputLoad(demand, figures.ratio.value),
    },
    measured: sizing.measuredPerWorker.map((worker) => {
      const workers = rawWorkers(demand, costRatio(worker), worker.outputTokensPerSec)
      return {
        ...worker,
        ratio: costRatio(worker),
        rawWorkers: workers,
        peak: wholeUp(workers),
        min: wholeUp(redundancy.min * workers),
        max: wholeUp(redundancy.max * workers),
      }
    }),
    tier: tierSection(demand, sizing),
    ...(instance ? { instance } : {}),
    ...(choices.cloud ? { nat: natPlan(demand, figures, choices.setting, choices.parts, choices.cloud) } : {}),
    contradictions: contradictions(demand, figures, fleet, choices.node, instance),
    nodes: {
      ...nodeSection(choices.node),
      workersPerNode: node.workersPerNode,
      eachWayGbps: bandwidthGbps(demand, figures),
      networkUtilisation: figures.networkUtilisation.value,
      counts,
    },
    fleet: {
      ...fleet,
      pod: podSize(timesDemand(demand, demand.burst.factor), figures, sizing, {
        raw,
        carrying: fleet.pods.perZone * (fleet.zones - fleet.zonesLost),
      }),
    },
    waiting: [...new Set([at(1), at(redundancy.min), at(redundancy.max)])].map((workers) =>
      waitAt(demand, figures, workers),
    ),
    ...(calibration
      ? { calibration: { notes: [...calibration.notes, ...beyond], beyondMeasured: beyond.length > 0 } }
      : {}),
    instances: sizing.instances,
    sizing: { name: sizing.name, source: sizing.source },
  }
}

/** The fleet to deploy on machines of one kind, whose cores are `speed` times those that the figures are of. */
export function planFleet(
  demand: Demand,
  sizing: Sizing,
  { figures, setting, parts, calibration }: PlanChoices,
  node: NodeCapacity,
  speed = 1,
): Fleet {
  const unsure = cpuUncertainty(demand, figures, sizing, calibration)
  return sizeFleet(
    {
      needsAt: (factor, pods) => {
        const times = timesDemand(demand, factor)
        const cpu = cpuNeed(times, figures)
        return [{ ...cpu, need: cpu.need / speed }, ...otherNeeds(times, figures, setting, node, pods)]
      },
      workersPerNode: node.workersPerNode,
      burst: demand.burst,
      uncertaintyOf: (name) => (name === 'cpu' ? unsure : otherUncertainty(name, figures)),
    },
    parts,
  )
}

/** The machine as the plan's contract has it; a catalogue's entry holds more. */
function nodeSection(node: NodeType): Omit<NodeType, 'memorySource'> {
  const {
    type,
    cloud,
    vcpu,
    memoryGib,
    bandwidthGbps: gbps,
    allocatableMillicores,
    allocatableMemoryBytes,
    source,
  } = node
  const { usdPerHour, region, priceDate, bandwidthIs } = node
  return {
    ...{ type, cloud, vcpu, memoryGib, bandwidthGbps: gbps, allocatableMillicores, allocatableMemoryBytes, source },
    ...(bandwidthIs === undefined ? {} : { bandwidthIs }),
    ...(usdPerHour === undefined ? {} : { usdPerHour, region, priceDate }),
  }
}

export function nodeCapacity(node: NodeType): NodeCapacity {
  return {
    type: node.type,
    workersPerNode: workersPerNode(node),
    bandwidthGbps: node.bandwidthGbps,
    memoryBytes: node.allocatableMemoryBytes,
    packetsPerSec: node.packetsPerSec,
    source: node.source,
    memorySource: node.memorySource,
  }
}

/** Whole workers and whole nodes that `factor` times the demand takes, over all constraints. */
export function countAt(factor: number, needs: readonly Need[], node: NodeCapacity) {
  const largest = (per: Need['per']): number =>
    Math.max(...needs.filter((need) => need.per === per).map((need) => wholeUp(factor * need.need)))
  const cpu = needs.find(({ name }) => name === 'cpu')
  const workers = largest('worker')
  return {
    factor,
    workers,
    cpuNodes: wholeUp(wholeUp(factor * (cpu?.need ?? 0)) / node.workersPerNode),
    networkNodes: wholeUp(factor * (needs.find(({ name }) => name === 'network')?.need ?? 0)),
    nodes: Math.max(wholeUp(workers / node.workersPerNode), largest('node')),
  }
}

function countNodes(
  counts: ReturnType<typeof countAt>[],
  { min, max }: RedundancyRange,
): { peak: number; min: number; max: number } {
  const at = (factor: number): number => counts.find((count) => count.factor === factor)?.nodes ?? 0
  return { peak: at(1), min: at(min), max: at(max) }
}

function demandSection(demand: Demand, inFlight: number): PlanResult['demand'] {
  const { request, meanLoad: _mean, ...rest } = demand
  const { peakToMean: _, kinds: _kinds, ...kept } = request
  return { ...rest, request: kept, inFlight, streamedTokensPerSec: demand.outputTokensPerSec * request.streamedShare }
}

function tierSection(demand: Demand, { tiers }: Sizing): PlanResult['tier'] {
  const { tier, decidedBy, dimensions } = chooseTier(demand, tiers)
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
      from: lowerBound(reached)[dimension],
      to: upperBound(tiers, reached, dimension) ?? null,
    })),
  }
}

/** The guide's row for the rate, beside what the demand computes to; nothing where no rate was given. */
function oneInstance(
  demand: Demand,
  { rpsTiers }: Sizing,
  { figures, setting }: PlanChoices,
  raw: number,
): OneInstance | undefined {
  if (!demand.requestsKnown) return undefined
  const { name, vcpu, memoryMb, connections, orMore } = chooseRpsTier(demand.requestsPerSec, rpsTiers.tiers)
  const memory = memoryBytes(wholeUp(raw), demand, figures)
  return {
    name,
    vcpu,
    memoryMb,
    connections,
    orMore,
    source: rpsTiers.source,
    computed: {
      vcpu: raw,
      memoryMb: Math.ceil((memory.workers + memory.streams + memory.bodies) / 1024 ** 2),
      connections: Math.ceil(requestsInFlight(demand, figures) * connectionsPerRequest(demand, figures, setting)),
    },
  }
}
