/** What cannot be, seen in the figures of two runs: clocks that disagree, an answer before its time. Such runs get no verdict. */

import type { BenchReport, OverheadResult } from '../report/schema.ts'
import { formatMs, formatNumber, formatShare } from '../units.ts'

/** A request over a loopback socket and back, HTTP parsed on both sides, takes several times this. */
const FASTEST_MS = 0.02
/** One reading in a thousand below zero is rounding; more is a clock. */
const MOST_NEGATIVE = 0.001
/** How far a gateway may read under its floor before one of the two is wrong. */
const FLOOR_SHARE = 1.2
const FLOOR_MS = 0.2

/** The first thing found, in words; undefined when there is none. */
export function troubleIn(baseline: BenchReport | undefined, gateway: BenchReport): string | undefined {
  const sides: [string, BenchReport | undefined][] = [
    ['baseline', baseline],
    ['gateway', gateway],
  ]
  for (const [side, report] of sides) {
    const found = report && clockTrouble(side, report)
    if (found !== undefined) return found
  }
  return floorTrouble(baseline, gateway)
}

function clockTrouble(side: string, { latencyMs, overhead }: BenchReport): string | undefined {
  if (latencyMs && latencyMs.p50 < FASTEST_MS) {
    return `clock trouble: half of the ${side}'s requests took under ${FASTEST_MS} ms, which no network can do`
  }
  const below = overhead.find(({ negative, count }) => negative > MOST_NEGATIVE * count)
  if (!below) return undefined
  const { negative, count, definition } = below
  return `clock trouble: ${formatNumber(negative)} ${definition} readings of the ${side} (${formatShare(negative / count)}) lie below zero`
}

/** Through a gateway nothing is faster than without: then the floor, or what it is held against, was measured on another machine mood. */
function floorTrouble(baseline: BenchReport | undefined, gateway: BenchReport): string | undefined {
  const arm = gateway.arms.baseline
  const direct = arm ? arm.name === 'direct' && arm : baseline?.target.role === 'direct' && baseline
  const floor = direct ? stamped(direct.overhead)?.totalMs.p50 : undefined
  const reading = stamped(gateway.overhead)?.totalMs.p50
  if (floor === undefined || reading === undefined || floor <= reading * FLOOR_SHARE + FLOOR_MS) return undefined
  return `the gateway reads ${formatMs(reading)} ms at P50 and going direct ${formatMs(floor)} ms: it would be faster than its own floor`
}

function stamped(entries: readonly OverheadResult[]): OverheadResult | undefined {
  return entries.find(({ definition }) => definition === 'provider-stamped')
}
