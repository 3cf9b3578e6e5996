/**
 * One-sided bounds for a share (of requests over a limit) whose sample is the block, not the request, because
 * requests within a block meet the same state of the machine. Korn & Graubard 1998, Survey Methodology 24: the ratio
 * estimator's variance between blocks gives an effective sample size n* = p(1-p)/v, at most n, shrunk by
 * (t[n-1]/t[K-1])^2 for the small number of blocks; n* and x* = p n* enter Clopper-Pearson. Where no request or every
 * request exceeds the limit there is no spread, and the bounds are plain Clopper-Pearson. Fewer than ten blocks give
 * no upper bound; their lower bound counts four requests as one where they show no spread.
 */
import { inverseIncompleteBeta, studentQuantile } from './distributions.ts'

export const MIN_BLOCKS = 10

/** Requests of a few blocks that count as one, where all of them exceed the limit and show no spread. */
const FEW_BLOCKS_EFFECT = 4

export interface BlockShare {
  n: number
  over: number
}

export interface ShareEstimate {
  share: number
  n: number
  over: number
  /** Blocks with at least one request. */
  blocks: number
  /** How many requests one independent request is worth here; 1 when blocks do not matter. */
  designEffect: number
}

export function estimateShare(all: readonly BlockShare[]): ShareEstimate {
  const blocks = all.filter((block) => block.n > 0)
  const n = sum(blocks.map((block) => block.n))
  const over = sum(blocks.map((block) => block.over))
  const share = n === 0 ? Number.NaN : over / n
  const k = blocks.length
  const squares = sum(blocks.map((block) => (block.over - share * block.n) ** 2))
  const variance = k > 1 ? ((k / (k - 1)) * squares) / n ** 2 : 0
  const designEffect = over === 0 || over === n ? 1 : Math.max(1, (variance * n) / (share * (1 - share)))
  return { share, n, over, blocks: k, designEffect }
}

/**
 * Bounds each of which misses the true share with a probability of at most `alpha`. `times` scales them to that many
 * times as many requests in such blocks, with the same share and the same spread between blocks; `blocks` says how many
 * blocks they are judged as, where these do not become more.
 */
export function shareBounds(
  estimate: ShareEstimate,
  alpha: number,
  times = 1,
  blocks = estimate.blocks * times,
): { lower: number; upper: number } {
  const n = estimate.n * times
  const enough = blocks >= MIN_BLOCKS
  const plain = estimate.over === 0 || estimate.over === estimate.n
  if (n === 0 || (blocks < 2 && !plain)) return { lower: 0, upper: 1 }
  const alike = enough ? 1 : 1 / FEW_BLOCKS_EFFECT
  const few = plain ? alike : (tQuantile(1 - alpha, n - 1) / tQuantile(1 - alpha, blocks - 1)) ** 2
  const effective = (n / estimate.designEffect) * few
  const over = effective * estimate.share
  return {
    lower: over <= 0 ? 0 : inverseIncompleteBeta(alpha, over, effective - over + 1),
    upper: !enough || over >= effective ? 1 : inverseIncompleteBeta(1 - alpha, over + 1, effective - over),
  }
}

const tQuantiles = new Map<string, number>()

/** A cache: inverting a share test over a histogram takes the same few t quantiles thousands of times. */
function tQuantile(p: number, df: number): number {
  const key = `${p}/${df}`
  let t = tQuantiles.get(key)
  if (t === undefined) {
    t = studentQuantile(p, df)
    if (tQuantiles.size > 4_096) tQuantiles.clear()
    tQuantiles.set(key, t)
  }
  return t
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
