/**
 * What one worker passes, from runs that kept their workers busy: workers = a x input + b x output, with a = 1 / I_w and b = 1 / O_w.
 * Least squares over the relative error, neither cost below zero. Two mixes of input and output at least, or a and b cannot be
 * told apart: then R is kept and only O_w is taken.
 */

export interface CapacityPoint {
  workers: number
  inputTokensPerSec: number
  outputTokensPerSec: number
  relativeError: number
}

export interface WorkerCosts {
  /** Worker-seconds a token. */
  input: number
  output: number
}

/** Mixes whose input:output ratios differ by less are one mix. */
const DISTINCT_MIX = 1.5

export function identifiable(points: readonly CapacityPoint[]): boolean {
  const ratios = points.map(
    ({ inputTokensPerSec, outputTokensPerSec }) => inputTokensPerSec / Math.max(outputTokensPerSec, 1e-9),
  )
  return Math.max(...ratios) / Math.min(...ratios) >= DISTINCT_MIX
}

/** Undefined where the data give one of the costs as zero: the mixes are too near, or something else bound. */
export function workerCosts(points: readonly CapacityPoint[]): WorkerCosts | undefined {
  // Each point says a x + b y = 1.
  let [xx, xy, yy, x1, y1] = [0, 0, 0, 0, 0]
  for (const { workers, inputTokensPerSec, outputTokensPerSec } of points) {
    const [x, y] = [inputTokensPerSec / workers, outputTokensPerSec / workers]
    xx += x * x
    xy += x * y
    yy += y * y
    x1 += x
    y1 += y
  }
  const determinant = xx * yy - xy * xy
  if (!(determinant > 1e-9 * xx * yy)) return undefined
  const input = (yy * x1 - xy * y1) / determinant
  const output = (xx * y1 - xy * x1) / determinant
  return input > 0 && output > 0 ? { input, output } : undefined
}

/** With R kept: b = mean of workers / equivalent output, weighted like the fit above. */
export function workerCostsWithRatio(points: readonly CapacityPoint[], ratio: number): WorkerCosts {
  const loads = points.map(
    ({ workers, inputTokensPerSec, outputTokensPerSec }) => (inputTokensPerSec / ratio + outputTokensPerSec) / workers,
  )
  const output = loads.reduce((sum, load) => sum + load, 0) / loads.reduce((sum, load) => sum + load * load, 0)
  return { input: output / ratio, output }
}
