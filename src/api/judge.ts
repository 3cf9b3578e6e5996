/** The verdict on a finished report, as `kt bench` gives it on its own run. */
import { judgeBench, readQuestion } from '../bench/judge-bench.ts'
import { verdictFlags } from '../bench/options/verdict.ts'
import { parseFlags } from '../parse/parse-flags.ts'
import { runsOf } from '../report/runs.ts'
import type { BenchReport, Gate } from '../report/schema.ts'
import { type OptionsOf, toFlags } from './options.ts'

/** An SLO needs its categories when requests are made: give it to bench(), or use `kt slo check`. */
const { slo: _, 'slo-file': __, floor: ___, noise: ____, ...judgeFlags } = verdictFlags

/** The limits of `kt bench`, in camelCase: budget, budgetHold, budgetFile, threshold, maxRegression. */
export type JudgeInput = OptionsOf<typeof judgeFlags>

/** Null where nothing was asked: a verdict belongs to a question. */
export function judge(report: BenchReport, input: JudgeInput): Gate | null {
  const flags = toFlags(input, judgeFlags, 'judge()')
  const { question } = readQuestion(parseFlags(flags, judgeFlags, 'kt bench'))
  return judgeBench(runsOf(report), question)
}
