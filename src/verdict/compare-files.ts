/** `kt bench compare` from file names and flags to a comparison: reads the reports, checks the flags, compares. */
import { UserError } from '../errors.ts'
import { durationMs } from '../parse/quantity.ts'
import { readReport } from '../report/read.ts'
import type { BenchReport } from '../report/schema.ts'
import { splitReport } from '../report/split.ts'
import { type Comparison, compareReports } from './compare.ts'
import { readBudgets } from './components.ts'
import { readNoise } from './noise.ts'
import { type Mode, toPair } from './pair.ts'
import { parseMaxRegression, parseThresholds } from './thresholds.ts'
import { MAX_REGRESSION } from './verdict.ts'

interface CompareFlags {
  mode?: Mode | undefined
  budget?: string | undefined
  budgets?: string | undefined
  'max-regression'?: string | undefined
  threshold?: string[] | undefined
  noise?: string | undefined
  'allow-different': boolean
  'no-gate': boolean
}

export function compareFiles(
  files: { baseline: string; gateway?: string | undefined },
  flags: CompareFlags,
): Comparison {
  const thresholds = parseThresholds(flags.threshold ?? [])
  const budgets = readBudgets(flags.budgets)
  const budgetMs = flags.budget === undefined ? budgets.totalMs : limitOf(flags.budget)
  const asked = flags['max-regression']
  const maxRegression = asked === undefined ? MAX_REGRESSION : parseMaxRegression(asked)
  const { baseline, gateway } = readBoth(files)
  const { mode } = toPair(baseline, gateway, flags.mode)
  const budgetAsked = flags.budget !== undefined || flags.budgets !== undefined
  if (mode === 'regression' && budgetAsked) throw otherMode('a budget', mode, '--max-regression', 'overhead')
  if (mode === 'overhead' && asked !== undefined) throw otherMode('--max-regression', mode, '--budget', 'regression')
  return compareReports(baseline, gateway, {
    files: { baseline: files.baseline, gateway: files.gateway ?? files.baseline },
    mode: flags.mode,
    budgetMs,
    componentsMs: flags.budgets === undefined ? {} : budgets.components,
    componentBudgetsMs: { ...budgets.components, total: budgets.totalMs },
    maxRegression,
    thresholds,
    primary: thresholds.length === 0 || budgetAsked || asked !== undefined,
    allowDifferent: flags['allow-different'],
    noGate: flags['no-gate'],
    noise: flags.noise === undefined ? undefined : readNoise(flags.noise),
  })
}

function readBoth(files: { baseline: string; gateway?: string | undefined }): {
  baseline: BenchReport
  gateway: BenchReport
} {
  const first = readReport(files.baseline)
  if (files.gateway !== undefined) return { baseline: first, gateway: readReport(files.gateway) }
  const arms = splitReport(first)
  if (arms) return arms
  throw new UserError(
    `${files.baseline} holds one arm: there is nothing to compare it with`,
    'Name the report of the other run too: kt bench compare baseline.json gateway.json',
  )
}

function otherMode(given: string, mode: Mode, right: string, other: Mode): UserError {
  return new UserError(
    `${given} does not go with mode ${mode}, which follows from the roles in the reports`,
    `Give ${right}, or --mode ${other}.`,
  )
}

function limitOf(text: string): number {
  const parsed = durationMs.safeParse(text)
  if (parsed.success) return parsed.data
  throw new UserError(`--budget: ${parsed.error.issues[0]?.message}`, "Give a duration such as '7ms'.")
}
