/**
 * kt as a library: `import { bench, sweep, compare, plan, readReport, judge } from 'kt-bench'`. Everything that this
 * file exports is kept as the command line is; what lies under other paths of the package may change at any time.
 */
export { EXIT, type ExitCode, UserError } from '../errors.ts'
export { readReport } from '../report/read.ts'
export type { ArmResult, BenchReport, Check, Gate, Verdict } from '../report/schema.ts'
export { type BenchHooks, type BenchInput, type BenchResult, bench } from './bench.ts'
export { type CompareInput, type Comparison, compare } from './compare.ts'
export { type JudgeInput, judge } from './judge.ts'
export { type Plan, type PlanInput, plan } from './plan.ts'
export {
  type SweepHooks,
  type SweepInput,
  type SweepLevel,
  type SweepReport,
  type SweepResult,
  sweep,
} from './sweep.ts'
