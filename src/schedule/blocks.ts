/**
 * How a run is cut into blocks, the unit of every verdict, and in which order the arms take turns. Within each pair (of
 * blocks or of requests) the order is random and seeded, so that a slow drift of the host hits both arms alike.
 */
import { hash32, randomFrom } from '../stats/random.ts'
import { MIN_BLOCKS } from '../stats/share-interval.ts'

export const DEFAULT_BLOCKS = 20
const SMALLEST_BLOCK = 5

/**
 * Twenty blocks (or `most`); fewer when a block would hold under five requests. Where each block begins with `excluded`
 * requests that do not count, also fewer when those were more than a quarter of the block, as long as there are enough
 * blocks for a verdict.
 */
export function blockCount(requests: number | undefined, most = DEFAULT_BLOCKS, excluded = 0): number {
  if (requests === undefined) return most
  const fullest = Math.floor(requests / SMALLEST_BLOCK)
  const worthwhile = Math.max(MIN_BLOCKS, Math.floor(requests / Math.max(SMALLEST_BLOCK, 4 * excluded)))
  return Math.max(1, Math.min(most, fullest, worthwhile))
}

/** The requests of block `index` when `total` are shared over `blocks`; the first blocks take the remainder. */
export function share(total: number, blocks: number, index: number): number {
  return Math.floor(total / blocks) + (index < total % blocks ? 1 : 0)
}

/** The requests of `count` blocks from `first` on, when `total` are shared over `blocks`. */
export function shareOfBlocks(total: number, blocks: number, first: number, count: number): number {
  return Array.from({ length: count }, (_, i) => share(total, blocks, first + i)).reduce((sum, part) => sum + part, 0)
}

/** For each block, the arms in the order in which they run. */
export function interleave<T>(arms: readonly T[], blocks: number, seed: number): { arm: T; block: number }[] {
  const random = randomFrom(`order/${seed}`)
  return Array.from({ length: blocks }, (_, block) => {
    const order = arms.map((arm) => ({ arm, key: random() })).sort((a, b) => a.key - b.key)
    return order.map(({ arm }) => ({ arm, block }))
  }).flat()
}

/**
 * Pairs of requests instead of blocks: which of two arms the `index`-th request goes to, in a random order in each
 * pair.
 */
export function armsByRequest(seed: number): (index: number) => 0 | 1 {
  return (index) => ((hash32(`pair/${seed}/${index >> 1}`) + index) & 1 ? 1 : 0)
}
