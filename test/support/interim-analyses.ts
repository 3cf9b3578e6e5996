/** Judges at interim analyses until decided, as src/bench/judge-bench.ts does, without a run. */
import { INTERIM_ANALYSES, nextAnalysis } from '../../src/stats/gate.ts'

type Verdict = 'pass' | 'fail' | 'inconclusive'

/** The verdict that ended it, and after how many pairs of blocks. */
export function decideAtAnalyses(
  judge: (pairs: number) => Verdict,
  analyses: readonly number[] = INTERIM_ANALYSES,
): { verdict: Verdict; pairs: number } {
  let pairs = analyses[0] ?? 0
  for (;;) {
    const verdict = judge(pairs)
    const next = nextAnalysis(verdict, pairs, analyses)
    if (next === undefined) return { verdict, pairs }
    pairs = next
  }
}
