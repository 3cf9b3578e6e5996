/**
 * The options of `kt bench sweep`: the levels of one kind of load, how long each lasts, and the limit to search for.
 * All other options are those of a bench, of which it takes the sections.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { htmlFlag } from '../page/flag.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { Faults, type Given, rulesOf } from '../parse/parse-flags.ts'
import { durationMs, parsedBy, positiveCount, positiveRate } from '../parse/quantity.ts'
import { labelFlag } from './options/output.ts'
import { type BenchOptions, parseBenchOptions, sharedFlags } from './options.ts'

const { text } = flagGroup('LEVELS')
const result = flagGroup('RESULT')

const DEFAULT_CONCURRENCY = [1, 2, 4, 8, 16, 32, 64]
const MOST_GATEWAY_WORKERS = 64

export interface SweepOptions {
  mode: 'open' | 'closed'
  levels: number[]
  stepMs: number
  /** The limit of added P99 whose highest load is searched for. */
  untilMs: number | undefined
  /** Numbers of processes of the embedded gateway: one curve for each. */
  gatewayWorkers: number[] | undefined
}

/** '1,2,4'; in a file also a number or a list of numbers. */
const list = (item: z.ZodType<number, string | number>) =>
  z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])
    .transform((given): (string | number)[] => (Array.isArray(given) ? given : String(given).split(',')))
    .pipe(z.array(item).min(1))
    .refine((values) => values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0)), 'the levels must rise')

/** The only limit that can be searched for is one on the added P99. */
function parseUntil(given: string): Result<number> {
  const match = /^\s*overhead\.p99\s*<=?\s*(\S+)\s*$/.exec(given)
  const limit = match?.[1] === undefined ? undefined : durationMs.safeParse(match[1])
  return limit?.success
    ? success(limit.data)
    : failure(`'${given}' is not a limit that can be searched for`, "Give one such as --until 'overhead.p99<7ms'.")
}

const levelFlags = {
  rps: text(list(positiveRate).optional(), 'open loop: rising request rates', { example: '50,100,200' }),
  concurrency: text(
    list(positiveCount).optional(),
    'closed loop: rising numbers of requests in flight [default: 1 to 64]',
    { example: '1,2,4,8' },
  ),
  step: text(durationMs.default(5_000), 'duration of each level [default: 5s]', { example: '5s' }),
  until: text(parsedBy(parseUntil).optional(), 'search for the highest load within this limit', {
    helpValue: "'overhead.p99<7ms'",
  }),
  'gateway-workers': text(
    list(positiveCount.refine((count) => count <= MOST_GATEWAY_WORKERS, `at most ${MOST_GATEWAY_WORKERS}`)).optional(),
    'numbers of processes of the embedded gateway, with a curve for each [default: 1]',
    { example: '1,2' },
  ),
}

export const sweepFlags = {
  ...levelFlags,
  ...sharedFlags,
  output: result.text(z.string().optional(), "write the report (kt.sweep/1) to this file; '-': stdout"),
  ...htmlFlag,
  ...labelFlag,
  json: result.toggle('print the report instead of tables'),
  explain: result.toggle('also show tokens and bytes a second, and what the gateway used'),
}

type LevelValues = FlagValues<typeof levelFlags>

const rule = rulesOf<LevelValues & { url: unknown }>()

const RULES = [
  rule(
    ['rps', 'concurrency'],
    ({ rps, concurrency }) =>
      rps &&
      concurrency &&
      failure(
        '--rps and --concurrency exclude each other',
        'Sweep one of them: rates of an open loop, or requests in flight.',
      ),
  ),
  rule(
    ['gateway-workers', 'url'],
    (given) =>
      given['gateway-workers'] &&
      given.url !== undefined &&
      failure(
        '--gateway-workers goes with the embedded gateway, not with --url',
        'Sweep your own once for each number of its workers.',
      ),
  ),
]

/** The options of the sweep itself, and those of the run at its first level. */
export function parseSweepOptions(given: Given): { ask: SweepOptions; options: BenchOptions } {
  const faults = new Faults()
  const own = faults.read(levelFlags, given)
  faults.check({ ...own, url: given.values.url }, RULES)
  const { rps, concurrency, step, until, 'gateway-workers': gatewayWorkers } = own
  const open = given.values.rps !== undefined
  const levels = (open ? rps : concurrency) ?? DEFAULT_CONCURRENCY
  const rest = Object.entries(given.values).filter(([name]) => !(name in levelFlags))
  const first = { ...Object.fromEntries(rest), [open ? 'rps' : 'concurrency']: levels[0], duration: `${step ?? 1}ms` }
  const options = parseBenchOptions({ ...given, values: first }, faults, 'kt bench sweep')
  return {
    ask: { mode: open ? 'open' : 'closed', levels, stepMs: step, untilMs: until, gatewayWorkers },
    options,
  }
}
