/**
 * How a run is cut into blocks, the unit of every verdict, and in which order the arms take turns. The order is random,
 * seeded and balanced, so that a slow drift of the host hits all arms alike, and none always follows the same other.
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

/**
 * For each block, the arms in the order in which they run: rows of a balanced Latin square (Williams 1949), whose arms
 * and rows are drawn anew each time that it is used up. So at any time two arms differ by at most one in how often they
 * ran at a place of the order; and over each square every arm follows every other one equally often.
 */
export function interleave<T>(arms: readonly T[], blocks: number, seed: number): { arm: T; block: number }[] {
  const random = randomFrom(`order/${seed}`)
  const rows: T[][] = []
  while (rows.length < blocks) {
    const drawn = shuffled(arms, random)
    for (const square of williamsSquares(arms.length)) {
      rows.push(...shuffled(square, random).map((row) => row.flatMap((index) => drawn.slice(index, index + 1))))
    }
  }
  return rows.slice(0, blocks).flatMap((row, block) => row.map((arm) => ({ arm, block })))
}

/** One square of an even number of arms is balanced by itself; of an odd one it takes its mirror image too. */
function williamsSquares(arms: number): number[][][] {
  // 0, 1, n-1, 2, n-2, …: the steps from one place to the next are all different.
  const first = Array.from({ length: arms }, (_, place) =>
    place % 2 === 1 ? (place + 1) / 2 : (arms - place / 2) % arms,
  )
  const square = Array.from({ length: arms }, (_, by) => first.map((index) => (index + by) % arms))
  return arms % 2 === 0 || arms === 1 ? [square] : [square, square.map((row) => row.toReversed())]
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item)
}

/**
 * Rounds of requests instead of blocks: which of `arms` arms the `index`-th request goes to, in a random order in each
 * round. A round is drawn once and then looked up, because every request asks several times.
 */
export function armsByRequest(seed: number, arms = 2): (index: number) => number {
  const order = Array.from({ length: arms }, (_, arm) => arm)
  let drawn = -1
  return (index) => {
    const round = Math.floor(index / arms)
    if (round !== drawn) {
      drawn = round
      drawRound(order, `pair/${seed}/${round}`)
    }
    return order[index % arms] ?? 0
  }
}

/** Fisher and Yates, from the same order each time, so that a round follows from its name alone. */
function drawRound(order: number[], name: string): void {
  for (let place = 0; place < order.length; place++) order[place] = place
  for (let place = order.length - 1; place > 0; place--) {
    const other = (hash32(`${name}/${place}`) >>> 0) % (place + 1)
    const moved = order[place] ?? 0
    order[place] = order[other] ?? 0
    order[other] = moved
  }
}
