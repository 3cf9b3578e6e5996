/** Everything that is watched beside a run: opened before anything is sent, begun with the measurement. */
import type { FlagValues } from '../parse/flags.ts'
import type { ScrapedTarget, WatchedProcess } from '../report/watch-schema.ts'
import type { watchFlags } from './flags.ts'
import { findProcesses } from './processes.ts'
import { Scraper } from './scrape.ts'

export type WatchOptions = FlagValues<typeof watchFlags>

/** The parts of the report; absent where nothing was asked for. */
export interface Watched {
  processes?: WatchedProcess[]
  scraped?: ScrapedTarget[]
}

export interface Watch {
  /** The measurement began at `startUs`. May be called again and again. */
  measuring(startUs: number): void
  /** The names of processes that were found to have ended. */
  ended(): string[]
  end(): Promise<Watched>
}

/** Throws a UserError where something cannot be watched. `note` receives lines for a person during the run. */
export function openWatch(
  { 'arm-pid': pids, scrape, 'scrape-interval': intervalMs, 'scrape-metrics': metrics }: WatchOptions,
  note: (line: string) => void,
): Watch {
  const processes = findProcesses(pids)
  const scrapers = scrape.map((target) => new Scraper({ ...target, everyS: intervalMs / 1_000, metrics, note }))
  return {
    measuring(startUs) {
      for (const watched of [...processes, ...scrapers]) watched.measuring(startUs)
    },
    ended: () => processes.flatMap((process) => (process.hasEnded ? [process.name] : [])),
    async end() {
      const read = processes.map((process) => process.end())
      const told = await Promise.all(scrapers.map((scraper) => scraper.end()))
      return { ...(read.length > 0 ? { processes: read } : {}), ...(told.length > 0 ? { scraped: told } : {}) }
    },
  }
}
