/**
 * The SLO objectives of a bench: one category for all requests (`--slo chat-short`), or for each request its own
 * (`--slo auto`). A mixed workload is classified by category even when no SLO was asked for, so that `kt slo check`
 * can judge its report later.
 */
import { UserError } from '../errors.ts'
import type { Run, SloResult } from '../report/schema.ts'
import type { Category } from '../slo/category.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { type CategoryRun, categoryRun, countMissedInAll, judgeSlos } from '../verdict/slo.ts'
import { chooseSlo, namedCategory, readSlo } from '../verdict/slo-file.ts'
import { reachableCategories, type WorkloadSpec } from '../workload/workload.ts'
import type { TargetOptions } from './options/target.ts'
import type { VerdictOptions } from './options/verdict.ts'

const AUTO = 'auto'

export interface SloObjectives {
  /** The verdict of the run depends on them. */
  judged: boolean
  categories: readonly Category[]
  /** What is sent; with its categories where requests are classified. */
  workloadSpec: WorkloadSpec
  /** The longest timeout of the categories; undefined where the user gave --timeout or where nothing is judged. */
  timeoutMs: number | undefined
  /** The timeout of each category, under the same conditions. */
  categoryTimeoutsUs: number[] | undefined
}

export function resolveObjectives(
  options: VerdictOptions,
  workloadSpec: WorkloadSpec,
  { timeout, header }: TargetOptions,
): SloObjectives {
  const { category, file } = chooseSlo(options)
  const known = readSlo(file)
  const asked = category ?? (file === undefined ? undefined : AUTO)
  const named = asked === undefined || asked === AUTO ? undefined : namedCategory(known, asked, '--slo')
  // A category given by name holds for every request, whatever its own rule says.
  const categories = named ? [{ ...named, match: {} }] : known
  const classified = { ...workloadSpec, categories, headers: Object.fromEntries(header) }
  const indexes = [...reachableCategories(classified)]
  const reached = indexes.flatMap((index) => categories[index] ?? [])
  if (asked === AUTO && reached.length === 0) {
    throw new UserError(
      '--slo auto: no category matches these requests',
      `Name one: --slo ${known.map(({ name }) => name).join(' | ')}; or add a rule to your file: --slo-file.`,
    )
  }
  const judged = asked !== undefined
  const setsTimeout = judged && timeout === undefined
  return {
    judged,
    categories,
    workloadSpec: judged || indexes.length > 1 ? classified : workloadSpec,
    timeoutMs: setsTimeout ? Math.max(...reached.map(({ timeoutMs }) => timeoutMs)) : undefined,
    categoryTimeoutsUs: setsTimeout ? categories.map(({ timeoutMs }) => timeoutMs * 1_000) : undefined,
  }
}

/** An entry for each category that has requests; undefined when no SLO was asked for. */
export function judgeObjectives(report: Run, objectives: SloObjectives): SloResult[] | undefined {
  return objectives.judged ? judgeSlos(categoryRuns(report, objectives)) : undefined
}

/** The requests that missed a target, by block: what a threshold on goodput is judged by. */
export function countMisses(report: Run, objectives: SloObjectives): BlockShare[] | undefined {
  return objectives.judged ? countMissedInAll(categoryRuns(report, objectives)) : undefined
}

function categoryRuns(report: Run, { categories }: SloObjectives): CategoryRun[] {
  return categories.flatMap((category) => categoryRun(report, category) ?? [])
}
