/** Bisection over whole numbers, which ranks, intervals and sample sizes share. */

/**
 * The first number in [low, high) for which `holds`, or `high`. `holds` must be false up to some number and true from
 * it on.
 */
export function firstWhere(low: number, high: number, holds: (value: number) => boolean): number {
  let from = low
  let to = high
  while (from < to) {
    const middle = Math.floor((from + to) / 2)
    if (holds(middle)) to = middle
    else from = middle + 1
  }
  return from
}
