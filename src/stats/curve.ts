/**
 * What a measured load curve says: its knee, and the highest load within each limit of added P99. The knee of offered
 * load against achieved load is the last level that is still carried. The knee of concurrency against throughput is by
 * Kneedle (Satopää 2011): the point farthest above the chord of the normalised curve, beyond which more requests in
 * flight add waiting rather than work. A curve that does not bend has no knee.
 */

interface Point {
  x: number
  y: number
}

/** The smallest bend that counts, as a share of the unit square. */
const SENSITIVITY = 0.1

/** Index of the knee of a concave increasing curve, or undefined. `points` in ascending order of x. */
export function findBend(points: readonly Point[]): number | undefined {
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

/** The share of an offered rate that must be achieved for the level to count as carried. */
const CARRIED = 0.97

/** Index of the last offered rate that is carried, before the first one that is not; undefined when all are. */
export function lastCarried(levels: readonly { offered: number; achieved: number }[]): number | undefined {
  const first = levels.findIndex(({ offered, achieved }) => achieved < offered * CARRIED)
  return first === -1 ? undefined : first - 1
}

export interface CurveLevel {
  level: number
  achievedRps: number
  overheadMs: { p99: number; ci95: readonly [number, number | null] } | null
}

const FRONTIER_LIMITS_MS = [1, 5, 7, 10, 50] as const

export interface Knee {
  level: number
  achievedRps: number
  why: string
}

/** `levels` in ascending order. Undefined where the curve does not bend within what was measured. */
export function findKnee(levels: readonly CurveLevel[], mode: 'open' | 'closed'): Knee | undefined {
  if (mode === 'open') {
    const index = lastCarried(levels.map(({ level, achievedRps }) => ({ offered: level, achieved: achievedRps })))
    const knee = index === undefined ? undefined : levels[index]
    return (
      knee && {
        level: knee.level,
        achievedRps: knee.achievedRps,
        why: `the last rate of which ${CARRIED * 100} % was achieved`,
      }
    )
  }
  const index = findBend(levels.map(({ level, achievedRps }) => ({ x: level, y: achievedRps })))
  const knee = index === undefined ? undefined : levels[index]
  return (
    knee && {
      level: knee.level,
      achievedRps: knee.achievedRps,
      why: 'beyond it more requests in flight add waiting rather than work',
    }
  )
}

interface FrontierPoint {
  limitMs: number
  level: number | null
  achievedRps: number | null
  certain: boolean
}

/** The highest level up to which every added P99 stays at or under each limit. */
export function findFrontier(
  levels: readonly CurveLevel[],
  limitsMs: readonly number[] = FRONTIER_LIMITS_MS,
): FrontierPoint[] {
  return limitsMs.map((limitMs) => {
    let best: CurveLevel | undefined
    for (const candidate of levels) {
      if (!candidate.overheadMs || candidate.overheadMs.p99 > limitMs) break
      best = candidate
    }
    const high = best?.overheadMs?.ci95[1] ?? null
    return {
      limitMs,
      level: best?.level ?? null,
      achievedRps: best?.achievedRps ?? null,
      certain: high !== null && high <= limitMs,
    }
  })
}

/**
 * The level to measure next between one within the limit and one beyond it; undefined when they are at most 5 %
 * apart.
 */
export function bisect(keeps: number, breaks: number, whole: boolean): number | undefined {
  if (breaks / keeps <= 1.05) return undefined
  const middle = Math.sqrt(keeps * breaks)
  const next = whole ? Math.round(middle) : Number(middle.toPrecision(3))
  return next > keeps && next < breaks ? next : undefined
}

interface ScalingPoint {
  gatewayWorkers: number
  level: number
  achievedRps: number
  /** Relative to the highest throughput of the first number of processes. */
  timesFirst: number
}

/** The highest throughput of each number of gateway processes; null for a single curve. */
export function measureScaling(
  curves: readonly { gatewayWorkers: number | null; levels: readonly Pick<CurveLevel, 'level' | 'achievedRps'>[] }[],
): ScalingPoint[] | null {
  const tops = curves.flatMap(({ gatewayWorkers, levels }) => {
    const [first, ...others] = levels
    if (gatewayWorkers === null || !first) return []
    const top = others.reduce((best, level) => (level.achievedRps > best.achievedRps ? level : best), first)
    return [{ gatewayWorkers, level: top.level, achievedRps: top.achievedRps }]
  })
  const base = tops[0]?.achievedRps ?? 0
  if (tops.length < 2 || base <= 0) return null
  return tops.map((top) => ({ ...top, timesFirst: Math.round((top.achievedRps / base) * 1_000) / 1_000 }))
}
