/**
 * `kt bench sweep`: the same requests at one level of load after another. It reports what the gateway adds at each
 * level, the highest level within each limit of added P99, and on request a search between the last level within a
 * limit and the first beyond it. With several numbers of gateway processes there is a curve for each.
 */
import { EXIT, type ExitCode, UserError } from '../errors.ts'
import type { RunPlan } from '../load/plan.ts'
import type { ProgressView } from '../output/progress.ts'
import { assertPageWritable } from '../page/flag.ts'
import { toMs } from '../report/duration-summary.ts'
import { primaryRun } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import { SWEEP_SCHEMA, type SweepCurve, type SweepLevel, type SweepReport } from '../report/sweep-schema.ts'
import { assertWritable, noteForeign } from '../report/write-output.ts'
import { writeReports } from '../report/write-report.ts'
import { METRICS, SWEEP_METRICS, type SweepMetric } from '../slo/metrics.ts'
import { bisect, findFrontier, findKnee, measureScaling } from '../stats/curve.ts'
import { Histogram } from '../stats/histogram.ts'
import { steadyFrom, throughputError } from '../stats/means.ts'
import { counted } from '../units.ts'
import { readBudgets } from '../verdict/components.ts'
import { bestReading } from '../verdict/judge-overhead.ts'
import { printPreflight } from './build-plan.ts'
import { type GatewayUse, watchGateway } from './embedded.ts'
import { measure, type RunHooks, type RunRecordOptions } from './measure.ts'
import { secretsOf } from './options/target.ts'
import type { BenchOptions } from './options.ts'
import { decideRealtime } from './realtime.ts'
import { planLevel } from './sweep-level.ts'
import type { SweepOptions } from './sweep-options.ts'
import { type OpenTargets, openTargets } from './targets.ts'

/**
 * A level that fails this share of its requests, or whose P99 is this many times that of the first level, ends the
 * curve.
 */
const FAILING = 0.5
const COLLAPSED = 20

interface SweepHooks extends Omit<RunHooks, 'progress'> {
  /** A level has been measured. */
  level(level: SweepLevel, at: LevelPlace): void
  progress(view: ProgressView, at: LevelPlace): void
}

/** Which level is measured: its number among those of the curve, or none where a limit is searched for. */
export interface LevelPlace {
  level: number
  index?: number
  of?: number
  /** How often it has been measured before. */
  again: number
}

export async function sweep(
  { target, request, load, verdict, output: { output, html, label: labels }, shown }: BenchOptions,
  ask: SweepOptions,
  hooks: SweepHooks,
): Promise<{ report: SweepReport; exitCode: ExitCode }> {
  if (output !== undefined) {
    assertWritable(output)
    noteForeign(output, hooks.note)
  }
  assertPageWritable(html)
  const budgets = readBudgets(verdict['budget-file'])
  const record = { samples: undefined, budgets, shown, secrets: secretsOf(target), labels }
  const curves: SweepCurve[] = []
  const seen: { first?: Run } = {}
  const realtime = decideRealtime(load.realtime, target.at === undefined, hooks.note)
  for (const gatewayWorkers of ask.gatewayWorkers ?? [1]) {
    if (hooks.interrupt.aborted) break
    if (ask.gatewayWorkers) hooks.note(`gateway of ${counted(gatewayWorkers, 'process', 'processes')}:`)
    const open = await openTargets(target, request.endpoint, hooks.note, { gatewayWorkers, realtime })
    try {
      // The curve is that of the gateway. The direct arm of the embedded pair would only double the time.
      const targets = open.targets.slice(0, 1)
      const planned = (level: number): RunPlan => ({
        ...planLevel({ target, request, load }, ask.mode, level, targets),
        realtime,
      })
      const run = retryNoisy(
        levelRunner(planned, record, ask.stepMs, { ...open, targets }, hooks, seen),
        hooks.interrupt,
      )
      curves.push(await measureCurve(ask, run, hooks, open.embedded ? gatewayWorkers : null))
    } finally {
      await open.close()
    }
  }
  const { first } = seen
  if (!first) throw new UserError('nothing was measured', 'Let the first level end before Ctrl-C.', EXIT.interrupted)
  const report = sweepReport(first, shown, ask, curves, hooks.interrupt.aborted)
  const unwritten = await writeReports(output === undefined ? {} : { [output]: report }, hooks.note)
  if (unwritten) return { report, exitCode: unwritten.exitCode }
  const answered = curves.some(({ levels }) => levels.some(({ requests, failed }) => requests > failed))
  return { report, exitCode: report.interrupted ? EXIT.interrupted : answered ? EXIT.passed : EXIT.inconclusive }
}

type LevelRunner = (place: LevelPlace) => Promise<SweepLevel>

function levelRunner(
  planLevel: (level: number) => RunPlan,
  record: RunRecordOptions,
  stepMs: number,
  open: OpenTargets,
  hooks: SweepHooks,
  seen: { first?: Run },
): LevelRunner {
  return async (place) => {
    const { level } = place
    const plan = planLevel(level)
    if (!seen.first) printPreflight(plan, open.targets, hooks.note)
    const watch = watchGateway(open.gatewayPid)
    const progress: RunHooks['progress'] = (view) => {
      if (view.phase === 'measuring') watch.measuring(stepMs - view.elapsedUs / 1_000)
      hooks.progress(view, place)
    }
    // The levels differ in their load alone: the target is validated once.
    if (seen.first) plan.validate = false
    const { report } = await measure(plan, record, open, { ...hooks, progress }).catch((error) => {
      watch.end()
      throw error
    })
    const measuredRun = primaryRun(report)
    seen.first ??= measuredRun
    const measured = toLevel(measuredRun, level, watch.end())
    hooks.level(measured, place)
    return measured
  }
}

/**
 * Measures a level again when the machine was noisy, up to twice. The first quiet measurement counts, otherwise the
 * last.
 */
function retryNoisy(run: LevelRunner, interrupt: AbortSignal): LevelRunner {
  return async (place) => {
    let measured = await run(place)
    // Where nothing was answered, a quieter machine would not help.
    const wanted = (): boolean => measured.client === 'noisy' && measured.requests > measured.failed
    for (let again = 1; again <= 2 && wanted() && !interrupt.aborted; again++) {
      measured = await run({ ...place, again })
    }
    return measured
  }
}

async function measureCurve(
  ask: SweepOptions,
  run: LevelRunner,
  hooks: SweepHooks,
  gatewayWorkers: number | null,
): Promise<SweepCurve> {
  const { mode, untilMs: limitMs } = ask
  const levels = await climb(ask, run, hooks)
  const until = limitMs === undefined ? null : await search({ mode, limitMs, run, interrupt: hooks.interrupt }, levels)
  levels.sort((a, b) => a.level - b.level)
  return { gatewayWorkers, levels, knee: findKnee(levels, mode) ?? null, frontier: findFrontier(levels), until }
}

/** Measures level after level until there are no more, the user interrupts, or the target collapses. */
async function climb(ask: SweepOptions, run: LevelRunner, hooks: SweepHooks): Promise<SweepLevel[]> {
  const levels: SweepLevel[] = []
  for (const [i, level] of ask.levels.entries()) {
    if (hooks.interrupt.aborted) break
    const measured = await run({ level, index: i + 1, of: ask.levels.length, again: 0 })
    levels.push(measured)
    const base = levels[0]?.latencyMs?.p99 ?? Number.POSITIVE_INFINITY
    if (measured.failed > FAILING * measured.requests || (measured.latencyMs?.p99 ?? 0) > COLLAPSED * base) break
  }
  return levels
}

function sweepReport(
  first: Run,
  options: Record<string, unknown>,
  ask: SweepOptions,
  curves: SweepCurve[],
  interrupted: boolean,
): SweepReport {
  const { url, role, gateway } = first
  const { endpoint, model, stream } = first.target
  const { cpuModel, cores, node } = first.machine
  // The parsed options hold the load and duration of the first level, which the report gives as levels.
  const { rps: _, concurrency: __, duration: ___, ...shown } = options
  const reading = bestReading(first)
  return {
    schema: SWEEP_SCHEMA,
    kt: first.kt,
    startedAt: first.startedAt,
    command: first.command,
    ...(first.commit ? { commit: first.commit } : {}),
    ...(first.labels ? { labels: first.labels } : {}),
    interrupted,
    machine: { cpuModel, cores, node },
    target: { url, endpoint, model, stream, role, ...(gateway ? { gateway } : {}) },
    load: { mode: ask.mode, levels: ask.levels, stepS: ask.stepMs / 1_000, seed: first.load.seed, options: shown },
    workload: first.load.workload,
    overheadSource: reading ? `${reading.definition}, ${reading.source}` : null,
    curves,
    scaling: measureScaling(curves),
  }
}

/**
 * The point of the curve that the run of one level gives: latency of its steady part, throughput, and the gateway's
 * usage.
 */
function toLevel(report: Run, level: number, gateway: GatewayUse | null): SweepLevel {
  const { totals, throughput, client, answers } = report
  const latencies = report.blocks.map((block) => Histogram.decode(block.latency))
  const { skip, steady } = steadyFrom(latencies.map((histogram) => (histogram.count > 0 ? histogram.meanUs : 0)))
  const skippedBlocks = steady ? skip : 0
  const latency = Histogram.merge(latencies.slice(skippedBlocks), METRICS.latency.digits)
  const [overhead] = report.overhead
  return {
    level,
    requests: totals.sent,
    failed: totals.failed,
    ...(answers ? { answers } : {}),
    achievedRps: throughput.requestsPerSec,
    throughputError: throughputError(report.series.map(({ done }) => done)),
    inputTokensPerSec: throughput.inputTokensPerSec,
    outputTokensPerSec: throughput.outputTokensPerSec,
    eventsPerSec: throughput.eventsPerSec,
    bytesPerSec: throughput.bytesPerSec,
    tokenSource: throughput.tokenSource,
    ...(throughput.hiddenTokensPerSec === undefined ? {} : { hiddenTokensPerSec: throughput.hiddenTokensPerSec }),
    inFlight: totals.inFlight ?? null,
    gateway,
    ...quantilesOf(report),
    latencyMs: latency.count > 0 ? { p50: toMs(latency.quantileUs(0.5)), p99: toMs(latency.quantileUs(0.99)) } : null,
    overheadMs: overhead ? { p50: overhead.totalMs.p50, p99: overhead.totalMs.p99, ci95: overhead.totalMs.ci95 } : null,
    client: client.verdict,
    achievedToOffered: client.achievedToOffered,
    steady,
    skippedBlocks,
  }
}

function quantilesOf(report: Run): Pick<SweepLevel, `${SweepMetric}Ms`> {
  const entries = SWEEP_METRICS.map((metric) => {
    const measured = report[`${metric}Ms`]
    return [`${metric}Ms`, measured ? { p50: measured.p50, p99: measured.p99 } : null]
  })
  return Object.fromEntries(entries) as Pick<SweepLevel, `${SweepMetric}Ms`>
}

interface SearchRequest {
  mode: 'open' | 'closed'
  limitMs: number
  run: LevelRunner
  interrupt: AbortSignal
}

/**
 * Searches the highest level within a limit of added P99, between the last level of the curve within it and the first
 * beyond it. Levels measured on the way are added to `levels`.
 */
async function search(
  { mode, limitMs, run, interrupt }: SearchRequest,
  levels: SweepLevel[],
): Promise<SweepCurve['until']> {
  const keeps = (level: SweepLevel): boolean => level.overheadMs !== null && level.overheadMs.p99 < limitMs
  const nowhere = (why: string) => ({ limitMs, level: null, achievedRps: null, why })
  if (!levels.some((level) => level.overheadMs)) return nowhere('no request carries a reading of the overhead')
  const firstBreak = levels.findIndex((level) => !keeps(level))
  let best = firstBreak === -1 ? levels.at(-1) : levels[firstBreak - 1]
  if (!best) return nowhere('the lowest level already exceeds it')
  let breaks = levels[firstBreak]?.level
  if (breaks === undefined)
    return { limitMs, level: best.level, achievedRps: best.achievedRps, why: 'no measured level exceeds it' }
  for (;;) {
    const next = bisect(best.level, breaks, mode === 'closed')
    if (next === undefined || interrupt.aborted) break
    const measured = await run({ level: next, again: 0 })
    levels.push(measured)
    if (keeps(measured)) best = measured
    else breaks = measured.level
  }
  return {
    limitMs,
    level: best.level,
    achievedRps: best.achievedRps,
    why: `the next level measured, ${breaks}, exceeds it`,
  }
}
