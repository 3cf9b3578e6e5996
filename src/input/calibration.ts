/** Reads reports of kt bench as runs to calibrate a plan from. A report without token counts, or without a gateway, is refused. */
import { UserError } from '../errors.ts'
import { calibrate } from '../plan/calibrate/calibrate.ts'
import type { MeasuredRun } from '../plan/calibrate/run.ts'
import type { Calibration } from '../plan/plan.ts'
import type { Sizing } from '../plan/sizing.ts'
import { readReport } from '../report/read.ts'
import type { BenchReport } from '../report/schema.ts'
import { throughputError } from '../stats/throughput-error.ts'

export function calibrationFrom(
  paths: readonly string[],
  workers: string | undefined,
  streamedShare: number,
  sizing: Sizing,
): Calibration {
  const counts = workerCounts(workers, paths.length)
  const runs = paths.map((path, i) => measuredRun(path, readReport(path), counts[i] ?? 1))
  const result = calibrate(runs, streamedShare, sizing.figures.ratio.value)
  if (result.state === 'calibrated') return result.calibration
  throw new UserError(
    result.why,
    'Measure again as that says, or plan with the vendor defaults (leave --from-bench out).',
  )
}

export function measuredRun(path: string, report: BenchReport, workers: number): MeasuredRun {
  const { throughput, totals, load, target, client, interTokenMs, arms } = report
  if (
    throughput.inputTokensPerSec === null ||
    throughput.outputTokensPerSec === null ||
    throughput.tokenSource === 'none'
  ) {
    throw new UserError(
      `${path}: the report has no token counts: a plan in tokens cannot rest on it`,
      'Bench an endpoint whose answers carry usage (stream_options.include_usage for streams).',
    )
  }
  if (throughput.inputTokensPerSec <= 0 || totals.successful === 0) {
    throw new UserError(`${path}: no tokens passed in this run`, 'Bench a target that answers.')
  }
  if (target.role === 'direct') {
    throw new UserError(
      `${path}: this run went straight to the provider: it says nothing of a gateway`,
      'Give a report of a run through your gateway.',
    )
  }
  if (report.interrupted) throw new UserError(`${path}: this run was interrupted`, 'Give a run that ended by itself.')
  return {
    label: path,
    workers,
    concurrency: load.mode === 'closed' ? (load.concurrency ?? undefined) : undefined,
    stream: target.stream,
    inputTokensPerSec: throughput.inputTokensPerSec,
    outputTokensPerSec: throughput.outputTokensPerSec,
    eventsPerSec: throughput.eventsPerSec,
    bytesPerSec: throughput.bytesPerSec,
    interTokenP50Ms: interTokenMs?.p50,
    failedShare: totals.failed / Math.max(1, totals.sent),
    clientOk: client.verdict !== 'saturated',
    relativeError: throughputError(arms.mode === 'paired' ? [] : report.series.map(({ done }) => done)),
  }
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
