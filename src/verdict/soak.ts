/**
 * What a long run says of growth: the slope of the memory of each watched process, and the drift of the latency of each
 * arm. Blocks are what tells of an arm by itself, whole and however long the run is, also where two arms take turns.
 */

import { readHistogram } from '../report/histogram-text.ts'
import type { BenchReport, Block } from '../report/schema.ts'
import type { Soak, SoakTrend } from '../report/soak-schema.ts'
import type { WatchedProcess } from '../report/watch-schema.ts'
import { mean } from '../stats/means.ts'
import { FEWEST_POINTS, type Point, robustTrend, type Trend } from '../stats/robust-trend.ts'

/**
 * Compilers, heaps, pools and caches settle within minutes, and until then memory grows where nothing leaks. A quarter
 * of half an hour is long enough for that, and twenty windows of a minute are left to judge.
 */
export const SHORTEST_S = 30 * 60
const SETTLING = 1 / 4
/** Collections of garbage come seconds apart: a shorter window would show their saw teeth. */
const SHORTEST_WINDOW_S = 60
const MOST_WINDOWS = 60
/** An arm's P99 needs as many requests in a block. */
const FEWEST_FOR_P99 = 100
const CONFIDENCE = 0.99
/**
 * Of a steady growth the latter half has as much an hour as the whole; of one that levels off it has less than this.
 */
const LASTING = 1 / 2
/** By less an hour, nothing matters: memory then doubles in four days, and a latency in almost one. */
const MATTERS: Readonly<Record<SoakTrend['of'], number>> = { memory: 0.01, p50: 0.05, p99: 0.05 }

type Measured = Pick<BenchReport, 'series' | 'processes' | 'arms' | 'load'>

/** Undefined where the run is too short to tell. */
export function judgeSoak(report: Measured, shortestS = SHORTEST_S): Soak | undefined {
  const lengthS = (report.series.at(-1)?.second ?? -1) + 1
  if (lengthS === 0 || lengthS < shortestS) return undefined
  const leftOutS = Math.round(lengthS * SETTLING)
  // What a load changes by itself is no drift.
  const arms = report.load.stages === undefined ? report.arms : []
  const trends = [
    ...(report.processes ?? []).map((process) =>
      judgeTrend('memory', process.name, windows(process, leftOutS, lengthS, shortestS)),
    ),
    ...arms.flatMap(({ name, blocks }) => {
      const settled = blocks.filter(({ startedAtS }) => startedAtS >= leftOutS)
      return [
        judgeTrend('p50', name, quantiles(settled, 0.5, 1)),
        judgeTrend('p99', name, quantiles(settled, 0.99, FEWEST_FOR_P99)),
      ]
    }),
  ]
  return trends.length === 0 ? undefined : { leftOutS, trends }
}

/** Means of memory in MiB. A run whose minimum was lowered has windows that are shorter in the same measure. */
function windows({ readings }: WatchedProcess, fromS: number, toS: number, shortestS: number): Point[] {
  const shortest = SHORTEST_WINDOW_S * Math.min(1, shortestS / SHORTEST_S)
  const width = Math.ceil(Math.max(shortest, (toS - fromS) / MOST_WINDOWS))
  // The second that the run ended in is no whole one, so a window that is not full is left out.
  const full = readings.filter(({ second }) => second >= fromS && second < toS - ((toS - fromS) % width))
  const groups = Map.groupBy(full, ({ second }) => Math.floor((second - fromS) / width))
  return [...groups.values()].map((group) => ({
    x: mean(group.map(({ second }) => second)),
    y: mean(group.map(({ rssBytes }) => rssBytes / 1024 ** 2)),
  }))
}

/** In milliseconds, at the middle of each block. */
function quantiles(blocks: readonly Block[], quantile: number, fewest: number): Point[] {
  return blocks.flatMap(({ startedAtS, machine, latency }) => {
    const histogram = readHistogram(latency)
    const x = startedAtS + (machine?.spanMs ?? 0) / 2_000
    return histogram.count < fewest ? [] : [{ x, y: histogram.quantileUs(quantile) / 1_000 }]
  })
}

function judgeTrend(of: SoakTrend['of'], name: string, points: readonly Point[]): SoakTrend {
  const [first, last] = [points[0], points.at(-1)]
  const trend = points.length < FEWEST_POINTS ? undefined : robustTrend(points, { confidence: CONFIDENCE })
  const about = { of, name, values: points.length }
  if (!trend || !first || !last) {
    const none = { line: null, perHour: null, perHour99: null, perHourShare: null, p: null }
    const what = of === 'memory' ? 'windows' : of === 'p99' ? `blocks of ${FEWEST_FOR_P99} requests` : 'blocks'
    const why = `it takes ${FEWEST_POINTS} ${what}, and ${points.length} are there to judge`
    return { ...about, ...none, verdict: 'cannot-tell', why }
  }
  const at = (x: number): number => rounded(trend.intercept + trend.slope * x)
  const line = { fromS: rounded(first.x), toS: rounded(last.x), from: at(first.x), to: at(last.x) }
  const [low, high] = trend.interval.map((slope) => rounded(slope * 3_600)) as [number, number]
  const isBounded = Number.isFinite(low) && Number.isFinite(high)
  return {
    ...about,
    line,
    perHour: rounded(trend.slope * 3_600),
    perHour99: isBounded ? [low, high] : null,
    perHourShare: line.from > 0 ? rounded((trend.slope * 3_600) / line.from) : null,
    p: Number(trend.p.toPrecision(3)),
    ...decide(trend, points, (MATTERS[of] * Math.max(0, line.from)) / 3_600),
  }
}

/** `matters` is a slope. A growth that is proven and too slow to matter is steady. */
function decide(trend: Trend, points: readonly Point[], matters: number): Pick<SoakTrend, 'verdict' | 'why'> {
  const [low, high] = trend.interval
  if (low >= -matters && high <= matters) return { verdict: 'steady', why: null }
  const sure = trend.p < 1 - CONFIDENCE
  if (sure && high < 0) return { verdict: 'falls', why: null }
  if (!sure || low <= 0) {
    const why = Number.isFinite(high - low) ? 'its interval is too wide' : 'too few of its values are independent'
    return { verdict: 'cannot-tell', why: `${why}: a longer run tells` }
  }
  const latter = robustTrend(points.slice(points.length >> 1), { confidence: CONFIDENCE })
  if (latter && latter.slope >= trend.slope * LASTING) return { verdict: 'grows', why: null }
  return { verdict: 'cannot-tell', why: 'it grew and levels off: a longer run tells' }
}

function rounded(value: number): number {
  return Number(value.toPrecision(6))
}
