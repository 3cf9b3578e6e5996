/**
 * Which row of a table of sizes a demand falls into: the highest over its dimensions, lower bound inclusive; a last row
 * that is given by `above` begins strictly above its bound. Says which dimensions decided.
 */
import type { RpsTier, Tier, TierBounds, TokenTier } from './sizing.ts'

const DIMENSIONS = ['entities', 'inputTokensPerSec', 'outputTokensPerSec'] as const
export type Dimension = (typeof DIMENSIONS)[number]

interface DimensionTier {
  dimension: Dimension
  value: number
  tier: TokenTier
}

interface TierChoice {
  tier: TokenTier
  /** The dimensions that reach this tier, and so decided it. */
  decidedBy: Dimension[]
  dimensions: DimensionTier[]
}

/** `tiers` go from the smallest to the largest; a dimension that the demand leaves open does not count. */
export function chooseTier(demand: { [D in Dimension]?: number | undefined }, tiers: readonly TokenTier[]): TierChoice {
  const dimensions = DIMENSIONS.flatMap((dimension): DimensionTier[] => {
    const value = demand[dimension]
    return value === undefined ? [] : [{ dimension, value, tier: highest(tiers, value, (bounds) => bounds[dimension]) }]
  })
  const ranks = dimensions.map(({ tier }) => tiers.indexOf(tier))
  const top = Math.max(...ranks)
  const tier = tiers[top]
  if (!tier) throw new Error('a table of sizes without tiers')
  return { tier, decidedBy: dimensions.filter((_, i) => ranks[i] === top).map((entry) => entry.dimension), dimensions }
}

export function chooseRpsTier(requestsPerSec: number, tiers: readonly RpsTier[]): RpsTier {
  return highest(tiers, requestsPerSec, (bound) => bound)
}

/** Where a tier ends in one dimension: the bound of the next one; undefined for the last. */
export function upperBound(tiers: readonly TokenTier[], tier: TokenTier, dimension: Dimension): number | undefined {
  const next = tiers[tiers.indexOf(tier) + 1]
  return next && lowerBound(next)[dimension]
}

export function lowerBound(tier: TokenTier): TierBounds {
  const bound = tier.from ?? tier.above
  if (!bound) throw new Error(`the tier ${tier.name} has no lower bound`)
  return bound
}

function highest<Bound, T extends Tier<Bound>>(
  tiers: readonly (T & Tier<Bound>)[],
  value: number,
  read: (bound: Bound) => number,
): T {
  const reached = tiers.filter(({ from, above }) => {
    if (from !== undefined) return value >= read(from)
    return above !== undefined && value > read(above)
  })
  const tier = reached.at(-1) ?? tiers[0]
  if (!tier) throw new Error('a table of sizes without tiers')
  return tier
}
