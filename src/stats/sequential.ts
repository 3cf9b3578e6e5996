/**
 * Looking more than once: a paired run may be judged after 10, 20, 40 and 80 pairs of blocks and end as soon as it is decided. Four
 * looks at one-sided 0.0125 err in at most 5 % of runs (Bonferroni; less in simulation, where a look at every block
 * from 10 to 80 errs in 21 %); a FAIL spends 0.001 a look. Every verdict is taken at these levels, a run with a single look too.
 */

/** Pairs of blocks after which a run is judged. */
export const LOOKS = [10, 20, 40, 80] as const

export const MOST_PAIRS = 80

/** The looks of a run that may be as long as `most` pairs; the last one is at its end. */
export function looksUpTo(most: number): number[] {
  return [...LOOKS.filter((look) => look < most), most]
}

/** How many pairs to have before the next look; undefined when the run is over: decided, or as long as it may be. */
export function nextLook(
  verdict: 'pass' | 'fail' | 'inconclusive',
  pairsDone: number,
  looks: readonly number[] = LOOKS,
): number | undefined {
  return verdict === 'inconclusive' ? looks.find((look) => look > pairsDone) : undefined
}
