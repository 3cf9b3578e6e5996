/** A run that is judged at its looks until decided, as the runner does it (src/bench/judge-bench.ts), without the run. */
import { INTERIM_ANALYSES, nextAnalysis } from '../../src/stats/gate.ts'

type Verdict = 'pass' | 'fail' | 'inconclusive'

/** The verdict that ended it, and after how many pairs of blocks. */
export function decideAtLooks(
  judge: (pairs: number) => Verdict,
  looks: readonly number[] = INTERIM_ANALYSES,
): { verdict: Verdict; pairs: number } {
  let pairs = looks[0] ?? 0
  for (;;) {
    const verdict = judge(pairs)
    const next = nextAnalysis(verdict, pairs, looks)
    if (next === undefined) return { verdict, pairs }
    pairs = next
  }
}
