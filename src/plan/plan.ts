/**
 * The plan: the vendor's formula first, then every constraint that can bind before it, counted in nodes, with the
 * binding one and the next named. Pure: the same demand and figures give the same plan. What the figures are worth is
 * said with them.
 */
import type { Plan } from '../report/plan-schema.ts'
import { workersPerNode } from './allocatable.ts'
import {
  bandwidthGbps,
  cpuNeed,
  type Need,
  type NodeCapacity,
  otherNeeds,
  type Quota,
  quotaNeeds,
  requestsInFlight,
  type UpstreamSetting,
} from './constraints.ts'
import {
  costRatio,
  cpuWorkers,
  equivalentOutputLoad,
  rawWorkers,
  type Scaling,
  type WorkerDraw,
  wholeUp,
} from './cpu.ts'
import { type Demand, timesDemand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import { type Factor, type Fleet, sizeFleet } from './redundancy.ts'
import type { NodeType, RedundancyParts, RedundancyRange, Sizing } from './sizing.ts'
import { chooseRpsTier, chooseTier, lowerBound, upperBound } from './tier.ts'
import { waitAt } from './waiting.ts'

/** What was learnt from measured runs. */
export interface Calibration {
  figures: Partial<PlanFigures>
  draws: WorkerDraw[]
  scaling?: Scaling | undefined
  notes: string[]
}

/** What the user chose, beside the demand. */
export interface PlanChoices {
  figures: PlanFigures
  redundancy: RedundancyRange
  parts: RedundancyParts
  setting: UpstreamSetting
  node: NodeType
  quota: Quota
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
    quota: {},
  }
}

export function makePlan(demand: Demand, sizing: Sizing, choices: PlanChoices = defaultChoices(sizing)): PlanResult {
  const { figures, redundancy, calibration } = choices
  const cpu = cpuWorkers(demand, figures, 1, calibration?.draws, calibration?.scaling)
  const node = nodeCapacity(choices.node)
  const needs = (cpuRaw: number): Need[] => [
    { ...cpuNeed(demand, figures), need: cpuRaw },
    ...otherNeeds(demand, figures, choices.setting, node, cpuRaw),
  ]
  const factors = [...new Set([1, redundancy.min, redundancy.max])]
  // The CPU's need is proportional to the load only without a scalability fit, so it is asked at each factor.
  const cpuAt = factors.map((factor) => cpuWorkers(demand, figures, factor, [], calibration?.scaling).raw)
  const counts = factors.map((factor, i) => {
    const cpuRaw = cpuAt[i] ?? cpu.raw * factor
    return countAt(factor, needs(cpuRaw / factor), node)
  })
  const ranked = needs(cpu.raw)
    .map((need) => ({ ...need, nodes: need.per === 'node' ? need.need : need.need / node.workersPerNode }))
    .sort((a, b) => b.nodes - a.nodes)
  const [binding, next] = ranked
  if (!binding || !next) throw new Error('a plan without constraints')
  const at = (factor: number): number => counts.find((count) => count.factor === factor)?.workers ?? 0
  const byCpu = (i: number): number => wholeUp(cpuAt[i] ?? 0)
  return {
    demand: demandSection(demand, requestsInFlight(demand, figures)),
    workers: {
      peak: byCpu(0),
      min: byCpu(factors.indexOf(redundancy.min)),
      max: byCpu(factors.indexOf(redundancy.max)),
      raw: cpu.raw,
      redundancy,
      ...(cpu.interval ? { interval95: [wholeUp(cpu.interval[0]), wholeUp(cpu.interval[1])] } : {}),
    },
    answer: {
      binding: binding.name,
      next: next.name,
      workers: { peak: at(1), min: at(redundancy.min), max: at(redundancy.max) },
      nodes: countNodes(counts, redundancy),
    },
    constraints: ranked.map((need) => ({
      ...need,
      counts: factors.map((factor, i) => ({
        factor,
        need: wholeUp(need.name === 'cpu' ? (cpuAt[i] ?? 0) : factor * need.need),
      })),
    })),
    quotas: quotaNeeds(demand, choices.quota),
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
    ...(demand.requestsKnown
      ? {
          instance: {
            ...omitBounds(chooseRpsTier(demand.requestsPerSec, sizing.rpsTiers.tiers)),
            source: sizing.rpsTiers.source,
          },
        }
      : {}),
    nodes: {
      ...nodeSection(choices.node),
      workersPerNode: node.workersPerNode,
      eachWayGbps: bandwidthGbps(demand, figures),
      networkUtilisation: figures.networkUtilisation.value,
      counts,
    },
    fleet: planFleet(demand, sizing, choices, node),
    waiting: [...new Set([at(1), at(redundancy.min), at(redundancy.max)])].map((workers) =>
      waitAt(demand, figures, workers),
    ),
    ...(calibration
      ? { calibration: { notes: calibration.notes, groups: cpu.groups, beyondMeasured: cpu.beyondMeasured } }
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
  const cpuAt = (factor: number) => cpuWorkers(demand, figures, factor, calibration?.draws, calibration?.scaling)
  const unsure = uncertainty(cpuAt(1), sizing, demand, calibration)
  return sizeFleet(
    {
      needsAt: (factor, pods) => {
        const times = timesDemand(demand, factor)
        const cpu = { ...cpuNeed(times, figures), need: cpuAt(factor).raw / speed }
        return [cpu, ...otherNeeds(times, figures, setting, node, pods)]
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

function uncertainty(
  cpu: { raw: number; interval: readonly [number, number] | undefined },
  sizing: Sizing,
  demand: Demand,
  calibration: Calibration | undefined,
): Factor {
  if (calibration && cpu.interval) {
    return { factor: Math.max(1, cpu.interval[1] / cpu.raw), why: 'upper end of the 95 % interval of the calibration' }
  }
  const worst = Math.max(
    0,
    ...sizing.measuredPerWorker.map((worker) => rawWorkers(demand, costRatio(worker), worker.outputTokensPerSec)),
  )
  const best = Math.min(
    ...sizing.measuredPerWorker.map((worker) => rawWorkers(demand, costRatio(worker), worker.outputTokensPerSec)),
  )
  return Number.isFinite(best) && best > 0
    ? {
        factor: worst / best,
        why: `what the vendor's own measured paths differ by for this demand; yours is not measured`,
      }
    : { factor: 1, why: 'not known: nothing was measured' }
}

/** The other constraints rest on figures that have an interval only where they were measured. */
function otherUncertainty(name: Need['name'], { outputBytesPerToken, bytesPerStream }: PlanFigures): Factor {
  const figure = name === 'network' ? outputBytesPerToken : name === 'memory' ? bytesPerStream : undefined
  return figure?.high === undefined
    ? { factor: 1, why: 'not known: its figures have no interval' }
    : { factor: Math.max(1, figure.high / figure.value), why: 'upper end of what was measured' }
}

function demandSection(demand: Demand, inFlight: number): PlanResult['demand'] {
  const { request, ...rest } = demand
  const { peakToMean: _, ...kept } = request
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

function omitBounds({ name, vcpu, memoryMb, connections, orMore }: Sizing['rpsTiers']['tiers'][number]) {
  return { name, vcpu, memoryMb, connections, orMore }
}
