/**
 * The options of `kt bench sweep`: the levels of one kind of load, how long each lasts, and the limit to search for.
 * All other options are those of a bench, of which it takes the sections.
 */
import { z } from 'zod'
import { failure, UserError } from '../errors.ts'
import { htmlFlag } from '../page/flag.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { Faults, type Given, rulesOf } from '../parse/parse-flags.ts'
import { durationMs, positiveCount, positiveRate } from '../parse/quantity.ts'
import { isMetric, isStreamOnly } from '../slo/metrics.ts'
import { processId } from '../watch/flags.ts'
import { labelFlag } from './options/output.ts'
import { type UntilLimit, untilLimit } from './options/until.ts'
import { verdictFlags } from './options/verdict.ts'
import { type BenchOptions, parseBenchOptions, sharedFlags } from './options.ts'

const { text } = flagGroup('LEVELS')
const result = flagGroup('RESULT')

const DEFAULT_CONCURRENCY = [1, 2, 4, 8, 16, 32, 64]
const MOST_GATEWAY_WORKERS = 64
/** How long a search may take, where the user does not say. Short steps take as long to start as long ones. */
const SEARCH_STEPS = 30
const SHORTEST_SEARCH_MS = 60_000

export interface SweepOptions {
  mode: 'open' | 'closed'
  levels: number[]
  stepMs: number
  /** The threshold whose highest load is searched for. */
  until: UntilLimit | undefined
  /** For how long at most, beyond the levels. */
  searchMs: number
  /** Numbers of processes of the embedded gateway: one curve for each. */
  gatewayWorkers: number[] | undefined
  /** Of the gateway that was named, where its process is on this machine. */
  gatewayPid: number | undefined
}

/** '1,2,4'; in a file also a number or a list of numbers. */
const list = (item: z.ZodType<number, string | number>) =>
  z
    .union([z.string(), z.number(), z.array(z.union([z.string(), z.number()]))])
    .transform((given): (string | number)[] => (Array.isArray(given) ? given : String(given).split(',')))
    .pipe(z.array(item).min(1))
    .refine((values) => values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0)), 'the levels must rise')

const levelFlags = {
  rps: text(list(positiveRate).optional(), 'open loop: rising request rates', { example: '50,100,200' }),
  concurrency: text(
    list(positiveCount).optional(),
    'closed loop: rising numbers of requests in flight [default: 1 to 64]',
    { example: '1,2,4,8' },
  ),
  step: text(durationMs.default(5_000), 'duration of each level [default: 5s]', { example: '5s' }),
  until: text(
    untilLimit.optional(),
    "search between the levels for the highest load that keeps this threshold, such as 'ttft.p99<200ms' or " +
      "'goodput.chat-short>99%'",
    { helpValue: "'overhead.p99<7ms'" },
  ),
  'search-time': text(
    durationMs.optional(),
    'how long --until may search beyond the levels [default: 30 steps, at least 1m]',
    {
      example: '2m',
    },
  ),
  'gateway-workers': text(
    list(positiveCount.refine((count) => count <= MOST_GATEWAY_WORKERS, `at most ${MOST_GATEWAY_WORKERS}`)).optional(),
    'numbers of processes of the embedded gateway, with a curve for each [default: 1]',
    { example: '1,2' },
  ),
  'gateway-pid': text(
    processId.optional(),
    'process of the gateway at --url: CPU and memory of it, and of those it started, at each level (Linux)',
    { example: '1234' },
  ),
}

export const sweepFlags = {
  ...levelFlags,
  ...sharedFlags,
  slo: result.text(verdictFlags.slo.type, 'SLO category whose targets count for goodput, and whose timeout is used', {
    helpValue: 'chat-short',
  }),
  'slo-file': verdictFlags['slo-file'],
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
    ['search-time', 'until'],
    (given) =>
      given['search-time'] !== undefined &&
      given.until === undefined &&
      failure('--search-time has no effect without --until', "Give --until 'ttft.p99<200ms' too."),
  ),
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
  rule(
    ['gateway-pid', 'url'],
    (given) =>
      given['gateway-pid'] !== undefined &&
      given.url === undefined &&
      failure(
        '--gateway-pid goes with --url: the processes of the embedded gateway are known',
        'Name your gateway with --url, or leave it out.',
      ),
  ),
]

/** The options of the sweep itself, and those of the run at its first level. */
export function parseSweepOptions(given: Given): { ask: SweepOptions; options: BenchOptions } {
  const faults = new Faults()
  const own = faults.read(levelFlags, given)
  faults.check({ ...own, url: given.values.url }, RULES)
  const { rps, concurrency, step, until, 'gateway-workers': gatewayWorkers, 'gateway-pid': gatewayPid } = own
  const { slo = until?.category } = given.values
  const open = given.values.rps !== undefined
  const levels = (open ? rps : concurrency) ?? DEFAULT_CONCURRENCY
  const rest = Object.entries(given.values).filter(([name]) => !(name in levelFlags))
  const first = {
    ...Object.fromEntries(rest),
    ...(slo === undefined ? {} : { slo }),
    [open ? 'rps' : 'concurrency']: levels[0],
    duration: `${step ?? 1}ms`,
  }
  const options = parseBenchOptions({ ...given, values: first }, faults, 'kt bench sweep')
  if (until) assertTold(until, options)
  const searchMs = own['search-time'] ?? Math.max(SEARCH_STEPS * step, SHORTEST_SEARCH_MS)
  const mode = open ? 'open' : 'closed'
  return { ask: { mode, levels, stepMs: step, until, searchMs, gatewayWorkers, gatewayPid }, options }
}

/** What no request of the sweep could tell is refused before one is sent. */
function assertTold({ threshold, category }: UntilLimit, { request, verdict }: BenchOptions): void {
  const { of, text: asked } = threshold
  if (of === 'goodput' && verdict.slo === undefined && verdict['slo-file'] === undefined) {
    throw new UserError(
      `--until ${asked}: goodput needs the targets of an SLO category`,
      "Name it, as in --until 'goodput.chat-short>99%', or with --slo.",
    )
  }
  if (category !== undefined && verdict.slo !== category) {
    throw new UserError(`--until ${asked} and --slo ${verdict.slo} name two categories`, 'Leave one of them out.')
  }
  if (isMetric(of) && isStreamOnly(of) && !request.parts.some(({ stream }) => stream)) {
    throw new UserError(`--until ${asked}: only streams have it`, 'Give --stream too.')
  }
}
