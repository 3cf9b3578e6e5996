/** Searches the highest level that keeps a limit of added P99, between the last one of the curve that does and the first that does not. */
import type { SweepCurve, SweepLevel } from '../report/sweep-schema.ts'
import { bisect } from '../stats/curve.ts'

export interface Search {
  mode: 'open' | 'closed'
  limitMs: number
  /** Measures a level. */
  run(level: number): Promise<SweepLevel>
  interrupt: AbortSignal
}

/** What is measured on the way is added to `levels`. */
export async function search(
  { mode, limitMs, run, interrupt }: Search,
  levels: SweepLevel[],
): Promise<SweepCurve['until']> {
  const keeps = (level: SweepLevel): boolean => level.overheadMs !== null && level.overheadMs.p99 < limitMs
  const nowhere = (why: string) => ({ limitMs, level: null, achievedRps: null, why })
  if (!levels.some((level) => level.overheadMs)) return nowhere('no request carries a reading of the overhead')
  const firstBreak = levels.findIndex((level) => !keeps(level))
  let best = firstBreak === -1 ? levels.at(-1) : levels[firstBreak - 1]
  if (!best) return nowhere('already the lowest level breaks it')
  let breaks = levels[firstBreak]?.level
  if (breaks === undefined)
    return { limitMs, level: best.level, achievedRps: best.achievedRps, why: 'no level breaks it: it lies higher' }
  for (;;) {
    const next = bisect(best.level, breaks, mode === 'closed')
    if (next === undefined || interrupt.aborted) break
    const measured = await run(next)
    levels.push(measured)
    if (keeps(measured)) best = measured
    else breaks = measured.level
  }
  return {
    limitMs,
    level: best.level,
    achievedRps: best.achievedRps,
    why: `the next one measured, ${breaks}, breaks it`,
  }
}
