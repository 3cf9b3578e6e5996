/**
 * The flags that every planning command shares (how the demand is given, and the figures that replace the defaults),
 * and how their numbers are read. A number without a sensible plan is refused by the flag's name.
 */
import { Flags } from '@oclif/core'
import { UserError } from '../errors.ts'
import { durationMs, parseFlag } from '../parse/quantity.ts'
import type { RedundancyRange } from '../plan/sizing.ts'
import { parseBytes, parseCount } from '../units.ts'

const text = (helpValue: string, description: string, helpGroup: string) =>
  Flags.string({ helpValue, description, helpGroup })

const DEMAND = 'DEMAND'
const FIGURE = 'FIGURES'
const FLEET = 'FLEET'

const demandFlags = {
  'input-peak': text('80M', 'peak input tokens per second', DEMAND),
  'output-peak': text('10M', 'peak output tokens per second (visible ones)', DEMAND),
  window: text('60s', 'what the peak is the average over (default: 1s)', DEMAND),
  rps: text('250', 'peak requests per second', DEMAND),
  'requests-per-day': text('50k', 'requests per day', DEMAND),
  users: text('20k', 'users active at the peak', DEMAND),
  'requests-per-user-hour': text('12', 'requests that one of them makes in an hour', DEMAND),
  'avg-input-tokens': text('1500', 'mean input tokens of a request', DEMAND),
  'avg-output-tokens': text('800', 'mean visible output tokens of a request', DEMAND),
  'avg-hidden-tokens': text('700', 'mean hidden (reasoning) tokens of a request', DEMAND),
  'peak-multiplier': text('3', 'peak over mean', DEMAND),
  profile: text('chat', 'workload profile of the requests', DEMAND),
  mix: text('chat=70,rag=30', 'workload profiles with their shares of the requests', DEMAND),
  trace: text('file.csv', 'a recorded trace (Azure, BurstGPT, Mooncake) to take the peak from', DEMAND),
  scale: text('1000', 'times the traffic of the trace', DEMAND),
  'allow-gaps': Flags.boolean({ description: 'take a trace with silent spans as it is', helpGroup: DEMAND }),
  'streamed-share': text('100%', 'share of the output that is streamed', DEMAND),
  'cache-hits': text('10%', 'share of requests the gateway answers from its own cache', DEMAND),
  entities: text('600', 'configured services and routes', DEMAND),
  workloads: text('file.yaml', 'workload profiles (default: profiles/sizing/workloads.yaml)', DEMAND),
}

export const figureFlags = {
  ratio: text('4', 'R: input tokens that cost a worker as much as one output token', FIGURE),
  'output-per-worker': text('1M', 'O_w: output tokens per second one worker passes', FIGURE),
  'input-per-worker': text('4.4M', 'I_w: input tokens per second one worker passes; sets R', FIGURE),
  path: text('openai', "the vendor's measured figures for this provider path: openai, gemini", FIGURE),
  'bytes-per-output-token': text('290', 'bytes on the wire for an output token', FIGURE),
  'bytes-per-input-token': text('4.5', 'bytes on the wire for an input token', FIGURE),
  'stream-rate': text('50', 'tokens per second of one stream', FIGURE),
  ttft: text('1s', 'time to the first token that is generated, hidden ones included', FIGURE),
  'connections-per-worker': text('16384', 'connections one worker may hold', FIGURE),
  'memory-per-stream': text('64KiB', 'memory of one stream', FIGURE),
  'memory-base': text('500MiB', 'memory of a worker at rest', FIGURE),
  rss: text('100=180MiB,2000=310MiB', 'resident set at numbers of streams: gives both memories', FIGURE),
  'body-buffer': text('512KiB', 'buffer of a request body', FIGURE),
  'from-bench': Flags.string({
    helpValue: 'r.json',
    description: 'calibrate from reports of kt bench and kt bench sweep (repeat for more)',
    helpGroup: FIGURE,
    multiple: true,
  }),
  'bench-workers': text(
    '1,2,4',
    'worker counts of those runs (default: 1 each, or what a sweep knows of itself)',
    FIGURE,
  ),
  sizing: text('file.yaml', 'sizing figures (default: profiles/sizing/kong.yaml)', FIGURE),
}

const fleetFlags = {
  redundancy: text('2-4', 'factor, or range of factors, on the workers', FLEET),
  zones: text('3', 'zones that the workers are spread over', FLEET),
  'zones-lost': text('1', 'zones that may be lost at once', FLEET),
  surge: text('25%', 'pods above the wanted number while a deployment rolls', FLEET),
  'target-utilisation': text('70%', "share of a worker's capacity to plan on", FLEET),
  node: text('c5.4xlarge', 'the machine to count in', FLEET),
  upstream: Flags.option({ options: ['h1', 'h2'] as const, default: 'h1' as const })({
    description: 'HTTP version to the provider',
    helpGroup: FLEET,
  }),
  'upstream-keepalive': Flags.boolean({
    allowNo: true,
    default: true,
    description: 'connections to the provider are kept',
    helpGroup: FLEET,
  }),
  'provider-addresses': text('1', "addresses behind the provider's name", FLEET),
  'quota-tpm': text('30M', "the provider's quota of tokens per minute", FLEET),
  'quota-rpm': text('10k', "the provider's quota of requests per minute", FLEET),
}

export const planFlags = { ...demandFlags, ...figureFlags, ...fleetFlags }

type Text<T> = { [K in keyof T]?: string | undefined }

export type PlanFlags = Omit<
  Text<typeof planFlags>,
  'from-bench' | 'allow-gaps' | 'upstream' | 'upstream-keepalive'
> & {
  'from-bench'?: string[] | undefined
  'allow-gaps'?: boolean | undefined
  upstream?: 'h1' | 'h2' | undefined
  'upstream-keepalive'?: boolean | undefined
}

/** Beyond any fleet; above it sums lose whole tokens. */
const MAX_COUNT = 1e15

const RANGE = /^(\d+(?:\.\d+)?)x?(?:\s*[-–]\s*(\d+(?:\.\d+)?)x?)?$/i

/** A count above 0: '80M', '1.5k'. A size in bytes is told apart from a typing error. */
export function positiveCount(flag: string, given: string, whatFor: string, example: string): number {
  const next = `Write a number above 0, for example --${flag} ${example}.`
  const value = parseCount(given)
  if (value === undefined && !/^-/.test(given)) {
    const mega = /^[\d.]+m$/.test(given) ? ' (a million is M)' : ''
    const why = parseBytes(given) === undefined ? `is not a count${mega}` : 'is a size in bytes'
    throw new UserError(`--${flag}: '${given}' ${why}; it is ${whatFor}`, next)
  }
  if (value === undefined || value <= 0)
    throw new UserError(`--${flag} must be above 0 (${whatFor}), not '${given}'`, next)
  if (value > MAX_COUNT) throw new UserError(`--${flag}: ${given} is beyond anything to plan for (${whatFor})`, next)
  return value
}

/** A count of 0 or more. */
export function countOrZero(flag: string, given: string, whatFor: string, example: string): number {
  return parseCount(given) === 0 ? 0 : positiveCount(flag, given, whatFor, example)
}

export function wholeCount(flag: string, given: string, whatFor: string, example: string): number {
  const value = positiveCount(flag, given, whatFor, example)
  if (!Number.isInteger(value))
    throw new UserError(`--${flag} must be whole, not ${given} (${whatFor})`, `Write for example --${flag} ${example}.`)
  return value
}

/** Seconds, from '60s' or '5m'; a bare number is refused, it could be either. */
export function parseSeconds(flag: string, given: string, example: string): number {
  return parseFlag(flag, given, durationMs, example) / 1_000
}

export function parseRedundancy(given: string): RedundancyRange {
  const next = 'Write one factor (3) or a range (2-4).'
  const match = RANGE.exec(given.trim())
  if (!match?.[1]) throw new UserError(`--redundancy: '${given}' is not a factor or a range`, next)
  const min = Number(match[1])
  const max = match[2] === undefined ? min : Number(match[2])
  if (min > max) throw new UserError(`--redundancy ${given}: the range runs backwards`, `Write ${max}-${min}.`)
  if (min < 1) throw new UserError(`--redundancy ${given}: a factor below 1 plans for less than the peak`, next)
  return { min, max }
}
