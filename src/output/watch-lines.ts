/** What was watched beside a run, in words. */
import type { Run } from '../report/schema.ts'
import type { WatchedProcess } from '../report/watch-schema.ts'
import { summarizeProcess } from '../report/watched.ts'
import { formatBytes, formatDuration, formatNumber } from '../units.ts'

export interface WatchLine {
  name: string
  text: string
  /** It is told without being asked for. */
  warn: boolean
}

export function watchLines({ processes = [] }: Pick<Run, 'processes'>): WatchLine[] {
  return processes.map((process) => ({
    name: 'Process',
    text: `${process.name} (${process.pid}): ${processText(process)}`,
    warn: process.endedAtS !== null,
  }))
}

function processText(process: WatchedProcess): string {
  const summary = summarizeProcess(process)
  const ended =
    process.endedAtS === null ? '' : `; it ended during the run, after ${formatDuration(process.endedAtS * 1_000)}`
  if (!summary) return `it was not read${ended}`
  const { cpuPercent, rssBytes } = summary
  const percent = (value: number): string => `${formatNumber(value)} %`
  return (
    `CPU ${percent(cpuPercent.mean)} of a core, ${percent(cpuPercent.max)} at most; ` +
    `memory ${formatBytes(rssBytes.first)} to ${formatBytes(rssBytes.last)}, ` +
    `${formatBytes(rssBytes.max)} at most${ended}`
  )
}
