/** The flags of `kt bench` that show a run instead of making it. They are no keys of a config file. */
import { failure } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, rulesOf } from '../parse/parse-flags.ts'

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

export function parseOnce(flags: Readonly<Record<string, unknown>>): 'dry-run' | 'show-request' | undefined {
  const values = parseFlags(flags, onceFlags, 'kt bench', RULES)
  if (values['dry-run']) return 'dry-run'
  return values['show-request'] ? 'show-request' : undefined
}
