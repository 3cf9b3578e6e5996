/**
 * The search for the highest level of load that keeps a limit, where every level is judged from a sample: a level is
 * met, missed, or undecided, by the interval of the share of requests over the limit (share-interval.ts). An undecided
 * level is measured longer, and judged again, up to LOOKS times. Between the highest level that is met and the lowest
 * that is missed the next one is their geometric mean. A level that stays undecided narrows nothing; the search then
 * goes on below and above it, so that both ends of the result are proven: the limit holds up to `holds`, and does not
 * from `breaks` on. What a look proves errs with ALPHA / LOOKS, so that a level at its limit is judged wrongly, in one
 * direction, with a probability of at most ALPHA, however often it is looked at (Bonferroni).
 */
import { bisect } from './curve.ts'
import { type BlockShare, estimateShare, shareBounds } from './share-interval.ts'

/** How many steps a level is measured in all, at each look. */
export const LOOKS = [1, 2, 4] as const

const ALPHA = 0.05

export const CONFIDENCE = 1 - ALPHA

export type LevelVerdict = 'met' | 'missed' | 'undecided'

/** Whether fewer requests than the share `allowed` are over the limit. */
export function judgeLevel(blocks: readonly BlockShare[], allowed: number): LevelVerdict {
  const estimate = estimateShare(blocks)
  if (estimate.n === 0) return 'undecided'
  const { lower, upper } = shareBounds(estimate, ALPHA / LOOKS.length)
  if (upper < allowed) return 'met'
  return lower >= allowed ? 'missed' : 'undecided'
}

/** Fewest requests with which a level without any exceedance is met, where its blocks are alike. */
export function leastToMeet(allowed: number): number {
  return Math.ceil(Math.log(ALPHA / LOOKS.length) / Math.log(1 - allowed))
}

export interface JudgedLevel {
  level: number
  verdict: LevelVerdict
  /** No longer run decides it, and no higher level would do better. */
  ceiling?: boolean
}

export interface Bracket {
  /** The highest level that is met, below every level that is missed. */
  holds: number | undefined
  /** The lowest level that is missed. */
  breaks: number | undefined
  /** Undecided levels between them, rising. */
  open: number[]
}

export function findBracket(levels: readonly JudgedLevel[]): Bracket {
  const rising = levels.toSorted((a, b) => a.level - b.level)
  const breaks = rising.find(({ verdict }) => verdict === 'missed')?.level
  const below = rising.filter(({ level }) => breaks === undefined || level < breaks)
  const holds = below.findLast(({ verdict }) => verdict === 'met')?.level
  const open = below.filter(({ level }) => holds === undefined || level > holds).map(({ level }) => level)
  return { holds, breaks, open }
}

/** The level to measure next; undefined where the ends are as near to each other as they can be. */
export function nextLevel(levels: readonly JudgedLevel[], whole: boolean): number | undefined {
  const { holds, breaks, open } = findBracket(levels)
  const [lowest, highest] = [open[0], open.at(-1)]
  const gaps = [[holds, lowest ?? breaks]]
  const ceiling = levels.some(({ level, ceiling: bounds }) => bounds && open.includes(level))
  if (highest !== undefined && !ceiling) gaps.push([highest, breaks])
  const found = gaps.flatMap(([low, high]) => {
    const next = low === undefined || high === undefined ? undefined : bisect(low, high, whole)
    return next === undefined || low === undefined || high === undefined ? [] : [{ next, width: high / low }]
  })
  return found.toSorted((a, b) => b.width - a.width)[0]?.next
}

export interface LevelLook {
  verdict: LevelVerdict
  ceiling?: boolean
}

interface SearchActions {
  whole: boolean
  /** Measures a level `steps` longer, and judges all that is known of it. */
  look(level: number, steps: number): Promise<LevelLook>
  /** How long the next measurement takes, in steps: false where the search must end before it. */
  mayMeasure(steps: number): boolean
}

/**
 * Searches between levels that have been measured for a step each, and judged. Those at the two ends that are undecided
 * are measured longer first. Returns every level with its verdict, and whether the search came to its end.
 */
export async function searchLevels(
  measured: readonly JudgedLevel[],
  { whole, look, mayMeasure }: SearchActions,
): Promise<{ levels: JudgedLevel[]; complete: boolean }> {
  let levels = [...measured]
  const put = (judged: JudgedLevel): void => {
    levels = [...levels.filter(({ level }) => level !== judged.level), judged]
  }
  /** False where the time is over. */
  const decide = async (level: number, lookFrom: number): Promise<boolean> => {
    for (let i = lookFrom; i < LOOKS.length; i++) {
      const steps = (LOOKS[i] ?? 0) - (LOOKS[i - 1] ?? 0)
      if (!mayMeasure(steps)) return false
      const judged = { level, ...(await look(level, steps)) }
      put(judged)
      if (judged.verdict !== 'undecided' || judged.ceiling) break
    }
    return true
  }
  const tried = new Set<number>()
  for (;;) {
    const open = levels.find(
      ({ level, ceiling }) => !ceiling && !tried.has(level) && findBracket(levels).open.includes(level),
    )?.level
    const next = open ?? nextLevel(levels, whole)
    if (next === undefined) return { levels, complete: true }
    tried.add(next)
    if (!(await decide(next, open === undefined ? 0 : 1))) return { levels, complete: false }
  }
}
