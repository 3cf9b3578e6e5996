/** What is told of a sweep while it runs: which level is measured, how long the curve takes, what a level came to. */
import type { Extent } from '../output/progress.ts'
import { levelName } from '../output/sweep-answer.ts'
import type { SweepLevel } from '../report/sweep-schema.ts'
import { counted, formatMs, formatNumber } from '../units.ts'
import type { LevelPlace } from './sweep.ts'
import type { SweepOptions } from './sweep-options.ts'

type Ask = Pick<SweepOptions, 'mode' | 'stepMs'>

/** 'level 2 of 7, 4 in flight' */
export function placeName({ level, index, of }: LevelPlace, { mode }: Ask): string {
  const place = index === undefined ? 'search' : `level ${index} of ${of}`
  return `${place}, ${levelName(level, { load: { mode } })}`
}

/** What is left of the curve is at least its levels. */
export function levelExtent(place: LevelPlace, ask: Ask): Extent {
  const { index = 0, of = index, again, steps } = place
  const level = `${placeName(place, ask)}${again > 0 ? ', measured again' : ''}`
  return { level, arms: [], durationMs: steps * ask.stepMs, afterMs: (of - index) * ask.stepMs }
}

export function levelLine({ achievedRps, latencyMs, overheadMs }: SweepLevel, name: string, again: number): string {
  const latency = latencyMs ? `, P99 ${formatMs(latencyMs.p99)} ms` : ''
  const added = overheadMs ? `, added ${formatMs(overheadMs.p99)} ms` : ''
  const repeated = again > 0 ? ` (measured again, the machine was noisy: ${counted(again + 1, 'time')} so far)` : ''
  return `${name}: ${formatNumber(achievedRps)} requests/s${latency}${added}${repeated}`
}
