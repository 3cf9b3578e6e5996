/** Everything that is watched beside a run: opened before anything is sent, begun with the measurement. */
import type { FlagValues } from '../parse/flags.ts'
import type { WatchedProcess } from '../report/watch-schema.ts'
import type { watchFlags } from './flags.ts'
import { findProcesses } from './processes.ts'

export type WatchOptions = FlagValues<typeof watchFlags>

/** The parts of the report; absent where nothing was asked for. */
export interface Watched {
  processes?: WatchedProcess[]
}

export interface Watch {
  /** The measurement began at `startUs`. May be called again and again. */
  measuring(startUs: number): void
  end(): Watched
}

/** Throws a UserError where something cannot be watched. */
export function openWatch({ 'arm-pid': pids }: WatchOptions): Watch {
  const processes = findProcesses(pids)
  return {
    measuring(startUs) {
      for (const process of processes) process.measuring(startUs)
    },
    end() {
      const ended = processes.map((process) => process.end())
      return ended.length > 0 ? { processes: ended } : {}
    },
  }
}
