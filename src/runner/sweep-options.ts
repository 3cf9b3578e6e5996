/** What a user may ask of `kt bench sweep`, checked once: levels of one kind of load, how long each lasts, what is searched. */
import { z } from 'zod'
import { UserError } from '../errors.ts'
import { durationMs, positiveCount, positiveRate } from '../input/quantity.ts'

const DEFAULT_CONCURRENCY = [1, 2, 4, 8, 16, 32, 64]

export interface SweepOptions {
  mode: 'open' | 'closed'
  levels: number[]
  stepMs: number
  /** The limit of added P99 that is searched for. */
  untilMs: number | undefined
}

const list = (item: z.ZodType<number, string | number>) =>
  z
    .string()
    .transform((text): (string | number)[] => text.split(','))
    .pipe(z.array(item).min(1))
    .refine((values) => values.every((value, i) => i === 0 || value > (values[i - 1] ?? 0)), 'the levels must rise')

const schema = z.strictObject({
  rps: list(positiveRate).optional(),
  concurrency: list(positiveCount).optional(),
  step: durationMs.default(5_000),
  until: z.string().optional(),
})

export function parseSweepOptions(flags: Record<string, unknown>): SweepOptions {
  const parsed = schema.safeParse(flags)
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `--${String(issue.path[0])}: ${issue.message}`)
    throw new UserError(lines.join('\n    '), "See 'kt bench sweep --help'.")
  }
  const { rps, concurrency, step, until } = parsed.data
  if (rps && concurrency) {
    throw new UserError(
      '--rps and --concurrency exclude each other',
      'Sweep one of them: rates of an open loop, or requests in flight.',
    )
  }
  return {
    mode: rps ? 'open' : 'closed',
    levels: rps ?? concurrency ?? DEFAULT_CONCURRENCY,
    stepMs: step,
    untilMs: until === undefined ? undefined : untilMs(until),
  }
}

/** The search knows one question: up to which load does the added P99 stay under a limit? */
function untilMs(text: string): number {
  const match = /^\s*overhead\.p99\s*<=?\s*(\S+)\s*$/.exec(text)
  const limit = match?.[1] === undefined ? undefined : durationMs.safeParse(match[1])
  if (limit?.success) return limit.data
  throw new UserError(
    `--until '${text}' is not a limit that can be searched for`,
    "Give one such as --until 'overhead.p99<7ms'.",
  )
}
