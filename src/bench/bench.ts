/** `kt bench` as a whole: from a prepared run to a written report and a verdict. */
import { EXIT, type ExitCode, exitOf, type Inconclusive } from '../errors.ts'
import { beside } from '../output/progress.ts'
import { runsOf } from '../report/runs.ts'
import type { BenchReport, Gate, Verdict } from '../report/schema.ts'
import { now } from '../system/clock.ts'
import { withAbort } from '../verdict/aborted.ts'
import { toGate, undecidedCheck } from '../verdict/checks.ts'
import { withFleet } from '../verdict/fleet.ts'
import { estimateNoise } from '../verdict/noise.ts'
import { rankGateways } from '../verdict/rank.ts'
import { sloGate } from '../verdict/slo-file.ts'
import { addFloors, measureFloor, wantsFloor } from './floor.ts'
import { InterimAnalyses, judgeBench } from './judge-bench.ts'
import { askedLive, NOTHING_ASKED } from './live.ts'
import { type BenchRun, measure } from './measure.ts'
import type { PreparedBench } from './prepare.ts'
import { exitOfSamples } from './sample-file.ts'
import type { RunHooks } from './send.ts'
import { countMisses, judgeObjectives } from './slo-objectives.ts'
import { findThroughputLimit } from './throughput-limit.ts'

export interface BenchResult extends BenchRun {
  /** Every check that decides the exit code, the SLO objectives included; null when nothing was asked. */
  verdict: Gate | null
  exitCode: ExitCode
}

export async function bench(run: PreparedBench, hooks: RunHooks): Promise<BenchResult> {
  const { plan, open, question, objectives, inconclusive } = run
  const startUs = now()
  try {
    const judge = (report: BenchReport): Verdict | undefined => {
      const runs = runsOf(report)
      const [judged] = runs
      const misses = countMisses(judged, objectives)
      if (!open.aa) report.gate = judgeBench(runs, { ...question, misses })
      report.gate = withFleet({ ...report, gate: withAbort(report) })
      const slo = judgeObjectives(judged, objectives)
      if (slo) report.slo = slo
      return verdictOf(report)?.verdict
    }
    const analyses = new InterimAnalyses(plan.interimAnalyses ?? [], judge, hooks.note)
    const asked = open.aa ? NOTHING_ASKED : askedLive(question, objectives)
    const measured = await measure(plan, run.record, open, hooks, analyses.goOn, asked)
    const { report } = measured
    const runs = runsOf(report)
    const [primary] = runs
    if (!hooks.interrupt.aborted) hooks.progress(beside('probing'), { arms: [] })
    if (wantsFloor(primary, run.floor, question.budgetMs !== undefined)) {
      report.client.floorMs = await measureFloor(plan, primary, hooks.note, hooks.interrupt, open.fleet)
      if (report.fleet && open.fleet) addFloors(report.fleet, open.fleet.members)
    }
    const fastest = runs.toSorted((a, b) => b.throughput.requestsPerSec - a.throughput.requestsPerSec)[0] ?? primary
    const limit = await findThroughputLimit(plan, fastest, question.thresholds, hooks.note, hooks.interrupt, open.fleet)
    if (limit) report.client.throughputLimit = limit
    analyses.end(report)
    const noise = run.noise ?? estimateNoise(primary, open.aa ? 'aa' : 'halves')
    if (noise) report.noise = noise
    const ranking = rankGateways(runs)
    if (ranking) report.ranking = ranking
    report.tookS = Math.round((now() - startUs) / 1e4) / 100
    const unwritten = await run.reports.write(report, hooks.note)
    const verdict = verdictOf(report)
    const exitCode = unwritten?.exitCode ?? exitOfSamples(report.samples) ?? exitCodeOf(measured, verdict, inconclusive)
    return { ...measured, verdict, exitCode }
  } finally {
    await Promise.all([open.close(), run.record.replay?.close()])
  }
}

function verdictOf({ gate, slo }: BenchReport): Gate | null {
  const unmatched = undecidedCheck('goodput', '>=', 1, 'no request belongs to a category')
  const sloChecks = slo?.length === 0 ? [unmatched] : sloGate(slo ?? []).checks
  const judged = [...(gate?.checks ?? []), ...sloChecks]
  return judged.length === 0 ? null : toGate(judged)
}

/** Without a single answer, or where one arm refuses, nothing passes, whatever --inconclusive says. */
function exitCodeOf(
  { report, stopped }: BenchRun,
  verdict: Gate | null,
  inconclusive: Inconclusive | undefined,
): ExitCode {
  if (report.interrupted) return EXIT.interrupted
  const answered = runsOf(report).some(({ totals }) => totals.successful > 0)
  if (!answered || stopped === 'refused') return verdict?.verdict === 'fail' ? EXIT.breached : EXIT.inconclusive
  return exitOf(verdict?.verdict ?? 'pass', inconclusive)
}
