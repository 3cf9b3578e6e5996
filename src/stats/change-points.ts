/**
 * Change points of a series: E-divisive (Matteson & James 2014, Journal of the American Statistical Association 109),
 * as used on benchmark histories (Daly et al. 2020). The split with the largest energy distance between its sides is
 * kept when a seeded permutation test rejects "no change"; then both sides are searched. No distribution of the noise
 * is assumed. It finds steps, not drifts.
 */
import { type Random, randomFrom } from './random.ts'

interface ChangePoint {
  /** The first value of the new level. */
  index: number
  p: number
}

interface ChangeOptions {
  /** Fewest values of a level. */
  least?: number
  alpha?: number
  permutations?: number
  seed?: number
}

interface Split {
  at: number
  energy: number
}

export function changePoints(values: readonly number[], options: ChangeOptions = {}): ChangePoint[] {
  const { least = 4, alpha = 0.01, permutations = 499, seed = 1 } = options
  const random = randomFrom(`changes/${seed}`)
  const found: ChangePoint[] = []
  const search = (from: number, to: number): void => {
    const part = values.slice(from, to)
    const best = bestSplit(part, least)
    if (!best || best.energy <= 0) return
    const p = permutationP(part, least, best.energy, permutations, random)
    if (p > alpha) return
    found.push({ index: from + best.at, p })
    search(from, from + best.at)
    search(from + best.at, to)
  }
  search(0, values.length)
  return found.sort((a, b) => a.index - b.index)
}

/**
 * The split with the largest scaled energy distance: m n / (m + n) times (twice the mean distance across - the mean
 * distances within). The sums of distances are updated as values move from the right side to the left.
 */
function bestSplit(values: readonly number[], least: number): Split | undefined {
  const { length } = values
  if (length < 2 * least) return undefined
  let across = 0
  let left = 0
  let right = 0
  for (let i = 0; i < length; i++) for (let j = i + 1; j < length; j++) right += distance(values, i, j)
  let best: Split | undefined
  for (let at = 1; at <= length - least; at++) {
    const moved = at - 1
    let toLeft = 0
    let toRight = 0
    for (let i = 0; i < moved; i++) toLeft += distance(values, i, moved)
    for (let j = at; j < length; j++) toRight += distance(values, moved, j)
    left += toLeft
    right -= toRight
    across += toRight - toLeft
    if (at < least) continue
    const [m, n] = [at, length - at]
    const within = left / ((m * (m - 1)) / 2) + right / ((n * (n - 1)) / 2)
    const energy = ((m * n) / (m + n)) * ((2 * across) / (m * n) - within)
    if (!best || energy > best.energy) best = { at, energy }
  }
  return best
}

/** The share of random orders of the same values that split as well. */
function permutationP(values: readonly number[], least: number, energy: number, times: number, random: Random): number {
  const shuffled = [...values]
  let asGood = 1
  for (let time = 0; time < times; time++) {
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      const [a = 0, b = 0] = [shuffled[i], shuffled[j]]
      shuffled[i] = b
      shuffled[j] = a
    }
    if ((bestSplit(shuffled, least)?.energy ?? 0) >= energy) asGood++
  }
  return asGood / (times + 1)
}

function distance(values: readonly number[], i: number, j: number): number {
  return Math.abs((values[i] ?? 0) - (values[j] ?? 0))
}
