/** A calibration from the reports that a user names. */
import { UserError } from '../errors.ts'
import { calibrate } from '../plan/calibrate/calibrate.ts'
import type { Calibration } from '../plan/plan.ts'
import type { Sizing } from '../plan/sizing.ts'
import { measuredRuns } from './measured-runs.ts'

export function calibrationFrom(
  paths: readonly string[],
  workers: string | undefined,
  streamedShare: number,
  sizing: Sizing,
): Calibration {
  const counts = workerCounts(workers, paths.length)
  const runs = paths.flatMap((path, i) => measuredRuns(path, counts[i]))
  const result = calibrate(runs, streamedShare, sizing.figures.ratio.value)
  if (result.state === 'calibrated') return result.calibration
  throw new UserError(
    result.why,
    'Measure again as that says, or plan with the vendor defaults (leave --from-bench out).',
  )
}

function workerCounts(given: string | undefined, runs: number): number[] {
  if (given === undefined) return []
  const next = 'Write one count a report, in their order: --bench-workers 1,2,4,8.'
  const counts = given.split(',').map((part) => Number(part.trim()))
  const bad = counts.find((count) => !Number.isInteger(count) || count < 1)
  if (bad !== undefined) throw new UserError(`--bench-workers ${given}: each is a whole number of at least 1`, next)
  if (counts.length !== runs)
    throw new UserError(`--bench-workers names ${counts.length} runs, --from-bench ${runs}`, next)
  return counts
}
