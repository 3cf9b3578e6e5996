/** What was watched beside a run, in words. */
import type { Run } from '../report/schema.ts'
import type { ScrapedTarget, WatchedProcess } from '../report/watch-schema.ts'
import { summarizeProcess } from '../report/watched.ts'
import { counted, formatBytes, formatDuration, formatNumber } from '../units.ts'

export interface WatchLine {
  name: string
  text: string
  /** It is told without being asked for. */
  warn: boolean
}

export function watchLines({ processes = [], scraped = [] }: Pick<Run, 'processes' | 'scraped'>): WatchLine[] {
  return [
    ...processes.map((process) => ({
      name: 'Process',
      text: `${process.name} (${process.pid}): ${processText(process)}`,
      warn: process.endedAtS !== null,
    })),
    ...scraped.map((target) => ({ name: 'Scraped', text: scrapedText(target), warn: target.failed > 0 })),
  ]
}

function scrapedText({ name, url, scrapes, failed, error, leftOut, series }: ScrapedTarget): string {
  const many = leftOut > 0 ? `; ${counted(leftOut, 'series', 'series')} left out, --scrape-metrics chooses others` : ''
  const wrong = failed > 0 ? `; ${failed} of ${counted(scrapes, 'reading')} failed: ${error}` : ''
  return `${name}: ${counted(series.length, 'series', 'series')} of ${url}${many}${wrong}`
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
