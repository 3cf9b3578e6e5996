/** `kt slo check` from a file name to a judgement: reads, finds the category, judges. */
import { UserError } from '../errors.ts'
import { namedCategory, readSlo } from '../input/slo.ts'
import { readReport } from './read.ts'
import type { SloResult } from './schema.ts'
import { categoryOfRun, judgeSlo } from './slo.ts'

export const SLO_SCHEMA = 'kt.slo/1'

export interface SloJudgement {
  schema: typeof SLO_SCHEMA
  file: string
  startedAt: string
  /** How the category was found. */
  categoryBy: 'name' | 'match'
  requests: number
  slo: SloResult
}

export function checkSlo(file: string, name?: string, sloPath?: string): SloJudgement {
  const categories = readSlo(sloPath)
  const named = name === undefined ? undefined : namedCategory(categories, name, '--category')
  const report = readReport(file)
  const category = named ?? categoryOfRun(report, categories)
  if (!category) {
    throw new UserError(
      `${file}: no category matches these requests: their prompts' tokens were not counted, or no rule fits`,
      `Name one: --category ${categories.map((known) => known.name).join(' | ')}`,
    )
  }
  return {
    schema: SLO_SCHEMA,
    file,
    startedAt: report.startedAt,
    categoryBy: named ? 'name' : 'match',
    requests: report.totals.sent,
    slo: judgeSlo(report, category),
  }
}
