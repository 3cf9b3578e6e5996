/**
 * Checks the options of `kt bench sweep`: the levels of one kind of load, how long each lasts, and the limit to
 * search for. All other options are those of a bench and go through its parser.
 */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { durationMs, positiveCount, positiveRate } from '../parse/quantity.ts'
import type { Given } from './config.ts'
import type { BenchOptions } from './option-schema.ts'
import { namedLines, parseBenchOptions } from './options.ts'

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

const schema = z.strictObject({
  rps: list(positiveRate).optional(),
  concurrency: list(positiveCount).optional(),
  step: durationMs.default(5_000),
  until: z.string().optional(),
  'gateway-workers': list(
    positiveCount.refine((count) => count <= MOST_GATEWAY_WORKERS, `at most ${MOST_GATEWAY_WORKERS}`),
  ).optional(),
})
const OWN = Object.keys(schema.shape)

/** The options of the sweep itself, and those of the run at its first level. */
export function parseSweepOptions({ values, file }: Given): { ask: SweepOptions; options: BenchOptions } {
  const all = Object.entries(values)
  const own = Object.fromEntries(all.filter(([name]) => OWN.includes(name)))
  const parsed = schema.safeParse(own)
  if (!parsed.success)
    throw new UserError(namedLines(parsed.error, schema, file).join('\n    '), "See 'kt bench sweep --help'.")
  const { rps, concurrency, step, until, 'gateway-workers': gatewayWorkers } = parsed.data
  if (rps && concurrency) {
    throw new UserError(
      '--rps and --concurrency exclude each other',
      'Sweep one of them: rates of an open loop, or requests in flight.',
    )
  }
  if (gatewayWorkers && values.url !== undefined) {
    throw new UserError(
      '--gateway-workers goes with the embedded gateway, not with --url',
      'Sweep your own once for each number of its workers.',
    )
  }
  const [mode, name] = rps ? (['open', 'rps'] as const) : (['closed', 'concurrency'] as const)
  const levels = rps ?? concurrency ?? DEFAULT_CONCURRENCY
  const rest = Object.fromEntries(all.filter(([key]) => !OWN.includes(key)))
  return {
    ask: { mode, levels, stepMs: step, untilMs: until === undefined ? undefined : untilMs(until), gatewayWorkers },
    options: parseBenchOptions({ values: { ...rest, [name]: levels[0], duration: `${step}ms` }, file }),
  }
}

/** The only limit that can be searched for is one on the added P99. */
function untilMs(text: string): number {
  const match = /^\s*overhead\.p99\s*<=?\s*(\S+)\s*$/.exec(text)
  const limit = match?.[1] === undefined ? undefined : durationMs.safeParse(match[1])
  if (limit?.success) return limit.data
  throw new UserError(
    `--until '${text}' is not a limit that can be searched for`,
    "Give one such as --until 'overhead.p99<7ms'.",
  )
}
