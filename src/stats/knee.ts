/**
 * The knee of a load curve. Offered load against achieved: the last level that is still carried. Concurrency against throughput:
 * Kneedle (Satopää 2011), the point farthest above the chord of the normalised curve, past which more in flight buys wait
 * rather than work. Nothing where the curve does not bend.
 */

export interface Point {
  x: number
  y: number
}

/** The smallest bend that counts, as a share of the unit square. */
const SENSITIVITY = 0.1

/** Index of the knee of a concave increasing curve, or undefined. `points` in ascending order of x. */
export function kneeOf(points: readonly Point[]): number | undefined {
  const [first, last] = [points[0], points.at(-1)]
  if (points.length < 3 || !first || !last || last.x <= first.x) return undefined
  const top = Math.max(...points.map(({ y }) => y))
  if (top <= first.y) return undefined
  let knee: { index: number; bend: number } | undefined
  for (const [index, { x, y }] of points.entries()) {
    const bend = (y - first.y) / (top - first.y) - (x - first.x) / (last.x - first.x)
    if (bend > (knee?.bend ?? SENSITIVITY)) knee = { index, bend }
  }
  return knee?.index
}

/** How much of an offered rate must be achieved for the level to count as carried. */
export const CARRIED = 0.97

/** Index of the last offered rate that is carried, before the first one that is not; undefined when all are. */
export function lastCarried(levels: readonly { offered: number; achieved: number }[]): number | undefined {
  const first = levels.findIndex(({ offered, achieved }) => achieved < offered * CARRIED)
  return first === -1 ? undefined : first - 1
}
