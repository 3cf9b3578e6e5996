/**
 * Where a run becomes steady: MSER (White 1997, Simulation 69). The truncation point is the one whose remainder has the smallest
 * standard error of its mean: leaving a warm-up in makes the spread large, leaving too much out makes the sample small. A
 * point in the second half means that no steady state was reached.
 */

export interface Steady {
  /** How many values to leave out at the beginning. */
  skip: number
  steady: boolean
}

const FEWEST = 5

/** `values`: one mean a block, in order. */
export function steadyFrom(values: readonly number[]): Steady {
  if (values.length < 2 * FEWEST) return { skip: 0, steady: true }
  let best = { skip: 0, score: Number.POSITIVE_INFINITY }
  for (let skip = 0; skip <= values.length - FEWEST; skip++) {
    const rest = values.slice(skip)
    const mean = rest.reduce((sum, value) => sum + value, 0) / rest.length
    const squares = rest.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    const score = squares / rest.length ** 2
    if (score < best.score) best = { skip, score }
  }
  return { skip: best.skip, steady: best.skip <= values.length / 2 }
}
