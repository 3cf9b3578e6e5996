/** The flags of what is watched beside a run. */
import { z } from 'zod'
import { address } from '../client/target.ts'
import { failure } from '../errors.ts'
import { withScheme } from '../parse/addresses.ts'
import { splitName } from '../parse/config-values.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { rulesOf } from '../parse/parse-flags.ts'
import { durationMs } from '../parse/quantity.ts'
import type { NamedPid } from './processes.ts'

const { text, texts } = flagGroup('WATCH')

/** As many as one plot still has room for. */
const MOST = 16

/** In a file also a number. */
export const processId = z
  .union([z.string(), z.int()])
  .transform(String)
  .pipe(z.string().regex(/^[1-9]\d{0,9}$/, 'must be the id of a process'))
  .transform(Number)

const process = z.string().transform((given, context): NamedPid => {
  const { name, value } = splitName(given) ?? {}
  const pid = processId.safeParse(value)
  if (name !== undefined && pid.success) return { name, pid: pid.data }
  context.addIssue({ code: 'custom', message: `'${given}' is not of the form NAME=PID` })
  return z.NEVER
})

export interface NamedUrl {
  name: string
  url: URL
}

/** Where servers have their metrics, when nothing else is said. */
const METRICS_PATH = '/metrics'

const page = z.string().transform((given, context): NamedUrl => {
  const { name, value: named } = splitName(given) ?? {}
  const parsed = address.safeParse(withScheme(named ?? given))
  if (!parsed.success) {
    context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? 'not an address' })
    return z.NEVER
  }
  const url = new URL(parsed.data)
  if (url.pathname === '/') url.pathname = METRICS_PATH
  return { name: name ?? url.host, url }
})

const pattern = z.string().regex(/^[A-Za-z_:*][\w:*]*$/, 'must be the name of a metric, where * stands for any text')

const wholeSeconds = durationMs.refine((ms) => ms % 1_000 === 0 && ms <= 600_000, 'must be whole seconds, to 10m')

/** A repeatable flag whose values have names of their own. */
function named<T extends { name: string }>(type: z.ZodType<T, string>) {
  return z
    .array(type)
    .max(MOST, `at most ${MOST} can be watched`)
    .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'two of them have one name')
    .default([])
}

export const watchFlags = {
  'arm-pid': texts(
    named(process),
    'CPU and memory of this process, and of those it started, once a second; repeatable (Linux)',
    { example: 'gateway=1234' },
  ),
  scrape: texts(
    named(page),
    'read the metrics page of a server (Prometheus, OpenMetrics) during the run; repeatable; counters become rates',
    { example: 'gateway=http://127.0.0.1:9090/metrics' },
  ),
  'scrape-interval': text(wholeSeconds, 'how often', { default: '1s' }),
  'scrape-metrics': texts(
    z.array(pattern).default([]),
    'which metrics to keep, where * stands for any text; repeatable [default: all but buckets of histograms]',
    { example: 'http_*' },
  ),
}

type WatchFlagValues = FlagValues<typeof watchFlags>

export const WATCH_RULES = [
  rulesOf<WatchFlagValues>()(
    ['scrape', 'scrape-metrics'],
    ({ scrape, 'scrape-metrics': metrics }) =>
      metrics.length > 0 &&
      scrape.length === 0 &&
      failure('--scrape-metrics chooses from what --scrape reads', 'Say from where: --scrape http://127.0.0.1:9090.'),
  ),
]
