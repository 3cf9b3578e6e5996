/** `kt bench compare` as a function. The command and the library compare through the same call. */

import { ciFlags } from '../output/ci.ts'
import { parseFlags } from '../parse/parse-flags.ts'
import type { BenchReport } from '../report/schema.ts'
import type { Comparison } from '../verdict/compare.ts'
import { COMPARE_RULES, compareFlags, compareSides, readSides } from '../verdict/compare-files.ts'
import { type OptionsOf, toFlags } from './options.ts'

export type { Comparison }

/** The flags of `kt bench compare`, in camelCase. */
export type CompareInput = Omit<OptionsOf<typeof compareFlags>, 'json' | 'explain'>

/**
 * Compares two reports, or the two arms of one: files or reports that are read already. Roles choose the question
 * (overhead or regression) unless `mode` does; `comparison.gate` is the verdict on it.
 */
export function compare(
  baseline: string | BenchReport,
  gateway?: string | BenchReport,
  input: CompareInput = {},
): Comparison {
  const flags = toFlags(input, compareFlags, 'compare()')
  const options = parseFlags(flags, { ...compareFlags, ...ciFlags }, 'kt bench compare', COMPARE_RULES)
  return compareSides(readSides({ baseline, gateway }), options)
}

export { compareSides as compareWith }
