/**
 * The flags of `kt bench` and `kt bench sweep` that show a run instead of making it, and what they show. They are no
 * keys of a config file.
 */
import { EXIT, type ExitCode, failure } from '../errors.ts'
import type { Page } from '../output/table.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, rulesOf } from '../parse/parse-flags.ts'
import type { BenchOptions } from './options.ts'
import type { SweepOptions } from './sweep-options.ts'

const { toggle } = flagGroup('RESULT')

export const onceFlags = {
  'dry-run': toggle('print the resolved options, the first request and what the run would cost; send nothing'),
  'show-request': toggle('send one request, print it and its answer, and end'),
}

const rule = rulesOf<FlagValues<typeof onceFlags>>()

const RULES = [
  rule(
    ['dry-run', 'show-request'],
    (given) =>
      given['dry-run'] &&
      given['show-request'] &&
      failure('--dry-run sends nothing, and --show-request sends a request', 'Leave one of them out.'),
  ),
]

type Once = 'dry-run' | 'show-request'

export function parseOnce(flags: Readonly<Record<string, unknown>>, command: string): Once | undefined {
  const values = parseFlags(flags, onceFlags, command, RULES)
  if (values['dry-run']) return 'dry-run'
  return values['show-request'] ? 'show-request' : undefined
}

interface Preview {
  options: BenchOptions
  /** Of a sweep: its levels. */
  ask?: SweepOptions
  note(line: string): void
  show<T>(value: T, render: (value: T, page: Page) => string): void
}

/** Shows what was asked for instead of a run. Loaded only then. */
export async function preview(once: Once, { options, ask, note, show }: Preview): Promise<ExitCode> {
  const output = await import('../output/preview.ts')
  if (once === 'dry-run') {
    const { dryRun, dryRunOfSweep } = await import('./dry-run.ts')
    show(ask ? dryRunOfSweep(options, ask) : await dryRun(options), output.renderDryRun)
    return EXIT.passed
  }
  const { showRequest } = await import('./show-request.ts')
  const exchange = await showRequest(options, note)
  show(exchange, output.renderExchange)
  return exchange.answer && exchange.error === null ? EXIT.passed : EXIT.inconclusive
}
