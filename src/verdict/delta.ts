/**
 * Judges by how much a quantile of one run exceeds that of another: block by block for a paired run, otherwise as two
 * independent runs with a margin for the drift of the machine. Thresholds and the regression gate share it.
 */

import type { OverheadDefinition } from '../report/schema.ts'
import type { DurationMetric } from '../slo/metrics.ts'
import { judgeDifference } from '../stats/difference-gate.ts'
import type { GateResult } from '../stats/gate.ts'
import { Histogram } from '../stats/histogram.ts'
import { judgePaired } from '../stats/paired-gate.ts'
import { belowResolution, type Resolution } from '../stats/resolution.ts'
import { blockPairs, gateBlocks, hasValues, reader } from './blocks.ts'
import { toMicroseconds } from './checks.ts'
import { findReading, worseClient } from './judge-overhead.ts'
import type { Pair } from './pair.ts'

type Source = Exclude<DurationMetric, 'overhead'> | OverheadDefinition

/** The reading of the overhead that both runs carry; undefined when there is none. */
export function sharedDefinition({ baseline, gateway }: Pair): OverheadDefinition | undefined {
  const order: OverheadDefinition[] = ['provider-stamped', 'upstream-reported', 'self-reported']
  return order.find((definition) => findReading(baseline, definition) && findReading(gateway, definition))
}

/** Where `metric` is read from in both runs; undefined when one of them has no samples of it. */
export function sharedSource(pair: Pair, metric: DurationMetric): Source | undefined {
  if (metric === 'overhead') return sharedDefinition(pair)
  const has = (report: Pair['baseline']) => hasValues(gateBlocks(report, reader(metric)))
  return has(pair.baseline) && has(pair.gateway) ? metric : undefined
}

/** How much worse the gateway's quantile may be than `us`, the baseline's. */
interface Allowance {
  ms: number
  /** As a share of the baseline's quantile. The larger of `ms` and `share` holds. */
  share: number
}

interface DeltaResult {
  result: GateResult
  /** The allowance in milliseconds. */
  limitMs: number
}

export function judgeDelta(
  pair: Pair,
  source: Source,
  quantile: number,
  allowance: Allowance,
  alphaFail: number,
): DeltaResult {
  const read = reader(source)
  const allowedUs = (us: number): number => Math.max(allowance.ms * 1_000, allowance.share * us)
  const client = worseClient(pair.baseline.client.verdict, pair.gateway.client.verdict)
  const baseline = gateBlocks(pair.baseline, read)
  const values = baseline.map((block) => block.values)
  const baselineUs = Histogram.merge(values, values[0]?.digits).quantileUs(quantile)
  const limitUs = Math.round(allowedUs(Number.isNaN(baselineUs) ? 0 : baselineUs))
  const common = { client, quantile, alphaFail }
  const tooFine = belowResolution(limitUs, coarsest(pair, source))
  if (tooFine !== undefined) {
    const result = { verdict: 'inconclusive', why: tooFine, p99Us: null, ci95Us: null } as const
    return { result, limitMs: limitUs / 1_000 }
  }
  const result = pair.paired
    ? judgePaired({
        ...common,
        pairs: blockPairs(pair.baseline, pair.gateway, read),
        limit: (us) => us + allowedUs(us),
      })
    : judgeDifference({ ...common, baseline, gateway: gateBlocks(pair.gateway, read), limitUs })
  return { result, limitMs: limitUs / 1_000 }
}

/** The coarser of the two readings, where one is coarse: their difference is no finer. */
function coarsest({ baseline, gateway }: Pair, source: Source): Resolution | undefined {
  return [baseline, gateway]
    .flatMap(({ overhead }) => overhead.find(({ definition }) => definition === source)?.resolution ?? [])
    .map(toMicroseconds)
    .toSorted((a, b) => b.unitUs - a.unitUs)[0]
}
