/**
 * From checked options to a run that is ready to start. This is the one place that knows all sections: it hands each to
 * the functions that need it, reads the files that they name, and opens the targets.
 */
import type { Inconclusive } from '../errors.ts'
import type { RunPlan } from '../load/plan.ts'
import type { Noise } from '../verdict/noise.ts'
import { openWatch } from '../watch/watch.ts'
import { buildPlan, printPreflight, warmsJit } from './build-plan.ts'
import { noteTooFewBlocks } from './cut-blocks.ts'
import { type BenchQuestion, readQuestion } from './judge-bench.ts'
import { openLiveMetrics } from './live-metrics.ts'
import type { RunRecordOptions } from './measure.ts'
import { secretsOf } from './options/target.ts'
import type { BenchOptions } from './options.ts'
import { announceCost, findPrice, toCostBudget } from './price.ts'
import { decideRealtime } from './realtime.ts'
import { openReplay } from './replay.ts'
import { openReportFiles, type ReportWriter } from './report-files.ts'
import type { RunHooks } from './send.ts'
import { resolveObjectives, type SloObjectives } from './slo-objectives.ts'
import { armNames, type OpenTargets, openTargets, sharedBy } from './targets.ts'

/** A run that is ready to start, and what becomes of its report. */
export interface PreparedBench {
  plan: RunPlan
  /** Whoever runs the bench closes them. */
  open: OpenTargets
  record: RunRecordOptions
  question: BenchQuestion
  objectives: SloObjectives
  /** The noise of an A/A run on this rig. */
  noise: Noise | undefined
  /** As --floor says. */
  floor: boolean | undefined
  inconclusive: Inconclusive | undefined
  reports: ReportWriter
}

export async function prepareBench(
  { target, request, load, trace, verdict, output, watch: watched, fleet, shown }: BenchOptions,
  { note, interrupt }: Pick<RunHooks, 'note' | 'interrupt'>,
): Promise<PreparedBench> {
  const names = armNames(target)
  const reports = openReportFiles(output, names, note)
  const watch = openWatch(watched, note)
  const { budgets, question, noise } = readQuestion(verdict)
  const objectives = resolveObjectives(verdict, request, target)
  const realtime = decideRealtime(load.realtime, target.at === undefined, note)
  const replay = await openReplay(trace, request, { arms: names.length, interrupt })
  const served = await openLiveMetrics(output['metrics-listen'], note)
  const targets = await openTargets(target, request, note, {
    realtime,
    jitWarmup: warmsJit(load),
    interrupt,
    fleet,
  }).catch(async (error) => {
    await served?.close()
    await replay?.close()
    throw error
  })
  const close = async (): Promise<void> => {
    await targets.close()
    await served?.close()
  }
  const open = { ...targets, close }
  try {
    const { workloadSpec, timeoutMs, categoryTimeoutsUs } = objectives
    const within = { ...target, timeout: target.timeout ?? timeoutMs }
    const price = findPrice(load, request.model, open.targets)
    const costBudget = toCostBudget(load, price)
    const built = { ...buildPlan(within, workloadSpec, load, open.targets), costBudget, categoryTimeoutsUs, realtime }
    const plan = sharedBy(open.fleet, built)
    replay?.share(plan.workers ?? 1)
    printPreflight(plan, open.targets, note)
    noteTooFewBlocks(plan, note)
    announceCost([plan], price, note)
    const { samples, label: labels, 'otlp-traces': keep } = output
    const secrets = secretsOf(target)
    const record = { samples, budgets, shown, secrets, labels, price, watch, keep, served, replay }
    const { inconclusive } = output
    return { plan, open, record, question, objectives, noise, floor: verdict.floor, inconclusive, reports }
  } catch (error) {
    await Promise.all([open.close(), replay?.close()])
    throw error
  }
}
