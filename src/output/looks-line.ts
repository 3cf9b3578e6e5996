/** How often a run was judged, which look ended it and what each may err by, in a line: the same words in every output. Strings out. */
import type { BenchReport } from '../report/schema.ts'

export function looksLine({ planned, taken, alphaPass, alphaFail }: NonNullable<BenchReport['looks']>): string {
  const last = taken.at(-1)
  const at = taken.map(({ pairs }) => pairs).join(', ')
  const most = planned.at(-1) ?? 0
  const decided = last && last.verdict !== 'inconclusive' ? `decided at ${last.pairs}` : 'not decided'
  return `Judged after ${at} of at most ${most} pairs of blocks: ${decided}. Each look errs at most ${alphaPass} for a PASS and ${alphaFail} for a FAIL.`
}
