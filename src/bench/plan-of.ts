/** From checked options to a run that is fully decided: defaults, requests, headers, arms; and what is said before money is spent. */
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { ArmPlan, Load, RunPlan } from '../load/plan.ts'
import { blockCount, DEFAULT_BLOCKS } from '../schedule/blocks.ts'
import { buildRamp } from '../schedule/ramp.ts'
import { looksUpTo, MOST_PAIRS } from '../stats/gate.ts'
import { randomFrom } from '../stats/random.ts'
import { ktVersion } from '../system/machine.ts'
import { formatCount, formatDuration, formatNumber } from '../units.ts'
import { drawArmTag } from '../wire/nonce.ts'
import { expectedTokens, type WorkloadSpec } from '../workload/workload.ts'
import { connectionOf, loadOf } from './load-options.ts'
import type { BenchOptions } from './option-schema.ts'
import type { NamedTarget } from './targets.ts'

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_REQUESTS = 100
/** The embedded pair costs nothing, and a P99 needs more. */
const DEFAULT_REQUESTS_EMBEDDED = 1_000
/** On each arm, of a run that ends when it is decided: fifty a block. */
const MOST_REQUESTS = 50 * MOST_PAIRS
/** For the embedded pair, whichever comes first: a workload of long answers must not warm up for a minute. */
const WARMUP_EMBEDDED = { warmup: 200, warmupUs: 3_000_000 }
const WARMUP_OPEN = 10
const REHEARSED_FROM = { requests: 1_000, durationUs: 5_000_000 }
/** Of the measured requests. */
const MOST_LEFT_OUT = 0.5

/** The run that `options` ask for, on `targets`; the first is the one whose figures count. */
export function planOf(options: BenchOptions, targets: readonly NamedTarget[]): RunPlan {
  const embedded = options.url === undefined
  const load = loadOf(options)
  const unlimited = options.requests === undefined && options.duration === undefined
  const untilDecided = options['until-decided']
  const usual = untilDecided ? MOST_REQUESTS : embedded ? DEFAULT_REQUESTS_EMBEDDED : DEFAULT_REQUESTS
  const requests = unlimited ? usual : options.requests
  // One warm-up request a connection, so that none of the measured ones opens its own; more where it costs nothing.
  const connections = load.mode === 'closed' ? load.concurrency : WARMUP_OPEN
  const workload = options.sends
  const durationUs = usOf(options.duration)
  const headers = headersOf(acceptOf(workload), options['api-key'], options.header)
  const unique = randomFrom(randomUUID())
  const arms: ArmPlan[] = targets.map(([name, { origin, path }]) => ({
    name,
    origin,
    path,
    headers,
    tag: drawArmTag(unique),
  }))
  // In turns by block, each block begins with a request on every connection that does not count.
  const byBlock = arms.length > 1 && options.pairing !== 'request'
  const rested = byBlock && load.mode === 'closed' ? load.concurrency : 0
  const blocks = blockCount(requests, untilDecided ? MOST_PAIRS : DEFAULT_BLOCKS, rested)
  // A run too short for that counts them: on both arms alike, and better than to send, and pay for, several times what was asked for.
  const excludeIdleFirst = byBlock && blocks * rested <= MOST_LEFT_OUT * (requests ?? Number.POSITIVE_INFINITY)
  return {
    arms,
    workload,
    load,
    requests,
    durationUs,
    blocks,
    pairing: arms.length > 1 ? (options.pairing ?? 'block') : undefined,
    excludeIdleFirst,
    interimAnalyses: untilDecided ? looksUpTo(blocks) : undefined,
    ...warmupOf(options.warmup, embedded, Math.min(connections, requests ?? connections)),
    coolDownUs: usOf(options['cool-down']),
    deadlines: {
      connectUs: usOf(options['connect-timeout']),
      firstTokenUs: usOf(options['ttft-timeout']),
      idleUs: usOf(options['idle-timeout']),
    },
    drainUs: usOf(options.drain),
    connection: connectionOf(options, load),
    jitWarmup: options.rehearsal ?? isWorthRehearsal(requests, durationUs),
    workers: workersOf(options.workers, load, targets),
    timeoutUs: (options.timeout ?? DEFAULT_TIMEOUT_MS) * 1_000,
    tokenBudget: options['token-budget'],
  }
}

/** A shorter run has too few requests for a P99, and would spend as long on it as on itself. */
function isWorthRehearsal(requests = 0, durationUs = 0): boolean {
  return requests >= REHEARSED_FROM.requests || durationUs >= REHEARSED_FROM.durationUs
}

/** What every request says of itself; `header` wins. */
export function headersOf(
  accept: string,
  key: string | undefined,
  header: readonly (readonly [string, string])[],
): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept,
    'user-agent': `kt/${ktVersion}`,
    ...(key ? { authorization: `Bearer ${key}` } : {}),
    ...Object.fromEntries(header),
  }
}

/** A mix may be streamed in part. */
function acceptOf({ parts }: WorkloadSpec): string {
  if (parts.every(({ stream }) => stream)) return 'text/event-stream'
  return parts.some(({ stream }) => stream) ? 'text/event-stream, application/json' : 'application/json'
}

/** As many threads as were asked for, but no more than there are slots; `auto` leaves half the cores to a target on this machine. */
function workersOf(asked: number | 'auto' = 1, load: Load, targets: readonly NamedTarget[]): number {
  const cores = availableParallelism()
  const shared = targets.some(([, { origin }]) => isLoopback(new URL(origin).hostname))
  const wanted = asked === 'auto' ? Math.max(1, shared ? Math.floor(cores / 2) : cores - 1) : asked
  return Math.min(wanted, load.mode === 'closed' ? load.concurrency : load.maxInFlight)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}

/** Of an open loop, over its stages where it has some. */
function meanRate({ rps, stages }: Extract<Load, { mode: 'open' }>): number {
  if (!stages) return rps
  const durationUs = stages.reduce((sum, stage) => sum + stage.durationUs, 0)
  return (buildRamp(stages).upTo(durationUs) * 1e6) / durationUs
}

function usOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms * 1_000
}

/** Before money is spent: what will be sent where. */
export function announce(plan: RunPlan, targets: readonly NamedTarget[], note: (line: string) => void): void {
  const [, target] = targets.find(([, { isPublic }]) => isPublic) ?? []
  if (target) announcePublic(plan, target.origin, note)
  if (!plan.interimAnalyses) return
  const most =
    plan.requests === undefined
      ? `${formatDuration((plan.durationUs ?? 0) / 1_000)}`
      : `${formatNumber(plan.requests)} requests`
  note(`Judged after ${plan.interimAnalyses.join(', ')} pairs of blocks, until decided: at most ${most} on each arm.`)
}

function announcePublic(plan: RunPlan, origin: string, note: (line: string) => void): void {
  const { arms, load, blocks, excludeIdleFirst, durationUs, warmup, tokenBudget } = plan
  const { input, output } = expectedTokens(plan.workload)
  const due = load.mode === 'open' && durationUs ? Math.ceil(meanRate(load) * (durationUs / 1e6)) : undefined
  const measured = Math.min(plan.requests ?? Number.POSITIVE_INFINITY, due ?? Number.POSITIVE_INFINITY)
  const rested = excludeIdleFirst && load.mode === 'closed' ? blocks * load.concurrency : 0
  const requests = measured + warmup + rested
  const known = Number.isFinite(requests)
  const each = arms.length > 1 ? ' on each arm' : ''
  note(`${new URL(origin).host} is a public address. This run sends`)
  note(
    known
      ? `  ${formatNumber(requests)} requests${each}, ${formatNumber(warmup)} of them warm-up,`
      : `  as many requests as fit in ${formatDuration((durationUs ?? 0) / 1_000)}${each},`,
  )
  if (rested > 0) note(`  ${formatNumber(rested)} the first of a connection in a block (none with --pairing request),`)
  note(`  about ${formatNumber(input)} input and up to ${formatNumber(output)} output tokens each${known ? `,` : '.'}`)
  if (known) note(`  about ${formatCount(arms.length * requests * (input + output))} tokens in all.`)
  note(tokenBudget ? `It stops after ${formatCount(tokenBudget)} tokens.` : '--token-budget sets a limit.')
}

function warmupOf(
  asked: BenchOptions['warmup'],
  embedded: boolean,
  connections: number,
): Pick<RunPlan, 'warmup' | 'warmupUs'> {
  if (asked === undefined) return embedded ? WARMUP_EMBEDDED : { warmup: connections }
  return typeof asked === 'number' ? { warmup: asked } : { warmup: 0, warmupUs: asked.ms * 1_000 }
}
