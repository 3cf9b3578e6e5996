/**
 * Readings made of coarse figures, such as whole milliseconds. Each may be wrong by up to `errorUs` either way, and not
 * by chance alone: a provider that always takes as long puts the same error into every one. So a PASS must hold if all
 * are too small by that, a FAIL if all are too large, and a limit below their unit is not judged at all.
 */
import { formatMs } from '../units.ts'

export interface Resolution {
  unitUs: number
  errorUs: number
}

/** Why a limit cannot be judged by such readings; undefined where it can. */
export function belowResolution(limitUs: number, resolution: Resolution | undefined): string | undefined {
  if (!resolution || limitUs >= resolution.unitUs) return undefined
  const unit = formatMs(resolution.unitUs / 1_000)
  return `the limit is below the resolution of the reading, ${unit} ms: it takes stamps or a direct arm`
}
