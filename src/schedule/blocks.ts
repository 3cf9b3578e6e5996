/**
 * How a run is cut into blocks, the unit of every verdict, and in which order the arms of a pair take turns: within each
 * pair of blocks the order is random (seeded), so that a slow drift of the host hits both arms alike.
 */
import { randomFrom } from '../stats/random.ts'

export const DEFAULT_BLOCKS = 20
const SMALLEST_BLOCK = 5

/** Twenty blocks, fewer when a block would hold under five requests. */
export function blockCount(requests: number | undefined): number {
  if (requests === undefined) return DEFAULT_BLOCKS
  return Math.max(1, Math.min(DEFAULT_BLOCKS, Math.floor(requests / SMALLEST_BLOCK)))
}

/** The `total` requests shared over `blocks`, the first blocks taking the remainder. */
export function share(total: number, blocks: number, index: number): number {
  return Math.floor(total / blocks) + (index < total % blocks ? 1 : 0)
}

/** For each block the arms in the order in which they run. */
export function interleave<T>(arms: readonly T[], blocks: number, seed: number): { arm: T; block: number }[] {
  const random = randomFrom(`order/${seed}`)
  return Array.from({ length: blocks }, (_, block) => {
    const order = arms.map((arm) => ({ arm, key: random() })).sort((a, b) => a.key - b.key)
    return order.map(({ arm }) => ({ arm, block }))
  }).flat()
}
