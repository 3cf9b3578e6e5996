/** How a duration is distributed, in each arm: the share of requests within a time, and the tail, with intervals. */

import { readHistogram } from '../report/histogram-text.ts'
import type { DurationSummary, Run } from '../report/schema.ts'
import { isBlockMetric, isStampMetric, METRICS, type Metric } from '../slo/metrics.ts'
import type { Histogram } from '../stats/histogram.ts'
import { quantileBounds } from '../stats/quantile-interval.ts'
import { reader } from '../verdict/blocks.ts'
import type { Arm } from './arms.ts'
import { cell, formatOf } from './formats.ts'
import { type Cell, type Plot, type PlotTable, type Series, scaleFor } from './plot.ts'

const SHOWN = [
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
  ['p999', 0.999],
] as const
type Quantile = (typeof SHOWN)[number][0]

/** Of a 95 % interval, on each side. */
const TAIL = 0.025
const CDF_POINTS = 100
const TAIL_POINTS_PER_DECADE = 20
/** A tail begins at the median: one of two requests lies beyond it. */
const FIRST_BEYOND = 2
/** A logarithmic axis has no zero. */
const LEAST_MS = 0.001

interface Reading {
  arm: Arm
  summary: DurationSummary
  histogram: Histogram
  intervals: Partial<Record<Quantile, readonly [number, number | null]>>
}

/** The CDF and the tail, as plots; nothing where no arm has the metric. */
export function distributionPlots(metric: Metric, arms: readonly Arm[]): Plot[] {
  const readings = arms.flatMap((arm) => readingOf(metric, arm))
  if (readings.length === 0) return []
  // What the stamps of tokens tell is zero for most of them: only the tail of it shows anything.
  return isStampMetric(metric) ? [tail(metric, readings)] : [cdf(metric, readings), tail(metric, readings)]
}

function readingOf(metric: Metric, arm: Arm): Reading[] {
  const summary = arm.run[`${metric}Ms`]
  if (!summary) return []
  const histogram = readHistogram(summary.histogram)
  return [{ arm, summary, histogram, intervals: intervalsOf(metric, arm.run, summary) }]
}

/** By blocks, as verdicts read them; of a metric that no block holds, those for independent requests. */
function intervalsOf(metric: Metric, run: Run, summary: DurationSummary): Reading['intervals'] {
  const read = isBlockMetric(metric) ? reader(metric) : () => undefined
  const blocks = run.blocks.flatMap((block) => {
    const encoded = read(block)
    return encoded ? [readHistogram(encoded)] : []
  })
  if (!blocks.some(({ count }) => count > 0)) return summary.iid95
  const bounds = SHOWN.map(([name, q]) => {
    const { lowerUs, upperUs } = quantileBounds(blocks, q, TAIL)
    return [name, [lowerUs / 1_000, Number.isFinite(upperUs) ? upperUs / 1_000 : null]] as const
  })
  return Object.fromEntries(bounds)
}

function cdf(metric: Metric, readings: readonly Reading[]): Plot {
  const lines = readings.map(({ arm, histogram }): Series => {
    const shares = Array.from({ length: CDF_POINTS }, (_, index) => (index + 1) / CDF_POINTS)
    const points = shares.map((share) => [msAt(histogram, share), share] as const)
    return { kind: 'line', name: arm.name, color: arm.color, dashed: arm.dashed, points }
  })
  const name = nameOf(metric)
  return {
    id: `${metric}-cdf`,
    title: `${name}: share within a time`,
    says: sentence(name, readings),
    x: { name: `${name} (ms)`, unit: 'ms', scale: scaleOf(readings) },
    panels: [
      {
        y: { name: 'share within', unit: 'share', scale: 'linear', min: 0, max: 1 },
        series: [...lines, ...whiskers(readings, 'x')],
      },
    ],
    table: quantileTable(readings),
  }
}

function tail(metric: Metric, readings: readonly Reading[]): Plot {
  const lines = readings.map(({ arm, histogram }): Series => {
    const decades = Math.log10(Math.max(10, histogram.count / FIRST_BEYOND))
    const steps = Math.ceil(decades * TAIL_POINTS_PER_DECADE)
    const points = Array.from({ length: steps + 1 }, (_, index) => {
      const beyond = FIRST_BEYOND * 10 ** ((index / steps) * decades)
      return [beyond, msAt(histogram, 1 - 1 / beyond)] as const
    })
    return { kind: 'line', name: arm.name, color: arm.color, dashed: arm.dashed, points }
  })
  const name = nameOf(metric)
  return {
    id: `${metric}-tail`,
    title: `${name}: the tail`,
    says: `${sentence(name, readings)} Whiskers are 95 % intervals by blocks.`,
    x: { name: 'percentile', unit: 'percentile', scale: 'log', min: FIRST_BEYOND },
    panels: [
      {
        y: { name: `${name} (ms)`, unit: 'ms', scale: scaleOf(readings) },
        series: [...lines, ...whiskers(readings, 'y')],
      },
    ],
    table: quantileTable(readings),
  }
}

function msAt(histogram: Histogram, share: number): number {
  const us = share <= 0 ? histogram.minUs : histogram.quantileUs(Math.min(1, share))
  return Math.max(LEAST_MS, us / 1_000)
}

function scaleOf(readings: readonly Reading[]): 'linear' | 'log' {
  return scaleFor(readings.flatMap(({ histogram }) => [Math.max(1, histogram.quantileUs(0.01)), histogram.maxUs]))
}

/** Of P50, P90 and P99, where both ends are known. */
function whiskers(readings: readonly Reading[], along: 'x' | 'y'): Series[] {
  return readings.flatMap(({ arm, intervals, summary }): Series[] => {
    const items = SHOWN.flatMap(([name, q]) => {
      const [low, high] = intervals[name] ?? [0, null]
      if (high === null || high > summary.max || low < LEAST_MS) return []
      const at = along === 'x' ? q : 1 / (1 - q)
      return [{ at, low, high }]
    })
    return items.length === 0 ? [] : [{ kind: 'whiskers', name: `${arm.name}, 95 %`, color: arm.color, along, items }]
  })
}

function quantileTable(readings: readonly Reading[]): PlotTable {
  return {
    head: ['', 'requests', 'mean', ...SHOWN.flatMap(([name]) => [wordOf(name), '95 %']), 'max'],
    rows: readings.map(({ arm, summary, intervals }) => [
      arm.name,
      cell(summary.count, 'count'),
      cell(summary.mean, 'ms'),
      ...SHOWN.flatMap(([name]): Cell[] => [cell(summary[name], 'ms'), intervalText(intervals[name])]),
      cell(summary.max, 'ms'),
    ]),
  }
}

export function intervalText(interval: readonly [number, number | null] | undefined): string {
  if (!interval || (interval[0] === 0 && interval[1] === null)) return '-'
  const [low, high] = interval
  const format = formatOf('ms')
  return high === null ? `from ${format(low)}` : `${format(low)} to ${format(high)}`
}

function wordOf(quantile: Quantile): string {
  return quantile === 'p999' ? 'P99.9' : quantile.toUpperCase()
}

function nameOf(metric: Metric): string {
  return METRICS[metric].label.trim()
}

function sentence(name: string, readings: readonly Reading[]): string {
  const format = formatOf('ms')
  const parts = readings.map(({ arm, summary }) => `${arm.name} P50 ${format(summary.p50)}, P99 ${format(summary.p99)}`)
  return `${name}: ${parts.join('; ')}.`
}
