/**
 * The way to the provider: NAT gateways, whose connections to one destination are bounded for each address, and whose
 * bandwidth and packets are bounded for each gateway. One a zone at least; with zones lost those left carry all.
 */
import { requestsInFlight, type UpstreamSetting, upstreamPerRequest } from './constraints.ts'
import { wholeUp } from './cpu.ts'
import { type Demand, timesDemand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import type { NodeType, RedundancyParts } from './sizing.ts'
import { bandwidthGbps, packetsPerSec } from './wire-needs.ts'

export interface CloudLimits {
  nat: {
    connectionsPerAddress: number
    addresses: number
    gbps?: number | undefined
    packetsPerSec?: number | undefined
  }
  /** Of nodes with public addresses of their own. */
  internet?: { smallBelowVcpu: number; smallGbps: number; share: number } | undefined
  source: string
  date: string
}

export interface NatPlan {
  /** In each zone. */
  gateways: number
  addresses: number
  binding: 'connections' | 'bandwidth' | 'packets' | 'zones'
  connectionsPerAddress: number
  source: string
  date: string
}

export function natPlan(
  demand: Demand,
  figures: PlanFigures,
  setting: UpstreamSetting,
  { zones, zonesLost }: RedundancyParts,
  { nat, source, date }: CloudLimits,
): NatPlan {
  const peak = timesDemand(demand, demand.burst.factor)
  const left = zones - zonesLost
  const upstream = requestsInFlight(peak, figures) * upstreamPerRequest(peak, figures, setting)
  const connections = upstream / left / (nat.connectionsPerAddress * setting.providerAddresses)
  const addresses = wholeUp(connections)
  const needs = [
    { binding: 'connections' as const, gateways: addresses / nat.addresses },
    {
      binding: 'bandwidth' as const,
      gateways: bandwidthGbps(peak, figures) / left / (nat.gbps ?? Number.POSITIVE_INFINITY),
    },
    {
      // Only the provider's side passes it: half of what a node has.
      binding: 'packets' as const,
      gateways: packetsPerSec(peak, figures) / 2 / left / (nat.packetsPerSec ?? Number.POSITIVE_INFINITY),
    },
  ].sort((a, b) => b.gateways - a.gateways)
  const [first] = needs
  const gateways = wholeUp(first?.gateways ?? 1)
  return {
    gateways,
    addresses: Math.max(addresses, gateways),
    binding: gateways === 1 || !first ? 'zones' : first.binding,
    connectionsPerAddress: nat.connectionsPerAddress,
    source,
    date,
  }
}

/** A node that reaches the internet by a public address of its own. */
export function withPublicAddress<T extends NodeType>(node: T, { internet, source, date }: CloudLimits): T {
  if (!internet) return node
  const { smallBelowVcpu, smallGbps, share } = internet
  const most = node.vcpu < smallBelowVcpu ? smallGbps : Math.max(smallGbps, node.bandwidthGbps * share)
  if (most >= node.bandwidthGbps) return node
  return { ...node, bandwidthGbps: most, source: `through an internet gateway: ${source} (${date})` }
}
