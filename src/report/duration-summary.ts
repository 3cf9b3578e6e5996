/** Summarises histograms of microseconds as a report holds them: milliseconds at the usual quantiles. */
import type { Histogram } from '../stats/histogram.ts'
import { orderIntervalUs } from '../stats/quantile-interval.ts'
import { writeHistogram } from './histogram-text.ts'
import type { DurationSummary } from './schema.ts'

/** Microseconds to milliseconds, three decimals. */
export function toMs(us: number): number {
  return Math.round(us) / 1_000
}

/** Undefined when nothing was recorded: an absent metric is never a row of zeros. */
export function summarizeDurations(histogram: Histogram): DurationSummary | undefined {
  if (histogram.count === 0) return undefined
  return {
    count: histogram.count,
    mean: toMs(histogram.meanUs),
    min: toMs(histogram.minUs),
    stdDev: toMs(histogram.deviationUs),
    ...quantilesMs(histogram),
    p999: toMs(histogram.quantileUs(0.999)),
    iid95: { p50: intervalMs(orderIntervalUs(histogram, 0.5)), p99: intervalMs(orderIntervalUs(histogram, 0.99)) },
    histogram: writeHistogram(histogram),
  }
}

export function quantilesMs(histogram: Histogram): { p50: number; p90: number; p95: number; p99: number; max: number } {
  return {
    p50: toMs(histogram.quantileUs(0.5)),
    p90: toMs(histogram.quantileUs(0.9)),
    p95: toMs(histogram.quantileUs(0.95)),
    p99: toMs(histogram.quantileUs(0.99)),
    max: toMs(histogram.maxUs),
  }
}

/** [lower, upper] in milliseconds; an open upper end is null, as JSON has no infinity. */
export function intervalMs([lowerUs, upperUs]: readonly [number, number]): [number, number | null] {
  return [toMs(lowerUs), Number.isFinite(upperUs) ? toMs(upperUs) : null]
}
