/** Bisection over whole numbers, shared by ranks, intervals and sample sizes. */

/** The first number in [low, high) for which `holds`, or `high`. `holds` must be false first and true from some point on. */
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
