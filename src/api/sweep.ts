/** `kt bench sweep` as a function. The command and the library measure through the same call. */
import { sweep as sweepWith } from '../bench/sweep.ts'
import { parseSweepOptions, sweepFlags } from '../bench/sweep-options.ts'
import type { SweepLevel, SweepReport } from '../report/sweep-schema.ts'
import { apiKeyOf } from '../system/environment.ts'
import type { BenchHooks } from './bench.ts'
import { type OptionsOf, toFlags, wordsOf } from './options.ts'

export type { SweepLevel, SweepReport }

export type SweepResult = Awaited<ReturnType<typeof sweepWith>>

type Printed = 'html' | 'json' | 'explain'

/** What rises: '1,2,4' or a list of numbers. */
interface Levels {
  rps?: string | number | readonly number[] | undefined
  concurrency?: string | number | readonly number[] | undefined
  gatewayWorkers?: string | number | readonly number[] | undefined
}

/** The flags of `kt bench sweep`, in camelCase. */
export type SweepInput = Omit<OptionsOf<typeof sweepFlags>, Printed | keyof Levels> & Levels

export interface SweepHooks extends Omit<BenchHooks, 'progress'> {
  /** A level has been measured; a noisy machine has some measured again. */
  level?: (level: SweepLevel) => void
}

/**
 * Measures level after level, and resolves to the report: the levels, the knee, and the highest load within each limit
 * of added P99. Without `url` it starts the simulated provider and the reference gateway. A UserError says what is
 * wrong with the options, or that the signal came before the first level was measured.
 */
export function sweep(input: SweepInput = {}, hooks: SweepHooks = {}): Promise<SweepResult> {
  const values = { 'api-key': apiKeyOf(process.env), ...toFlags(input, sweepFlags, 'sweep()') }
  const { note = () => {}, level = () => {}, signal = new AbortController().signal } = hooks
  const { ask, options } = parseSweepOptions({ values })
  return sweepWith(options, ask, {
    argv: ['bench', 'sweep', ...wordsOf(values, sweepFlags)],
    note,
    level,
    progress: () => {},
    interrupt: signal,
  })
}

export { sweepWith }
