/** What the readings of a watched process come to, for tables, plots and exports. */
import type { WatchedProcess } from './watch-schema.ts'

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
