/** Whether a run was steady, in a sentence, where a reader must know. */
import type { Run } from '../report/schema.ts'
import { counted, formatDuration, formatShare } from '../units.ts'

/** Undefined where it was steady from its first request on, or nothing can be said. */
export function steadinessLine({ steadiness, load }: Pick<Run, 'steadiness' | 'load'>): string | undefined {
  if (!steadiness || steadiness.fromS === 0) return undefined
  const { fromS, of, drift, test } = steadiness
  const what = of === 'latency' ? 'latency' : 'the rate'
  if (fromS === null) {
    const went = `${drift > 0 ? 'rose' : 'fell'} by ${formatShare(Math.abs(drift))}`
    return `never: ${what} still ${went} over the second half of the run (${test}); a longer run tells where it ends`
  }
  const warmup =
    load.warmupS !== undefined
      ? `the warm-up of ${formatDuration(load.warmupS * 1_000)} was too short`
      : load.warmup > 0
        ? `the warm-up of ${counted(load.warmup, 'request')} was too short`
        : 'it had no warm-up'
  const longer = Math.ceil((load.warmupS ?? 0) + fromS) + 1
  return `from ${formatDuration(fromS * 1_000)} on, by ${what} (${test}); ${warmup}: --warmup ${longer}s`
}
