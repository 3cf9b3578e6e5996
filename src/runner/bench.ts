/** `kt bench`, whole: from checked options to a written report and a verdict. */
import { EXIT, type ExitCode } from '../errors.ts'
import { readBudgets } from '../report/budgets.ts'
import { judgeOverhead, undecided } from '../report/judge.ts'
import type { BenchReport } from '../report/schema.ts'
import { assertWritable, writeAtomically } from '../report/write.ts'
import { formatNumber } from '../units.ts'
import { type Measured, measure, type RunHooks } from './measure.ts'
import type { BenchOptions } from './options.ts'
import { announce, planOf } from './plan-of.ts'
import { openTargets } from './targets.ts'

export interface BenchResult extends Measured {
  exitCode: ExitCode
}

export async function bench(options: BenchOptions, hooks: RunHooks): Promise<BenchResult> {
  if (options.output !== undefined) assertWritable(options.output)
  const open = await openTargets(options, hooks.note)
  try {
    const plan = planOf(options, open.targets)
    announce(plan, open.targets, hooks.note)
    const measured = await measure(plan, options, open, hooks)
    const { report } = measured
    report.gate = judge(report, options.budget, readBudgets().totalMs)
    if (options.output !== undefined) writeAtomically(options.output, `${JSON.stringify(report, null, 2)}\n`)
    if (options.json) noteFailure(report, hooks.note)
    return { ...measured, exitCode: exitCodeOf(report, options.budget !== undefined) }
  } finally {
    await open.close()
  }
}

/** Judged whenever there is a reading of the overhead; without one only a budget that was asked for is left undecided. */
function judge(report: BenchReport, asked: number | undefined, standard: number): BenchReport['gate'] {
  const budgetMs = asked ?? standard
  if (report.target.role === 'direct') {
    return asked === undefined
      ? null
      : undecided('overhead.p99', budgetMs, 'the target is the provider itself, no gateway')
  }
  const gate = judgeOverhead(report, undefined, budgetMs)?.gate
  if (gate || asked === undefined) return gate ?? null
  return undecided('overhead.p99', budgetMs, 'no request carries a reading of the overhead')
}

/** For --json, where no table says it. */
function noteFailure({ totals }: BenchReport, note: (line: string) => void): void {
  if (totals.successful > 0) return
  const classes = Object.entries(totals.outcomes).map(([code, count]) => `${formatNumber(count)} x ${code}`)
  note(`every request failed: ${classes.join(', ') || 'none was sent'}`)
}

function exitCodeOf(report: BenchReport, gated: boolean): ExitCode {
  if (report.interrupted) return EXIT.interrupted
  if (report.totals.successful === 0) return EXIT.inconclusive
  if (!gated || report.gate === null) return EXIT.passed
  return { pass: EXIT.passed, fail: EXIT.breached, inconclusive: EXIT.inconclusive }[report.gate.verdict]
}
