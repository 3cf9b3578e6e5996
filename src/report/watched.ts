/** What was watched beside a run, as tables, plots and exports tell it. */
import type { ScrapedTarget, WatchedProcess } from './watch-schema.ts'

export interface ProcessSummary {
  cpuPercent: { mean: number; max: number }
  rssBytes: { first: number; last: number; max: number }
}

/** Undefined where it was never read. */
export function summarizeProcess({ readings }: WatchedProcess): ProcessSummary | undefined {
  const [first, last] = [readings[0], readings.at(-1)]
  if (!first || !last) return undefined
  const sum = readings.reduce((total, { cpuPercent }) => total + cpuPercent, 0)
  return {
    cpuPercent: { mean: sum / readings.length, max: Math.max(...readings.map(({ cpuPercent }) => cpuPercent)) },
    rssBytes: {
      first: first.rssBytes,
      last: last.rssBytes,
      max: Math.max(...readings.map(({ rssBytes }) => rssBytes)),
    },
  }
}

/** As Prometheus writes it: `http_requests_total{code="200"}`. */
export function seriesName({ metric, labels }: Pick<ScrapedTarget['series'][number], 'metric' | 'labels'>): string {
  const pairs = labelPairs(labels)
  return pairs === '' ? metric : `${metric}{${pairs}}`
}

export function labelPairs(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([label, text]) => `${label}=${JSON.stringify(text)}`)
    .join(',')
}
