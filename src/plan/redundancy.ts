/**
 * The fleet that is deployed, and its redundancy taken apart: what a burst inside the window, the uncertainty of the
 * figures, the target utilisation, a lost pod or node, a lost zone and a rolling deployment each ask for. Every
 * constraint is carried through all of them, and the one that needs the most nodes binds; its factors stand beside the
 * vendor's blunt 2-4x. Counted whole: Z zones that survive the loss of f carry the load with ceil(W / (Z - f)) in each.
 */

import { wholeUp } from './cpu.ts'
import type { Need } from './need.ts'
import type { RedundancyParts } from './sizing.ts'

interface RedundancyPart {
  name: 'burst' | 'zone loss' | 'one more' | 'deploy surge' | 'target utilisation' | 'uncertainty'
  factor: number
  why: string
}

/** In each zone, in all of them, and in all of them while a deployment rolls. */
interface Zoned {
  perZone: number
  steady: number
  surging: number
}

export interface Factor {
  factor: number
  why: string
}

export interface Fleet {
  binding: Need['name']
  next: Need['name']
  zones: number
  zonesLost: number
  /** One worker a pod. */
  pods: Zoned
  nodes: Zoned
  /** The redundancy of the binding constraint, in its unit: workers or nodes. */
  redundancy: { of: Need['name']; per: Need['per']; raw: number; parts: RedundancyPart[]; product: number }
  /** Of a pod's CPU, how much may be used while all zones stand, so that those left hold every constraint. */
  cpuTarget: number
}

/** What a fleet is sized for. */
export interface FleetDemand {
  /** The needs of `factor` times the demand, where `pods` hold memory. */
  needsAt: (factor: number, pods: number) => Need[]
  workersPerNode: number
  burst: Factor
  /** How far a need may lie above what its figures say. */
  uncertaintyOf: (name: Need['name']) => Factor
}

export function sizeFleet(
  { needsAt, workersPerNode, burst, uncertaintyOf }: FleetDemand,
  parts: RedundancyParts,
): Fleet {
  const { zones, zonesLost, surge } = parts
  const left = zones - zonesLost
  const loads = (pods: number) =>
    needsAt(burst.factor, pods).map((need) => ({
      ...need,
      load: (need.need * uncertaintyOf(need.name).factor) / utilisation(need.name, parts),
    }))
  type Load = ReturnType<typeof loads>[number]
  const nodesOf = ({ per, load }: Load): number => (per === 'node' ? load : load / workersPerNode)
  const inZone = ({ load }: Load): number => wholeUp((wholeUp(load) + 1) / left)
  const nodesInZone = (load: Load): number =>
    load.per === 'node' ? inZone(load) : wholeUp(inZone(load) / workersPerNode)
  const byWorker = loads(0).filter(({ per }) => per === 'worker')
  const pods = zoned(Math.max(...byWorker.map(inZone)), zones, surge)
  // With zones gone, those left hold the memory of their own pods only.
  const all = loads(pods.perZone * left).sort((a, b) => nodesOf(b) - nodesOf(a))
  const [first, second] = all
  if (!first || !second) throw new Error('a fleet without constraints')
  const perZone = Math.max(...all.map(nodesInZone))
  const nodes = {
    perZone,
    steady: perZone * zones,
    surging: Math.max(perZone * zones, wholeUp(pods.surging / workersPerNode)),
  }
  const raw = needsAt(1, pods.perZone * left).find(({ name }) => name === first.name)?.need ?? 0
  const own = first.per === 'worker' ? zoned(inZone(first), zones, surge) : nodes
  const cpu = all.find(({ name }) => name === 'cpu')
  const widest = Math.max(...byWorker.map(({ load }) => load))
  return {
    binding: first.name,
    next: second.name,
    zones,
    zonesLost,
    pods,
    nodes,
    redundancy: {
      of: first.name,
      per: first.per,
      raw,
      parts: partsOf(first, own, parts, burst, uncertaintyOf(first.name)),
      product: own.surging / raw,
    },
    // What the CPU uses at the demand as it is, of the pods that the widest constraint asks for.
    cpuTarget: ((cpu?.need ?? 0) / burst.factor / widest) * (left / zones),
  }
}

/** The network is planned with a share of its bandwidth already; what is held open has a cap, not a queue. */
function utilisation(name: Need['name'], { targetUtilisation }: RedundancyParts): number {
  return name === 'cpu' || name === 'events' ? targetUtilisation : 1
}

function zoned(perZone: number, zones: number, surge: number): Zoned {
  const steady = perZone * zones
  return { perZone, steady, surging: steady + (surge > 0 ? wholeUp(steady * surge) : 0) }
}

function partsOf(
  { name, per, load }: { name: Need['name']; per: Need['per']; load: number },
  { perZone, steady, surging }: Zoned,
  parts: RedundancyParts,
  burst: Factor,
  uncertainty: Factor,
): RedundancyPart[] {
  const { zones, zonesLost, surge } = parts
  const used = utilisation(name, parts)
  const carried = wholeUp(load)
  const why: Partial<Record<Need['name'], string>> = {
    cpu: `planned to ${Math.round(used * 100)} % of a worker`,
    events: `planned to ${Math.round(used * 100)} % of a worker`,
    network: 'in the share of the bandwidth already',
  }
  return [
    { name: 'burst', ...burst },
    { name: 'uncertainty', ...uncertainty },
    {
      name: 'target utilisation',
      factor: 1 / used,
      why: why[name] ?? 'a cap, which nothing waits for',
    },
    { name: 'one more', factor: (carried + 1) / carried, why: `one ${per} may be gone (N+1)` },
    {
      name: 'zone loss',
      factor: steady / (carried + 1),
      why:
        zonesLost === 0
          ? `${zones} zones, none lost: whole ${per}s in each`
          : `${perZone} in each of ${zones} zones, so that ${zones - zonesLost} carry the load`,
    },
    {
      name: 'deploy surge',
      factor: surging / steady,
      why:
        per === 'worker'
          ? `${Math.round(surge * 100)} % more pods while a deployment rolls`
          : `${Math.round(surge * 100)} % more pods ${surging > steady ? 'take more nodes' : 'fit on the same nodes'}`,
    },
  ]
}
