/**
 * The flags that every planning command shares, with their types: how the demand is given, the figures that replace the
 * defaults, the fleet. src/planning/plan-rules.ts says what contradicts what.
 */
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { type FlagValues, flagGroup, oneOf } from '../parse/flags.ts'
import {
  bytesWithUnit,
  countOrZero,
  durationMs,
  numberOrZero,
  parsedBy,
  positiveCount,
  positiveNumber,
  share,
} from '../parse/quantity.ts'
import type { RedundancyRange } from '../plan/sizing.ts'
import { COLUMNS_EXAMPLE, COLUMNS_HELP, traceColumns } from '../workload/traces/columns.ts'
import { PURCHASES } from './machines.ts'
import { parseRss } from './rss.ts'
import { parseMixParts } from './workloads.ts'

const demand = flagGroup('DEMAND').text
const figure = flagGroup('FIGURES')
const fleet = flagGroup('FLEET')
const provider = flagGroup('PROVIDERS').text

/** Beyond any fleet; above it sums lose whole tokens. */
const MAX_COUNT = 1e15
const PLANNABLE = 'is beyond anything to plan for'

/** '80M', '1.5k'. */
export const planCount = positiveNumber.refine((value) => value <= MAX_COUNT, PLANNABLE)
const countOrNone = numberOrZero.refine((value) => value <= MAX_COUNT, PLANNABLE)
/** '60': workers, zones. */
export const wholeCount = positiveCount.refine((value) => value <= MAX_COUNT, PLANNABLE)

/** '2': what multiplies a load is at least 1. */
const multiplier = positiveNumber.refine((value) => value >= 1, 'below 1 it plans for less than the mean')
/** More zones than any region has. */
const MAX_ZONES = 100
const DAY_MS = 86_400_000
/** No protocol spends more on a token; a unit behind the number would be a billion of them ('290B'). */
const MAX_BYTES_PER_TOKEN = 100_000
const bytesPerToken = parsedBy((text): Result<number> => {
  const value = /^\s*(?:\d+(?:\.\d+)?|\.\d+)\s*$/.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value <= MAX_BYTES_PER_TOKEN) return success(value)
  return failure(
    `'${text}' is not a number of bytes above 0 and up to ${MAX_BYTES_PER_TOKEN}`,
    'Write bytes a token without a unit, for example 290 or 4.5.',
  )
})

const RANGE = /^(\d+(?:\.\d+)?)x?(?:\s*[-–]\s*(\d+(?:\.\d+)?)x?)?$/i

function parseRedundancy(given: string): Result<RedundancyRange> {
  const next = 'Write one factor (3) or a range (2-4).'
  const match = RANGE.exec(given.trim())
  if (!match?.[1]) return failure(`'${given}' is not a factor or a range`, next)
  const min = Number(match[1])
  const max = match[2] === undefined ? min : Number(match[2])
  if (min > max) return failure(`${given}: the range runs backwards`, `Write ${max}-${min}.`)
  if (min < 1) return failure(`${given}: a factor below 1 plans for less than the peak`, next)
  return success({ min, max })
}

/** '1,2,4' */
function parseWorkerCounts(given: string): Result<number[]> {
  const counts = given.split(',').map((part) => Number(part.trim()))
  if (counts.every((count) => Number.isInteger(count) && count >= 1)) return success(counts)
  return failure(
    `${given}: each is a whole number of at least 1`,
    'Write one count a report, in their order: --bench-workers 1,2,4,8.',
  )
}

const demandFlags = {
  'input-peak': demand(planCount.optional(), 'peak input tokens per second', { example: '80M' }),
  'output-peak': demand(countOrNone.optional(), 'peak output tokens per second (visible ones)', { example: '10M' }),
  window: demand(
    durationMs.refine((ms) => ms >= 1_000 && ms <= DAY_MS, 'a peak is the average over 1s to 1d').optional(),
    'what the peak is the average over [default: a minute, with the burst within it]',
    { example: '60s' },
  ),
  rps: demand(planCount.optional(), 'peak requests per second', { example: '250' }),
  'requests-per-day': demand(planCount.optional(), 'requests per day', { example: '50k' }),
  users: demand(planCount.optional(), 'users active at the peak', { example: '20k' }),
  'requests-per-user-hour': demand(planCount.optional(), 'requests that one of them makes in an hour', {
    example: '12',
  }),
  'avg-input-tokens': demand(planCount.optional(), 'mean input tokens of a request', { example: '1500' }),
  'avg-output-tokens': demand(countOrNone.optional(), 'mean visible output tokens of a request', { example: '800' }),
  'avg-hidden-tokens': demand(countOrNone.optional(), 'mean hidden (reasoning) tokens of a request', {
    example: '700',
  }),
  'peak-multiplier': demand(multiplier.optional(), 'peak over mean', { example: '3' }),
  workload: demand(z.string().optional(), 'workload profile of the requests', { helpValue: 'chat' }),
  mix: demand(parsedBy(parseMixParts).optional(), 'workload profiles with their shares of the requests', {
    example: 'chat=70,rag=30',
  }),
  trace: demand(z.string().optional(), 'a recorded trace to take the peak from, of any format that kt bench replays', {
    helpValue: 'file.csv',
  }),
  'trace-columns': demand(traceColumns.optional(), COLUMNS_HELP, { example: COLUMNS_EXAMPLE }),
  scale: demand(planCount.optional(), 'times the traffic of the trace', { example: '1000' }),
  'allow-gaps': flagGroup('DEMAND').toggle('take a trace with silent spans as it is'),
  'streamed-share': demand(share.optional(), 'share of the output that is streamed', { example: '100%' }),
  'cache-hits': demand(
    share.refine((part) => part < 1, 'with all of them cached no provider is asked').optional(),
    'share of requests the gateway answers from its own cache',
    { example: '10%' },
  ),
  entities: demand(wholeCount.optional(), 'configured services and routes', { example: '600' }),
  'workload-file': demand(z.string().optional(), 'file of workload profiles [default: sizing/workloads]', {
    helpValue: 'file.yaml',
  }),
}

export const figureFlags = {
  ratio: figure.text(planCount.optional(), 'R: input tokens that cost a worker as much as one output token', {
    example: '4',
  }),
  'output-per-worker': figure.text(planCount.optional(), 'O_w: output tokens per second one worker passes', {
    example: '1M',
  }),
  'input-per-worker': figure.text(planCount.optional(), 'I_w: input tokens per second one worker passes; sets R', {
    example: '4.4M',
  }),
  path: figure.text(z.string().optional(), "the vendor's measured figures for this provider path: openai, gemini", {
    helpValue: 'openai',
  }),
  'bytes-per-output-token': figure.text(bytesPerToken.optional(), 'bytes on the wire for an output token', {
    example: '290',
  }),
  'bytes-per-input-token': figure.text(bytesPerToken.optional(), 'bytes on the wire for an input token', {
    example: '4.5',
  }),
  'events-per-token': figure.text(
    positiveNumber.refine((events) => events <= 1, 'a token takes one event at most').optional(),
    'events of a stream for each of its tokens: below 1 where several tokens share one',
    { example: '1' },
  ),
  'events-per-worker': figure.text(planCount.optional(), 'events of streams per second one worker passes', {
    example: '137k',
  }),
  'stream-rate': figure.text(planCount.optional(), 'tokens per second of one stream', { example: '50' }),
  ttft: figure.text(durationMs.optional(), 'time to the first token that is generated, hidden ones included', {
    example: '1s',
  }),
  'connections-per-worker': figure.text(planCount.optional(), 'connections one worker may hold', { example: '16384' }),
  'memory-per-stream': figure.text(bytesWithUnit.optional(), 'memory of one stream', { example: '64KiB' }),
  'memory-base': figure.text(bytesWithUnit.optional(), 'memory of a worker at rest', { example: '500MiB' }),
  rss: figure.text(parsedBy(parseRss).optional(), 'resident set at numbers of streams: gives both memories', {
    example: '100=180MiB,2000=310MiB',
  }),
  'body-buffer': figure.text(bytesWithUnit.optional(), 'buffer of a request body', { example: '512KiB' }),
  'from-bench': figure.texts(
    z.array(z.string()).optional(),
    'calibrate from reports of kt bench and kt bench sweep (repeat for more)',
    { helpValue: 'r.json' },
  ),
  'bench-workers': figure.text(
    parsedBy(parseWorkerCounts).optional(),
    'worker counts of those runs [default: 1 each, or what a sweep knows of itself]',
    { example: '1,2,4' },
  ),
  sizing: figure.text(z.string().optional(), 'sizing figures [default: sizing/kong]', {
    helpValue: 'file.yaml',
  }),
}

export const fleetFlags = {
  redundancy: fleet.text(parsedBy(parseRedundancy).optional(), 'factor, or range of factors, on the workers', {
    example: '2-4',
  }),
  zones: fleet.text(
    wholeCount.refine((zones) => zones <= MAX_ZONES, `no region has more than ${MAX_ZONES} zones`).optional(),
    'zones that the workers are spread over',
    { example: '3' },
  ),
  'zones-lost': fleet.text(countOrZero.optional(), 'zones that may be lost at once', { example: '1' }),
  surge: fleet.text(share.optional(), 'pods above the wanted number while a deployment rolls', { example: '25%' }),
  'target-utilisation': fleet.text(
    share.refine((part) => part > 0, '0 uses nothing of a worker').optional(),
    "share of a worker's capacity to plan on",
    { example: '70%' },
  ),
  node: fleet.text(z.string().optional(), 'the machine to count in', { helpValue: 'c5.4xlarge' }),
  machines: fleet.text(z.string().optional(), 'machines of your own, beside those of the catalogue', {
    helpValue: 'file.yaml',
  }),
  purchase: fleet.text(oneOf(PURCHASES).optional(), 'how machines are bought [default: on-demand]', {
    helpValue: PURCHASES.join('|'),
  }),
  internet: fleet.text(oneOf(['nat', 'public']).optional(), 'how nodes reach the provider [default: nat]', {
    helpValue: 'nat|public',
  }),
  'upstream-http': fleet.text(oneOf(['h1', 'h2']).optional(), 'HTTP version to the provider [default: h1]', {
    helpValue: 'h1|h2',
  }),
  'upstream-keepalive': fleet.yesOrNo('connections to the provider are kept [default: yes]'),
  'provider-addresses': fleet.text(wholeCount.optional(), "addresses behind the provider's name", { example: '1' }),
}

export const quotaFlags = {
  'quota-tpm': provider(planCount.optional(), 'quota of tokens per minute of an account', { example: '30M' }),
  'quota-itpm': provider(planCount.optional(), 'quota of input tokens per minute', { example: '2M' }),
  'quota-otpm': provider(planCount.optional(), 'quota of output tokens per minute', { example: '400k' }),
  'quota-rpm': provider(planCount.optional(), 'quota of requests per minute', { example: '10k' }),
  accounts: provider(wholeCount.optional(), 'accounts with that quota [default: 1]', { example: '2' }),
  providers: provider(z.string().optional(), 'providers with their shares, accounts and quotas, and failover', {
    helpValue: 'file.yaml',
  }),
  'max-tokens': provider(planCount.optional(), 'output tokens that a request reserves of a quota', { example: '4096' }),
  failing: provider(
    share.refine((part) => part < 1, 'with all of them failing nothing is answered').optional(),
    'share of requests to the provider that fail',
    { example: '2%' },
  ),
  retries: provider(countOrZero.optional(), 'times that a failed request is tried again [default: 2]', {
    example: '2',
  }),
}

/** What no number of workers changes. */
export const QUOTA_FLAGS = Object.keys(quotaFlags) as (keyof typeof quotaFlags)[]

/** `flags` without those that a command would ignore: an unknown flag is refused, a known one must count. */
export function without<T extends object, K extends keyof T>(flags: T, ...names: readonly K[]): Omit<T, K> {
  const left = { ...flags }
  for (const name of names) delete left[name]
  return left
}

export const planFlags = { ...demandFlags, ...figureFlags, ...fleetFlags, ...quotaFlags }

export type DemandOptions = FlagValues<typeof demandFlags>
export type FigureOptions = FlagValues<typeof figureFlags>
/** A command that a flag of the fleet would not change does not take it. */
export type FleetOptions = Partial<FlagValues<typeof fleetFlags>>
export type QuotaOptions = Partial<FlagValues<typeof quotaFlags>>
export type PlanOptions = DemandOptions & FigureOptions & FleetOptions & QuotaOptions
