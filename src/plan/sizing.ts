/**
 * What the planner is told: the demand, and the sizing figures of a vendor. Tokens are per second at the peak; bandwidth is
 * in Gbit/s, each way. profiles/sizing/*.yaml holds the figures, src/input/sizing.ts reads them.
 */

export interface Demand {
  inputTokensPerSec: number
  outputTokensPerSec: number
  /** Configured services and routes. */
  entities?: number
  requestsPerSec?: number
}

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

export interface PerWorker {
  path: string
  inputTokensPerSec: number
  outputTokensPerSec: number
}

export interface NodeType {
  type: string
  cloud: string
  vcpu: number
  memoryGib: number
  bandwidthGbps: number
  source: string
}

export interface NetworkFigures {
  outputBytesPerToken: number
  inputBytesPerToken: number
  targetUtilisation: number
  source: string
}

export interface InstanceFamilies {
  cloud: string
  arch?: string | undefined
  families: string[]
}

export interface Sizing {
  name: string
  source: string
  ratio: number
  outputPerWorker: number
  redundancy: RedundancyRange
  measuredPerWorker: PerWorker[]
  tiers: TokenTier[]
  rpsTiers: { source: string; tiers: RpsTier[] }
  network: NetworkFigures
  node: NodeType
  instances: { recommended: InstanceFamilies[]; avoid: InstanceFamilies[] }
}
