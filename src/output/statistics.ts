/** What a table says of the durations of a run: quantiles, and on request mean, spread and extremes. */
import type { Result } from '../errors.ts'
import { parseEach, parsePercentile } from '../parse/percentile.ts'
import { toMs } from '../report/duration-summary.ts'
import { quantileName } from '../stats/gate.ts'
import type { Histogram } from '../stats/histogram.ts'

const WORDS = {
  mean: { name: 'Mean', readUs: (durations: Histogram) => durations.meanUs },
  stddev: { name: 'Std dev', readUs: (durations: Histogram) => durations.deviationUs },
  min: { name: 'Min', readUs: (durations: Histogram) => durations.minUs },
  max: { name: 'Max', readUs: (durations: Histogram) => durations.maxUs },
} as const

/** A quantile as a share of one, or a word. */
export type Statistic = number | keyof typeof WORDS

export const USUAL_STATISTICS: readonly Statistic[] = [0.5, 0.9, 0.95, 0.99, 'max']
export const ALL_STATISTICS: readonly Statistic[] = ['mean', 'stddev', 'min', 0.5, 0.9, 0.95, 0.99, 0.999, 'max']

export function statisticName(statistic: Statistic): string {
  return typeof statistic === 'number' ? quantileName(statistic) : WORDS[statistic].name
}

export function readStatistic(durations: Histogram, statistic: Statistic): number {
  return toMs(typeof statistic === 'number' ? durations.quantileUs(statistic) : WORDS[statistic].readUs(durations))
}

/** 'mean,50,99.9' */
export function parseStatistics(given: string): Result<Statistic[]> {
  const words = Object.keys(WORDS)
  return parseEach<Statistic>(given, (part) => asWord(part) ?? parsePercentile(part), `, or ${words.join(', ')}`)
}

function asWord(part: string): keyof typeof WORDS | undefined {
  const word = part.trim().toLowerCase()
  return word in WORDS ? (word as keyof typeof WORDS) : undefined
}
