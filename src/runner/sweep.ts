/**
 * `kt bench sweep`: the same requests at one level of load after another, from low to the knee; what is added at each, how far
 * each limit of added P99 reaches, and, when asked, a search between the last level that keeps a limit and the first that does not.
 */
import { EXIT, type ExitCode, UserError } from '../errors.ts'
import { toMs } from '../report/distribution.ts'
import type { BenchReport } from '../report/schema.ts'
import { SWEEP_SCHEMA, type SweepLevel, type SweepReport } from '../report/sweep-schema.ts'
import { assertWritable, writeAtomically } from '../report/write.ts'
import { bisect, findKnee, frontierOf } from '../stats/curve.ts'
import { Histogram } from '../stats/histogram.ts'
import { steadyFrom } from '../stats/steady.ts'
import { measure, type RunHooks } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { announce, planOf } from './plan-of.ts'
import type { SweepOptions } from './sweep-options.ts'
import { type OpenTargets, openTargets } from './targets.ts'

const WARMUP_REQUESTS = 50
/** A level that answers less than half of its requests, or is this many times slower than the first, ends the curve. */
const FAILING = 0.5
const COLLAPSED = 20

export interface SweepHooks extends RunHooks {
  /** A level has been measured. */
  level(level: SweepLevel): void
}

export async function sweep(
  options: BenchOptions,
  ask: SweepOptions,
  hooks: SweepHooks,
): Promise<{ report: SweepReport; exitCode: ExitCode }> {
  if (options.output !== undefined) assertWritable(options.output)
  const open = await openTargets(options, hooks.note)
  let first: BenchReport | undefined
  try {
    const once = levelRunner(options, ask, open, hooks, (report) => {
      first ??= report
    })
    const run = insist(once, hooks.interrupt)
    const levels = await climb(ask, run, hooks)
    const until = ask.untilMs === undefined ? null : await search(ask, ask.untilMs, levels, run, hooks)
    levels.sort((a, b) => a.level - b.level)
    if (!first) throw new UserError('nothing was measured', 'Let the first level end before Ctrl-C.', EXIT.interrupted)
    const report = sweepReport(first, ask, levels, until, hooks.interrupt.aborted)
    if (options.output !== undefined) writeAtomically(options.output, `${JSON.stringify(report, null, 2)}\n`)
    const answered = levels.some(({ requests, failed }) => requests > failed)
    return { report, exitCode: report.interrupted ? EXIT.interrupted : answered ? EXIT.passed : EXIT.inconclusive }
  } finally {
    await open.close()
  }
}

type LevelRunner = (level: number) => Promise<SweepLevel>

function levelRunner(
  options: BenchOptions,
  ask: SweepOptions,
  open: OpenTargets,
  hooks: SweepHooks,
  seen: (report: BenchReport) => void,
): LevelRunner {
  let announced = false
  return async (level) => {
    const load = ask.mode === 'open' ? { rps: level } : { concurrency: level }
    const stepped = { warmup: WARMUP_REQUESTS, ...options, ...load, duration: ask.stepMs }
    // The curve is the gateway's: the direct arm of the embedded pair would only double the time.
    const targets = open.targets.slice(0, 1)
    const plan = planOf(stepped, targets)
    if (!announced) announce(plan, targets, hooks.note)
    announced = true
    const { report } = await measure(plan, stepped, { ...open, targets }, hooks)
    seen(report)
    const measured = levelOf(report, level)
    hooks.level(measured)
    return measured
  }
}

/** A level whose machine was noisy is measured again, up to twice; the first quiet one counts, else the last. */
function insist(run: LevelRunner, interrupt: AbortSignal): LevelRunner {
  return async (level) => {
    let measured = await run(level)
    for (let again = 0; again < 2 && measured.client === 'noisy' && !interrupt.aborted; again++)
      measured = await run(level)
    return measured
  }
}

/** Level after level, until they end, the user does, or the target collapses. */
async function climb(ask: SweepOptions, run: LevelRunner, hooks: SweepHooks): Promise<SweepLevel[]> {
  const levels: SweepLevel[] = []
  for (const level of ask.levels) {
    if (hooks.interrupt.aborted) break
    const measured = await run(level)
    levels.push(measured)
    const base = levels[0]?.latencyMs?.p99 ?? Number.POSITIVE_INFINITY
    if (measured.failed > FAILING * measured.requests || (measured.latencyMs?.p99 ?? 0) > COLLAPSED * base) break
  }
  return levels
}

async function search(
  ask: SweepOptions,
  limitMs: number,
  levels: SweepLevel[],
  run: LevelRunner,
  hooks: SweepHooks,
): Promise<SweepReport['until']> {
  const keeps = (level: SweepLevel): boolean => level.overheadMs !== null && level.overheadMs.p99 < limitMs
  if (!levels.some((level) => level.overheadMs)) {
    return { limitMs, level: null, achievedRps: null, why: 'no request carries a reading of the overhead' }
  }
  const firstBreak = levels.findIndex((level) => !keeps(level))
  let best = firstBreak === -1 ? levels.at(-1) : levels[firstBreak - 1]
  if (!best) return { limitMs, level: null, achievedRps: null, why: 'already the lowest level breaks it' }
  let breaks = levels[firstBreak]?.level
  if (breaks === undefined)
    return { limitMs, level: best.level, achievedRps: best.achievedRps, why: 'no level breaks it: it lies higher' }
  for (;;) {
    const next = bisect(best.level, breaks, ask.mode === 'closed')
    if (next === undefined || hooks.interrupt.aborted) break
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

/** The steady part of a level's run, block by block. */
function levelOf(report: BenchReport, level: number): SweepLevel {
  const blocks = report.blocks.filter((block) => block.arm === report.arms.primary)
  const latencies = blocks.map((block) => Histogram.decode(block.latency))
  const { skip, steady } = steadyFrom(latencies.map((histogram) => (histogram.count > 0 ? histogram.meanUs : 0)))
  const skippedBlocks = steady ? skip : 0
  const latency = Histogram.merge(latencies.slice(skippedBlocks), 4)
  const [overhead] = report.overhead
  const at = (histogram: Histogram) => ({ p50: toMs(histogram.quantileUs(0.5)), p99: toMs(histogram.quantileUs(0.99)) })
  return {
    level,
    requests: report.totals.sent,
    failed: report.totals.failed,
    achievedRps: report.throughput.requestsPerSec,
    outputTokensPerSec: report.throughput.outputTokensPerSec,
    latencyMs: latency.count > 0 ? at(latency) : null,
    ttftMs: report.ttftMs ? { p50: report.ttftMs.p50, p99: report.ttftMs.p99 } : null,
    overheadMs: overhead ? { p50: overhead.totalMs.p50, p99: overhead.totalMs.p99, ci95: overhead.totalMs.ci95 } : null,
    client: report.client.verdict,
    steady,
    skippedBlocks,
  }
}

function sweepReport(
  first: BenchReport,
  ask: SweepOptions,
  levels: SweepLevel[],
  until: SweepReport['until'],
  interrupted: boolean,
): SweepReport {
  const { url, endpoint, model, stream, gateway } = first.target
  const { cpuModel, cores, node } = first.machine
  return {
    schema: SWEEP_SCHEMA,
    kt: first.kt,
    startedAt: first.startedAt,
    command: first.command,
    interrupted,
    machine: { cpuModel, cores, node },
    target: { url, endpoint, model, stream, ...(gateway ? { gateway } : {}) },
    load: { mode: ask.mode, stepS: ask.stepMs / 1_000, seed: first.load.seed },
    workload: first.load.workload,
    overheadSource: first.overhead[0] ? `${first.overhead[0].definition}, ${first.overhead[0].source}` : null,
    levels,
    knee: findKnee(levels, ask.mode) ?? null,
    frontier: frontierOf(levels),
    until,
  }
}
