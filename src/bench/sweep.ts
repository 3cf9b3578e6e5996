/**
 * `kt bench sweep`: the same requests at one level of load after another. It reports what the gateway adds at each
 * level, the highest level within each limit of added P99, and on request a search between the last level within a
 * limit and the first beyond it. With several numbers of gateway processes there is a curve for each.
 */
import { EXIT, type ExitCode, UserError } from '../errors.ts'
import type { StopReason } from '../load/limits.ts'
import type { RunPlan } from '../load/plan.ts'
import type { LiveView } from '../output/live-view.ts'
import type { ProgressView } from '../output/progress.ts'
import { assertPageWritable } from '../page/flag.ts'
import { primaryRun } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import type { SweepCurve, SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { assertWritable, noteForeign } from '../report/write-output.ts'
import { writeReports } from '../report/write-report.ts'
import { findFrontier, findKnee } from '../stats/curve.ts'
import { counted } from '../units.ts'
import { readBudgets } from '../verdict/components.ts'
import { findProcess } from '../watch/processes.ts'
import type { MaxTokensField } from '../wire/body-changes.ts'
import { printPreflight, warmsJit } from './build-plan.ts'
import { watchGateway } from './embedded.ts'
import { measure, type RunRecordOptions } from './measure.ts'
import { secretsOf } from './options/target.ts'
import type { BenchOptions } from './options.ts'
import { announceCost, findPrice, toCostBudget } from './price.ts'
import { decideRealtime } from './realtime.ts'
import type { RunHooks } from './send.ts'
import { countMisses, resolveObjectives, type SloObjectives } from './slo-objectives.ts'
import { planLevel } from './sweep-level.ts'
import type { SweepOptions } from './sweep-options.ts'
import { sweepReport, toLevel } from './sweep-report.ts'
import { type OpenTargets, openTargets, sharedBy } from './targets.ts'
import { type MeasuredLevel, searchUntil } from './until.ts'

/**
 * A level that fails this share of its requests, or whose P99 is this many times that of the first level, ends the
 * curve.
 */
const FAILING = 0.5
const COLLAPSED = 20

interface SweepHooks extends Omit<RunHooks, 'progress'> {
  /** A level has been measured. */
  level(level: SweepLevel, at: LevelPlace): void
  progress(view: ProgressView, at: LevelPlace, live?: () => LiveView): void
}

/** Which level is measured: its number among those of the curve, or none where a limit is searched for. */
export interface LevelPlace {
  level: number
  index?: number
  of?: number
  /** How often it has been measured before. */
  again: number
  /** How long it is measured, in steps. */
  steps: number
  /** Which draw of its requests: runs that are laid together send others, or they would err alike. */
  draw: number
}

export async function sweep(
  { target, request, load, verdict, output: { output, html, label: labels }, fleet, shown }: BenchOptions,
  ask: SweepOptions,
  hooks: SweepHooks,
): Promise<{ report: SweepReport; exitCode: ExitCode }> {
  if (output !== undefined) {
    assertWritable(output)
    noteForeign(output, hooks.note)
  }
  assertPageWritable(html)
  if (ask.gatewayPid !== undefined) findProcess('gateway-pid', ask.gatewayPid)
  const budgets = readBudgets(verdict['budget-file'])
  const objectives = resolveObjectives(verdict, request, target)
  const { judged, workloadSpec, timeoutMs, categoryTimeoutsUs } = objectives
  const curves: SweepCurve[] = []
  const seen: Seen = { spentUsd: 0 }
  const realtime = decideRealtime(load.realtime, target.at === undefined, hooks.note)
  for (const gatewayWorkers of ask.gatewayWorkers ?? [1]) {
    if (hooks.interrupt.aborted) break
    if (ask.gatewayWorkers) hooks.note(`gateway of ${counted(gatewayWorkers, 'process', 'processes')}:`)
    const open = await openTargets(target, request, hooks.note, {
      ...{ gatewayWorkers, realtime, fleet, interrupt: hooks.interrupt },
      jitWarmup: warmsJit(load),
    })
    try {
      // The curve is that of the gateway. The direct arm of the embedded pair would only double the time.
      const targets = open.targets.slice(0, 1)
      const loaded = { ...open, targets, gatewayPid: open.gatewayPid ?? ask.gatewayPid }
      const price = findPrice(load, request.model, targets)
      const costBudget = toCostBudget(load, price)
      const options = {
        target: { ...target, timeout: target.timeout ?? timeoutMs },
        request: judged ? workloadSpec : request,
        load,
      }
      const planned = (place: Pick<LevelPlace, 'level' | 'steps' | 'draw'>): RunPlan =>
        sharedBy(open.fleet, {
          ...planLevel(options, ask, place, targets),
          costBudget: costBudget && { ...costBudget, usd: costBudget.usd - seen.spentUsd },
          categoryTimeoutsUs,
          realtime,
        })
      if (!seen.first) {
        const plans = ask.levels.map((level) => planned({ level, steps: 1, draw: 0 }))
        if (plans[0]) printPreflight(plans[0], targets, hooks.note)
        announceCost(plans, price, hooks.note)
      }
      const record = { samples: undefined, budgets, shown, secrets: secretsOf(target), labels, price }
      const run = levelRunner(planned, record, ask.stepMs, loaded, hooks, seen, objectives)
      const curve = await measureCurve(ask, run, hooks, seen, open.embedded ? gatewayWorkers : null)
      if (curve.levels.length > 0 || curve.cutOff) curves.push(curve)
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

const CUT_OFF = new Map<StopReason | null, 'interrupted' | 'cost'>([
  ['interrupted', 'interrupted'],
  ['cost-budget', 'cost'],
])

/** What the levels before have left. */
interface Seen {
  first?: Run
  spentUsd: number
  /** The budget of money is spent. */
  spent?: boolean
  /** What the target takes instead of max_tokens. */
  maxTokensField?: MaxTokensField | undefined
}

type LevelRunner = (place: LevelPlace) => Promise<MeasuredLevel>

function levelRunner(
  planned: (place: LevelPlace) => RunPlan,
  record: RunRecordOptions,
  stepMs: number,
  open: OpenTargets,
  hooks: SweepHooks,
  seen: Seen,
  objectives: SloObjectives,
): LevelRunner {
  return async (place) => {
    const { level, steps } = place
    const plan = planned(place)
    const watch = watchGateway(open.gatewayPid)
    const progress: RunHooks['progress'] = (view, _, live) => {
      if (view.phase === 'measuring') watch.measuring(steps * stepMs - view.elapsedUs / 1_000)
      hooks.progress(view, place, live)
    }
    // The levels differ in their load alone: the target is validated once.
    if (seen.first) plan.validate = false
    const { maxTokensField = plan.workload.maxTokensField } = seen
    plan.workload = { ...plan.workload, maxTokensField }
    const {
      report,
      stopped,
      maxTokensField: found,
    } = await measure(plan, record, open, { ...hooks, progress }).catch((error) => {
      watch.end()
      throw error
    })
    const measuredRun = primaryRun(report)
    seen.maxTokensField ??= found
    seen.spentUsd += report.cost?.usd ?? 0
    seen.spent ||= stopped === 'cost-budget'
    const cutOff = CUT_OFF.get(stopped)
    const measured = toLevel(measuredRun, level, watch.end())
    if (cutOff !== 'interrupted') {
      seen.first ??= measuredRun
      hooks.level(measured, place)
    }
    const misses = countMisses(measuredRun, objectives)
    return { level: measured, run: measuredRun, skip: measured.skippedBlocks, misses, cutOff }
  }
}

/**
 * Measures a level again when the machine was noisy, up to twice. The first quiet measurement counts, otherwise the
 * last.
 */
function retryNoisy(run: LevelRunner, ended: Ended): LevelRunner {
  return async (place) => {
    let measured = await run(place)
    const wanted = (): boolean => {
      const { client, requests, failed } = measured.level
      // Where nothing was answered, a quieter machine would not help.
      return client === 'noisy' && requests > failed
    }
    for (let again = 1; again <= 2 && wanted() && ended() === undefined; again++) {
      const next = await run({ ...place, again })
      if (next.cutOff !== 'interrupted') measured = next
    }
    return measured
  }
}

async function measureCurve(
  ask: SweepOptions,
  run: LevelRunner,
  { interrupt }: SweepHooks,
  seen: Seen,
  gatewayWorkers: number | null,
): Promise<SweepCurve> {
  const ended: Ended = () => (interrupt.aborted ? 'interrupted' : seen.spent ? 'cost' : undefined)
  const { climbed, cutOff } = await climb(ask, retryNoisy(run, ended), ended)
  const { mode, stepMs, searchMs, until: limit } = ask
  // A search measures each level again by itself: what the noise of the machine did is in the interval.
  const again = (level: number, steps: number, times: number) => run({ level, steps, again: 0, draw: times })
  const found = limit && (await searchUntil({ ...limit, mode, stepMs, searchMs, run: again, ended }, climbed))
  const { levels, until } = found ?? { levels: climbed.map(({ level }) => level), until: null }
  levels.sort((a, b) => a.level - b.level)
  return {
    ...{ gatewayWorkers, levels },
    ...(cutOff ? { cutOff } : {}),
    ...{ knee: findKnee(levels, mode) ?? null, frontier: findFrontier(levels), until },
  }
}

/** Why nothing more is to be measured. */
type Ended = () => 'interrupted' | 'cost' | undefined

/**
 * Measures level after level until there are no more, the user or a budget ends it, or the target collapses. What
 * Ctrl-C leaves of a level is no point of a curve: of its time some may be warm-up, and all of it the end.
 */
async function climb(
  ask: SweepOptions,
  run: LevelRunner,
  ended: Ended,
): Promise<{ climbed: MeasuredLevel[]; cutOff: SweepCurve['cutOff'] }> {
  const climbed: MeasuredLevel[] = []
  let cutOff: SweepCurve['cutOff']
  for (const [i, level] of ask.levels.entries()) {
    if (ended() !== undefined) break
    const measured = await run({ level, index: i + 1, of: ask.levels.length, again: 0, steps: 1, draw: 0 })
    const { failed, requests, latencyMs } = measured.level
    if (measured.cutOff) cutOff = { level, answered: requests - failed, why: measured.cutOff }
    if (measured.cutOff === 'interrupted') break
    climbed.push(measured)
    const base = climbed[0]?.level.latencyMs?.p99 ?? Number.POSITIVE_INFINITY
    if (failed > FAILING * requests || (latencyMs?.p99 ?? 0) > COLLAPSED * base) break
  }
  return { climbed, cutOff }
}
