/**
 * What the planner takes from measurements: reports of kt bench and kt bench sweep as measured runs (one of a bench,
 * one a level of a sweep), a calibration from them, and memory figures from resident sets. A report without token
 * counts, or without a gateway, is refused: a plan in tokens cannot rest on it.
 */
import { UserError } from '../errors.ts'
import { calibrate } from '../plan/calibrate/calibrate.ts'
import type { CheckedRun } from '../plan/check.ts'
import type { Sizing } from '../plan/sizing.ts'
import type { Calibration } from '../plan/uncertainty.ts'
import { readMeasurement } from '../report/read.ts'
import type { Run } from '../report/schema.ts'
import { SWEEP_SCHEMA, type SweepLevel, type SweepReport } from '../report/sweep-schema.ts'
import { visibleTokensPerSec } from '../report/token-basis.ts'
import { throughputError } from '../stats/means.ts'
import { formatCount } from '../units.ts'
import { bestReading } from '../verdict/judge-overhead.ts'

/** A calibration from the reports that a user names; `counts` are the workers of each. */
export function calibrationFrom(
  paths: readonly string[],
  counts: readonly number[],
  streamedShare: number,
  sizing: Sizing,
): Calibration {
  const runs = paths.flatMap((path, i) => measuredRuns(path, counts[i]))
  const result = calibrate(runs, streamedShare, sizing.figures.ratio.value)
  if (result.ok) return result.value
  throw new UserError(
    result.why,
    'Measure again as that says, or plan with the vendor defaults (leave --from-bench out).',
  )
}

/** `workers`: of the gateway; a sweep of the embedded gateway knows its own. */
export function measuredRuns(path: string, workers: number | undefined): CheckedRun[] {
  const report = readMeasurement(path)
  const { role } = report.schema === SWEEP_SCHEMA ? report.target : report
  if (role === 'direct') {
    throw new UserError(
      `${path}: this run went straight to the provider: it says nothing of a gateway`,
      'Give a report of a run through your gateway.',
    )
  }
  if (report.interrupted) throw new UserError(`${path}: this run was interrupted`, 'Give a run that ended by itself.')
  const runs =
    report.schema === SWEEP_SCHEMA ? levelRuns(path, report, workers) : [benchRun(path, report, workers ?? 1)]
  for (const run of runs) refuseImpossible(path, run)
  if (runs.length > 0) return runs
  throw new UserError(`${path}: no tokens passed in this run`, 'Bench a target that answers.')
}

/** Above what a worker of any kind passes, or what a core can be busy: the report is not a measurement. */
const MAX_PER_WORKER = 1e9
const MAX_CORES_PER_WORKER = 2

function refuseImpossible(path: string, run: CheckedRun): void {
  const { workers, inputTokensPerSec, outputTokensPerSec, eventsPerSec, bytesPerSec, gateway } = run
  const next = 'Give the report as kt wrote it.'
  const most = Math.max(inputTokensPerSec, outputTokensPerSec, eventsPerSec, bytesPerSec / 1_000) / workers
  if (!(most <= MAX_PER_WORKER))
    throw new UserError(
      `${path}: ${formatCount(MAX_PER_WORKER)} tokens/s a worker and more cannot have been measured (${most})`,
      next,
    )
  const cores = (gateway?.cpuCores ?? 0) / workers
  if (cores > MAX_CORES_PER_WORKER)
    throw new UserError(
      `${path}: ${formatCount(cores)} cores were busy for each of ${workers} ${workers === 1 ? 'worker' : 'workers'}`,
      'A worker is one vCPU: say with --bench-workers how many there were.',
    )
}

function benchRun(path: string, report: Run, workers: number): CheckedRun {
  const { throughput, totals, load, target, client, pairing } = report
  const stamped = bestReading(report)
  return {
    label: path,
    source: path,
    workers,
    concurrency: load.mode === 'closed' ? (load.concurrency ?? undefined) : undefined,
    stream: target.stream,
    requestsPerSec: throughput.requestsPerSec,
    ...requireTokens(path, totals.successful > 0 ? throughput : NOTHING),
    eventsPerSec: throughput.eventsPerSec,
    bytesPerSec: throughput.bytesPerSec,
    interTokenP50Ms: report.interTokenMs?.p50,
    failedShare: totals.failed / Math.max(1, totals.sent),
    clientOk: client.verdict !== 'saturated',
    relativeError: throughputError(pairing ? [] : report.series.map(({ done }) => done)),
    inFlight: totals.inFlight?.mean,
    gateway: undefined,
    saturated: waited(load.mode, client.achievedToOffered, stamped?.totalMs.p50, report.latencyMs?.p50),
    ttftP50Ms: report.ttftMs?.p50,
    tpotP50Ms: report.tpotMs?.p50,
  }
}

function levelRuns(path: string, report: SweepReport, given: number | undefined): CheckedRun[] {
  return report.curves.flatMap(({ gatewayWorkers, levels }) => {
    if (given !== undefined && gatewayWorkers !== null && gatewayWorkers !== given) {
      throw new UserError(
        `${path}: the sweep was made with ${gatewayWorkers} gateway workers, not ${given}`,
        'Leave the number out: a sweep of the embedded gateway knows its own.',
      )
    }
    // A sweep may end where nothing is answered any more.
    const answered = levels.filter(({ requests, failed }) => requests > failed)
    return answered.map((level) => levelRun(path, report, level, gatewayWorkers ?? given ?? 1))
  })
}

function levelRun(path: string, { load, target }: SweepReport, level: SweepLevel, workers: number): CheckedRun {
  const { interTokenMs, overheadMs, latencyMs, ttftMs, tpotMs, achievedToOffered } = level
  return {
    label: `${path} at ${level.level}${load.mode === 'open' ? '/s' : ' in flight'}`,
    source: path,
    workers,
    concurrency: load.mode === 'closed' ? level.level : undefined,
    stream: target.stream,
    requestsPerSec: level.achievedRps,
    ...requireTokens(path, level),
    eventsPerSec: level.eventsPerSec,
    bytesPerSec: level.bytesPerSec,
    interTokenP50Ms: interTokenMs?.p50,
    failedShare: level.failed / Math.max(1, level.requests),
    clientOk: level.client !== 'saturated',
    relativeError: level.throughputError,
    inFlight: level.inFlight?.mean,
    gateway: level.gateway ?? undefined,
    saturated: waited(load.mode, achievedToOffered, overheadMs?.p50, latencyMs?.p50),
    ttftP50Ms: ttftMs?.p50,
    tpotP50Ms: tpotMs?.p50,
  }
}

/** Of the median latency, above which the gateway and not the provider set the pace of a closed loop. */
const WAITING_SHARE = 0.2
const KEPT_UP = 0.98

/**
 * Whether requests waited for the gateway: an open loop that fell behind, a closed one whose latency is the gateway's.
 */
function waited(
  mode: 'open' | 'closed',
  achievedToOffered: number | null,
  overheadP50Ms: number | undefined,
  latencyP50Ms: number | undefined,
): boolean | undefined {
  if (mode === 'open' && achievedToOffered !== null && achievedToOffered < KEPT_UP) return true
  if (overheadP50Ms === undefined || latencyP50Ms === undefined) return undefined
  return overheadP50Ms / latencyP50Ms > WAITING_SHARE
}

type Throughput = Pick<SweepLevel, 'inputTokensPerSec' | 'outputTokensPerSec' | 'hiddenTokensPerSec' | 'tokenSource'>

/** What a run without a single answer says, whatever it counted. */
const NOTHING: Throughput = { inputTokensPerSec: 0, outputTokensPerSec: 0, tokenSource: 'usage' }

/** A plan counts the output tokens that cross the gateway. */
function requireTokens(
  path: string,
  throughput: Throughput,
): Pick<CheckedRun, 'inputTokensPerSec' | 'outputTokensPerSec' | 'countedBy'> {
  const { inputTokensPerSec, tokenSource } = throughput
  const outputTokensPerSec = visibleTokensPerSec(throughput)
  if (tokenSource === 'mixed') {
    throw new UserError(
      `${path}: some answers of this run were counted by usage and others not: a plan cannot rest on both`,
      'Bench an endpoint of which every answer carries usage, or none does.',
    )
  }
  if (inputTokensPerSec === null || outputTokensPerSec === null || tokenSource === 'none') {
    throw new UserError(
      `${path}: the report has no token counts: a plan in tokens cannot rest on it`,
      'Bench an endpoint whose answers carry usage (stream_options.include_usage for streams).',
    )
  }
  if (inputTokensPerSec > 0) return { inputTokensPerSec, outputTokensPerSec, countedBy: tokenSource }
  throw new UserError(`${path}: no tokens passed in this run`, 'Bench a target that answers.')
}
