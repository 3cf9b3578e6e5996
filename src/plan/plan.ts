/**
 * The plan: the vendor's formula first, then every constraint that can bind before it, counted in nodes, with the
 * binding one and the next named. Pure: the same demand and figures give the same plan. What the figures are worth is
 * said with them.
 */
import type { Plan } from '../report/plan-schema.ts'
import { workersPerNode } from './allocatable.ts'
import type { Load } from './calibrate/cost-model.ts'
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
import { costRatio, equivalentOutputLoad, rawWorkers, wholeUp, workersByFigures } from './cpu.ts'
import { type Demand, timesDemand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import { podSize } from './pod-size.ts'
import { type Factor, type Fleet, sizeFleet } from './redundancy.ts'
import type { NodeType, RedundancyParts, RedundancyRange, Sizing } from './sizing.ts'
import { chooseRpsTier, chooseTier, lowerBound, upperBound } from './tier.ts'
import { waitAt } from './waiting.ts'

/** What was learnt from measured runs. */
export interface Calibration {
  figures: Partial<PlanFigures>
  /** 95 % of the workers that a load may need by those runs. */
  interval95: (load: Load) => readonly [number, number]
  /** Events of a streamed output token. */
  eventsPerToken: number
  /** Input tokens an output token, from the lowest to the highest that was measured. */
  mixes: readonly [number, number]
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
  const raw = workersByFigures(demand, figures)
  const interval = calibration && intervalOf(demand, calibration)
  const node = nodeCapacity(choices.node)
  const needs: Need[] = [cpuNeed(demand, figures), ...otherNeeds(demand, figures, choices.setting, node, raw)]
  const factors = [...new Set([1, redundancy.min, redundancy.max])]
  const counts = factors.map((factor) => countAt(factor, needs, node))
  const fleet = planFleet(demand, sizing, choices, node)
  const isBeyond = calibration !== undefined && beyond(demand, calibration).length > 0
  const ranked = needs
    .map((need) => ({ ...need, nodes: need.per === 'node' ? need.need : need.need / node.workersPerNode }))
    .sort((a, b) => b.nodes - a.nodes)
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
      ? { calibration: { notes: [...calibration.notes, ...beyond(demand, calibration)], beyondMeasured: isBeyond } }
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
  const unsure = uncertainty(workersByFigures(demand, figures), sizing, demand, calibration)
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

/** 95 % of the workers by the runs of a calibration; without an upper end where these say nothing of such a load. */
export function intervalOf(demand: Demand, { interval95, eventsPerToken }: Calibration): readonly [number, number] {
  return interval95({
    requests: demand.requestsPerSec,
    input: demand.inputTokensPerSec,
    output: demand.outputTokensPerSec,
    events: demand.outputTokensPerSec * demand.request.streamedShare * eventsPerToken,
  })
}

/** Beyond the mixes that were measured, by more than a little. */
const NEAR_MIX = 1.5

function beyond({ inputTokensPerSec, outputTokensPerSec }: Demand, { mixes: [low, high] }: Calibration): string[] {
  const mix = inputTokensPerSec / Math.max(outputTokensPerSec, 1e-9)
  if (mix >= low / NEAR_MIX && mix <= high * NEAR_MIX) return []
  const form = (value: number): string => String(Number(value.toPrecision(2)))
  return [
    `extrapolated: ${form(mix)} input tokens an output token, where ${form(low)} to ${form(high)} were measured: ` +
      'bench such a mix',
  ]
}

function uncertainty(raw: number, sizing: Sizing, demand: Demand, calibration: Calibration | undefined): Factor {
  if (calibration) {
    const factor = Math.max(1, intervalOf(demand, calibration)[1] / raw)
    return { factor, why: 'upper end of the 95 % interval of the calibration' }
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
  const { request, meanLoad: _mean, ...rest } = demand
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
