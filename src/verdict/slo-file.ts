/** `kt slo check` from a file name to a judgement: reads, finds the categories, judges. */
import { EXIT, type ExitCode, exitOf, type Inconclusive, UserError } from '../errors.ts'
import { readReport } from '../report/read.ts'
import type { BenchReport, Gate, SloResult } from '../report/schema.ts'
import type { Category } from '../slo/category.ts'
import { type CategoryRun, categoryRun, uncategorised, wholeRun } from './category-run.ts'
import { gateOf } from './checks.ts'
import { type Noise, noiseOf } from './noise.ts'
import { categoryOfRun, judgeSlos } from './slo.ts'
import { namedCategory, readSlo } from './slo-categories.ts'

export const SLO_SCHEMA = 'kt.slo/1'

export interface SloJudgement {
  schema: typeof SLO_SCHEMA
  file: string
  startedAt: string
  /** How the categories were found: named, by the whole run's endpoint and prompt tokens, or request by request when it was measured. */
  categoryBy: 'name' | 'match' | 'request'
  requests: number
  /** Requests of no category: not judged. */
  uncategorised: number
  verdict: Gate['verdict']
  /** An entry for each category. */
  slo: SloResult[]
  /** Of the rig; null where the blocks do not tell. */
  noise: Noise | null
}

export function checkSlo(file: string, name?: string, sloPath?: string): SloJudgement {
  const categories = readSlo(sloPath)
  const named = name === undefined ? undefined : namedCategory(categories, name, '--category')
  const report = readReport(file)
  const runs = runsOf(report, categories, named, file)
  const slo = judgeSlos(runs)
  const split = runs.some((run) => run.report !== report)
  return {
    schema: SLO_SCHEMA,
    file,
    startedAt: report.startedAt,
    categoryBy: split ? 'request' : named ? 'name' : 'match',
    requests: report.totals.sent,
    uncategorised: split && !named ? uncategorised(report) : 0,
    verdict: sloGate(slo).verdict,
    slo,
    noise: report.noise ?? noiseOf(report, 'halves') ?? null,
  }
}

/** All checks of all categories; where there are several, each says whose it is. */
export function sloGate(slo: readonly SloResult[]): Gate {
  const alone = slo.length === 1
  return gateOf(
    slo.flatMap(({ category, checks }) =>
      checks.map((check) => (alone ? check : { ...check, why: `${category}: ${check.why}` })),
    ),
  )
}

/** A run without a single answer never passes. */
export function exitOfSlo({ slo, verdict }: SloJudgement, inconclusive?: Inconclusive): ExitCode {
  return exitOf(verdict, slo.some(({ goodput }) => goodput !== null) ? inconclusive : 'fail')
}

/** A mixed run by the categories of its requests, another by the one that is named or that matches it as a whole. */
function runsOf(
  report: BenchReport,
  categories: readonly Category[],
  named: Category | undefined,
  file: string,
): CategoryRun[] {
  if (named) return [categoryRun(report, named) ?? wholeRun(report, named)]
  const recorded = report.categories ?? []
  if (recorded.length > 0) {
    return recorded.flatMap(({ name }) => categoryRun(report, namedCategory(categories, name, file)) ?? [])
  }
  const category = categoryOfRun(report, categories)
  if (category) return [wholeRun(report, category)]
  throw new UserError(
    `${file}: no category matches these requests: their prompts' tokens were not counted, or no rule fits`,
    `Name one: --category ${categories.map((known) => known.name).join(' | ')}`,
    EXIT.usage,
  )
}
