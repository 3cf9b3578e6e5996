/**
 * What the planner is told about a gateway and its machines: a vendor's sizing figures, its tables of sizes, and the
 * node to count in. profiles/sizing/*.yaml holds them, src/planning/sizing.ts reads them.
 */
import type { PlanFigures } from './figures.ts'

/** A row of a table of sizes: it begins at `from` (inclusive) or strictly `above` a bound. */
export interface Tier<Bound> {
  name: string
  from?: Bound | undefined
  above?: Bound | undefined
  vcpu: number
}

export interface TokenTier extends Tier<TierBounds> {
  use: string
}

export interface TierBounds {
  entities: number
  inputTokensPerSec: number
  outputTokensPerSec: number
}

export interface RpsTier extends Tier<number> {
  memoryMb: number
  connections: number
  orMore: boolean
}

export interface RedundancyRange {
  min: number
  max: number
}

/** The pieces that a redundancy factor is made of. */
export interface RedundancyParts {
  zones: number
  zonesLost: number
  /** Pods above the wanted number while a deployment rolls, as a share. */
  surge: number
  /** The share of a worker's capacity to plan on. */
  targetUtilisation: number
}

export interface PerWorker {
  path: string
  inputTokensPerSec: number
  outputTokensPerSec: number
}

/** A machine as the planner counts in it. */
export interface NodeType {
  type: string
  cloud: string
  vcpu: number
  memoryGib: number
  bandwidthGbps: number
  /** In and out together, where a limit is known. */
  packetsPerSec?: number | undefined
  /**
   * Whether the bandwidth is a sustained baseline, or a ceiling with nothing guaranteed below it; a baseline where
   * unsaid.
   */
  bandwidthIs?: 'baseline' | 'ceiling' | undefined
  /** What pods can request; computed by the rules of Kubernetes where the provider's table was not read. */
  allocatableMillicores: number
  allocatableMemoryBytes: number
  usdPerHour?: number | undefined
  /** How it is bought, where not on demand. */
  purchase?: 'reserved' | 'spot' | undefined
  /** Of the price. */
  region?: string | undefined
  priceDate?: string | undefined
  /** Of the bandwidth, and of what pods can request. */
  source: string
  memorySource: string
}

export interface BufferProfile {
  name: string
  /** Prompts of this profile lie in [from, below). */
  promptFromBytes: number
  promptBelowBytes: number
  body: { minBytes: number; maxBytes: number }
  buffer: { minBytes: number; maxBytes: number }
  note?: string | undefined
}

interface InstanceFamilies {
  cloud: string
  arch?: string | undefined
  families: string[]
}

/** The container that a vendor's guide gives as an example. */
interface ContainerResources {
  cpuRequestMillicores: number
  cpuLimitMillicores: number
  memoryRequestBytes: number
  memoryLimitBytes: number
  source: string
}

export interface Sizing {
  name: string
  source: string
  figures: PlanFigures
  redundancy: RedundancyRange
  redundancyParts: RedundancyParts
  measuredPerWorker: PerWorker[]
  tiers: TokenTier[]
  rpsTiers: { source: string; tiers: RpsTier[] }
  container: ContainerResources
  buffers: { source: string; profiles: BufferProfile[] }
  node: NodeType
  instances: { recommended: InstanceFamilies[]; avoid: InstanceFamilies[] }
}
