/**
 * What a bench promises for its requests: the category that was named for all of them (`--slo chat-short`), or each request's own
 * (`--slo auto`). A mixed workload is told apart by category also where nothing was asked, so that `kt slo check` can judge it later.
 */
import { UserError } from '../errors.ts'
import type { BenchReport, SloResult } from '../report/schema.ts'
import type { Category } from '../slo/category.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { type CategoryRun, categoryRun } from '../verdict/category-run.ts'
import { judgeSlos, missedInAll } from '../verdict/slo.ts'
import { namedCategory, readSlo } from '../verdict/slo-categories.ts'
import type { WorkloadSpec } from '../workload/workload.ts'
import { reachableCategories } from '../workload/workload.ts'
import type { BenchOptions } from './option-schema.ts'

export const AUTO = 'auto'

export interface Promised {
  /** The run is judged by them. */
  judged: boolean
  categories: readonly Category[]
  /** What is sent, told apart where there is something to tell apart. */
  sends: WorkloadSpec
  /** For a whole request of any kind; undefined where the user said it, or where nothing is judged. */
  timeoutMs: number | undefined
  /** The same by category. */
  categoryTimeoutsUs: number[] | undefined
}

export function promisedBy({ sends, slo, timeout, header, ...options }: BenchOptions): Promised {
  const known = readSlo(options['slo-file'])
  const asked = slo ?? (options['slo-file'] === undefined ? undefined : AUTO)
  const named = asked === undefined || asked === AUTO ? undefined : namedCategory(known, asked, '--slo')
  // By name it is every request's, whatever its own rule says.
  const categories = named ? [{ ...named, match: {} }] : known
  const told = { ...sends, categories, headers: Object.fromEntries(header) }
  const places = [...reachableCategories(told)]
  const reached = places.flatMap((place) => categories[place] ?? [])
  if (asked === AUTO && reached.length === 0) {
    throw new UserError(
      '--slo auto: no category matches these requests',
      `Name one: --slo ${known.map(({ name }) => name).join(' | ')}; or add a rule to your file: --slo-file.`,
    )
  }
  const judged = asked !== undefined
  const own = judged && timeout === undefined
  return {
    judged,
    categories,
    sends: judged || places.length > 1 ? told : sends,
    timeoutMs: own ? Math.max(...reached.map(({ timeoutMs }) => timeoutMs)) : undefined,
    categoryTimeoutsUs: own ? categories.map(({ timeoutMs }) => timeoutMs * 1_000) : undefined,
  }
}

/** An entry for each category that requests were of; undefined when none was asked for. */
export function keptPromises(report: BenchReport, promised: Promised): SloResult[] | undefined {
  return promised.judged ? judgeSlos(runsOf(report, promised)) : undefined
}

/** For a threshold on goodput. */
export function missedTargets(report: BenchReport, promised: Promised): BlockShare[] | undefined {
  return promised.judged ? missedInAll(runsOf(report, promised)) : undefined
}

function runsOf(report: BenchReport, { categories }: Promised): CategoryRun[] {
  return categories.flatMap((category) => categoryRun(report, category) ?? [])
}
