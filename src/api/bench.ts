/** `kt bench` as a function. The command and the library measure through the same call. */
import { type BenchResult, bench as benchPrepared } from '../bench/bench.ts'
import { type BenchOptions, benchFlags, parseBenchOptions } from '../bench/options.ts'
import { prepareBench } from '../bench/prepare.ts'
import type { RunHooks } from '../bench/send.ts'
import { apiKeyOf } from '../system/environment.ts'
import { type OptionsOf, toFlags, wordsOf } from './options.ts'

export type { BenchResult }

/** Options of the command that are about what is printed and published, which the library leaves to its caller. */
type Printed =
  | 'csv'
  | 'html'
  | 'openmetrics'
  | 'otlp'
  | 'otlpTraces'
  | 'json'
  | 'explain'
  | 'percentiles'
  | 'measureTtfb'
  | 'junit'
  | 'markdown'

/** The flags of `kt bench`, in camelCase. */
export type BenchInput = Omit<OptionsOf<typeof benchFlags>, Printed>

/** What a caller may want to know of a run while it goes on, and how it ends one. */
export interface BenchHooks {
  /** Receives lines for a person: addresses, warnings, failures. */
  note?: RunHooks['note']
  progress?: RunHooks['progress']
  /** Aborting it ends the run as Ctrl-C does: what was measured is still reported. */
  signal?: AbortSignal
}

/**
 * Measures, and resolves to the report and the verdict on it. Without `url` it starts the simulated provider and the
 * reference gateway, and measures through the gateway and directly in turns. A verdict is a value, also where it fails;
 * a UserError says what is wrong with the options. `result.verdict` is null where no limit was given.
 */
export function bench(input: BenchInput = {}, hooks: BenchHooks = {}): Promise<BenchResult> {
  const values = { 'api-key': apiKeyOf(process.env), ...toFlags(input, benchFlags, 'bench()') }
  const { note = () => {}, progress = () => {}, signal = new AbortController().signal } = hooks
  return benchWith(parseBenchOptions({ values }, undefined, 'kt bench'), {
    argv: ['bench', ...wordsOf(values, benchFlags)],
    note,
    progress,
    interrupt: signal,
  })
}

/** The same with options that are read already. */
export async function benchWith(options: BenchOptions, hooks: RunHooks): Promise<BenchResult> {
  return benchPrepared(await prepareBench(options, hooks), hooks)
}
