/** `kt bench` as a whole: from checked options to a written report and a verdict. */
import { EXIT, type ExitCode, exitOf, UserError } from '../errors.ts'
import { assertCiWritable } from '../output/ci.ts'
import type { BenchReport, Gate, Verdict } from '../report/schema.ts'
import { splitReport } from '../report/split.ts'
import { assertWritable, resolveWritableTarget } from '../report/write-output.ts'
import { writeReports } from '../report/write-report.ts'
import { formatNumber } from '../units.ts'
import { toGate, undecidedCheck } from '../verdict/checks.ts'
import { readBudgets } from '../verdict/components.ts'
import { estimateNoise, readNoise } from '../verdict/noise.ts'
import { sloGate } from '../verdict/slo-file.ts'
import { parseMaxRegression, parseThresholds } from '../verdict/thresholds.ts'
import { buildPlan, printPreflight } from './build-plan.ts'
import { measureFloor, wantsFloor } from './floor.ts'
import { InterimAnalyses, judgeBench } from './judge-bench.ts'
import { type BenchRun, measure, type RunHooks } from './measure.ts'
import type { BenchOptions } from './option-schema.ts'
import { countMisses, judgeObjectives, resolveObjectives } from './slo-objectives.ts'
import { openTargets } from './targets.ts'

interface BenchResult extends BenchRun {
  /** The verdict on overhead and thresholds decides the exit code. */
  gated: boolean
  /** Every check that decides the exit code, the SLO objectives included; null when nothing was asked. */
  verdict: Gate | null
  exitCode: ExitCode
}

export async function bench(options: BenchOptions, hooks: RunHooks): Promise<BenchResult> {
  assertReportsWritable(options)
  assertCiWritable(options)
  const { totalMs, components } = readBudgets(options.budgets)
  const byFile = options.budgets !== undefined
  const budgetMs = options.budget ?? (byFile ? totalMs : undefined)
  const componentsMs = byFile ? components : {}
  const thresholds = parseThresholds(options.threshold)
  const regression = options['max-regression']
  const maxRegression = regression === undefined ? undefined : parseMaxRegression(regression)
  const aaNoise = options.noise === undefined ? undefined : readNoise(options.noise)
  const objectives = resolveObjectives(options)
  const open = await openTargets(options, hooks.note)
  try {
    const { workloadSpec, timeoutMs, categoryTimeoutsUs } = objectives
    const asked = { ...options, workloadSpec, timeout: options.timeout ?? timeoutMs }
    const plan = { ...buildPlan(asked, open.targets), categoryTimeoutsUs }
    printPreflight(plan, open.targets, hooks.note)
    const gated = budgetMs !== undefined || maxRegression !== undefined || thresholds.length > 0
    const judge = (report: BenchReport): Verdict | undefined => {
      const misses = countMisses(report, objectives)
      if (!options.aa) report.gate = judgeBench(report, { budgetMs, componentsMs, maxRegression, thresholds, misses })
      const slo = judgeObjectives(report, objectives)
      if (slo) report.slo = slo
      return verdictOf(report, gated)?.verdict
    }
    const analyses = new InterimAnalyses(plan.interimAnalyses ?? [], judge, hooks.note)
    const measured = await measure(plan, options, open, hooks, analyses.goOn)
    const { report } = measured
    if (wantsFloor(report, options, budgetMs !== undefined))
      report.client.floorMs = await measureFloor(plan, report, hooks.note, hooks.interrupt)
    analyses.end(report)
    const noise = aaNoise ?? estimateNoise(report, options.aa ? 'aa' : 'halves')
    if (noise) report.noise = noise
    const unwritten = await writeReports(reportFiles(report, options), hooks.note)
    if (options.json) noteFailure(report, hooks.note)
    const verdict = verdictOf(report, gated)
    return { ...measured, gated, verdict, exitCode: unwritten?.exitCode ?? exitCodeOf(report, verdict, options) }
  } finally {
    await open.close()
  }
}

function assertReportsWritable({ output, split }: BenchOptions): void {
  if (output === undefined) return
  assertWritable(output)
  if (!split) return
  if (resolveWritableTarget(output).kind !== 'file')
    throw new UserError(`--split writes files beside --output, and ${output} is not a file`, 'Give --output r.json.')
  for (const arm of ARMS) assertWritable(armPath(output, arm))
}

/** Report by file name: the run, and with --split each of its arms. */
function reportFiles(report: BenchReport, { output, split }: BenchOptions): Record<string, BenchReport> {
  if (output === undefined) return {}
  const arms = (split && splitReport(report)) || undefined
  return {
    [output]: report,
    ...(arms && Object.fromEntries(ARMS.map((arm) => [armPath(output, arm), arms[arm]]))),
  }
}

const ARMS = ['baseline', 'gateway'] as const

/** `r.json` -> `r.baseline.json` and `r.gateway.json`. */
function armPath(output: string, arm: string): string {
  return `${output.replace(/\.json$/, '')}.${arm}.json`
}

/** With --json no table says that every request failed. */
function noteFailure({ totals }: BenchReport, note: (line: string) => void): void {
  if (totals.successful > 0) return
  const classes = Object.entries(totals.outcomes).map(([code, count]) => `${formatNumber(count)} x ${code}`)
  note(`every request failed: ${classes.join(', ') || 'none was sent'}`)
}

function verdictOf({ gate, slo }: BenchReport, gated: boolean): Gate | null {
  const unmatched = undecidedCheck('goodput', '>=', 1, 'no request belongs to a category')
  const sloChecks = slo?.length === 0 ? [unmatched] : sloGate(slo ?? []).checks
  const judged = [...(gated ? (gate?.checks ?? []) : []), ...sloChecks]
  return judged.length === 0 ? null : toGate(judged)
}

/** Without a single answer nothing passes, whatever --inconclusive says. */
function exitCodeOf(
  { interrupted, totals }: BenchReport,
  verdict: Gate | null,
  { inconclusive }: BenchOptions,
): ExitCode {
  if (interrupted) return EXIT.interrupted
  if (totals.successful === 0) return verdict?.verdict === 'fail' ? EXIT.breached : EXIT.inconclusive
  return exitOf(verdict?.verdict ?? 'pass', inconclusive)
}
