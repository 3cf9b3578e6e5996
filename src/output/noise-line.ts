/** The rig's own noise, in a line beside every verdict: no smaller difference can be told here. The same words in every output. Strings out. */

import { formatMs } from '../units.ts'
import type { Noise } from '../verdict/noise.ts'

export function noiseLine(noise: Noise | undefined): string {
  if (!noise) return "Noise of this rig: not known, the run has too few blocks; 'kt bench --aa' measures it."
  const { source, pairs, latencyMs, overheadMs } = noise
  const figures = [
    ...(latencyMs ? [`${bounds(latencyMs)} ms of latency`] : []),
    ...(overheadMs ? [`${bounds(overheadMs)} ms of overhead`] : []),
  ].join(', ')
  const how = source === 'aa' ? 'A/A' : "the run against itself; 'kt bench --aa' measures two arms"
  return `Noise of this rig: two equal arms differ at P99 by ${figures} (95 %, ${pairs} pairs of blocks, ${how}).`
}

function bounds([low, high]: readonly [number, number | null]): string {
  return `${formatMs(low)} to ${high === null ? 'inf' : formatMs(high)}`
}
