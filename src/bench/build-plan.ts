/**
 * From checked options to a complete plan of the run: defaults, requests, headers, arms; and the note on what it will
 * send.
 */
import { randomUUID } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { assertSendable } from '../client/sendable.ts'
import { isLoopback, pathsByPart } from '../client/target.ts'
import type { ArmPlan, Load, RunPlan } from '../load/plan.ts'
import { DEFAULT_BLOCKS } from '../schedule/blocks.ts'
import { interimAnalysesUpTo, MOST_PAIRS } from '../stats/gate.ts'
import { randomFrom } from '../stats/random.ts'
import { ktVersion } from '../system/machine.ts'
import { counted, formatCount, formatDuration, formatNumber } from '../units.ts'
import { type Endpoint, endpointOf, KEY_HEADERS } from '../wire/endpoints.ts'
import { drawArmTag } from '../wire/nonce.ts'
import { meanTurns } from '../workload/conversations/conversation.ts'
import { fitsInRing } from '../workload/traces/feed.ts'
import { type TraceSource, traceOf, type WorkloadSpec } from '../workload/workload.ts'
import { buildConnection, buildLoad } from './build-load.ts'
import { cutIntoBlocks } from './cut-blocks.ts'
import { expectedRun, meanRate } from './expected.ts'
import type { LoadOptions } from './options/load.ts'
import { assertKeyStaysSecret, routeLines } from './options/routes.ts'
import type { TargetOptions } from './options/target.ts'
import type { NamedTarget } from './targets.ts'

const DEFAULT_TIMEOUT_MS = 30_000
const DEFAULT_REQUESTS = 100
/** The embedded pair costs nothing, and a P99 needs more requests. */
const DEFAULT_REQUESTS_EMBEDDED = 1_000
/** Upper limit on each arm of a run that ends when it is decided: fifty requests a block. */
const MOST_REQUESTS = 50 * MOST_PAIRS
/** Warm-up of the embedded pair, whichever limit comes first: with long answers 200 requests would take a minute. */
const WARMUP_EMBEDDED = { warmup: 200, warmupUs: 3_000_000 }
const WARMUP_OPEN = 10
/** Blocks of a trace of unknown length. */
const ENDLESS_BLOCK_US = 10_000_000
const JIT_WARMUP_FROM = { requests: 1_000, durationUs: 5_000_000 }

/**
 * The run that the options ask for: `workload` to `targets`, which `target` says how to reach. The figures of the
 * report are those of the first target.
 */
export function buildPlan(
  target: TargetOptions,
  workload: WorkloadSpec,
  options: LoadOptions,
  targets: readonly NamedTarget[],
): RunPlan {
  const embedded = target.at === undefined
  const trace = traceOf(workload)
  const load = buildLoad(options, trace)
  const unlimited = !trace && options.requests === undefined && options.duration === undefined
  const untilDecided = options['until-decided']
  const usual = untilDecided ? MOST_REQUESTS : embedded ? DEFAULT_REQUESTS_EMBEDDED : DEFAULT_REQUESTS
  const { conversations } = workload
  const asked = unlimited ? usual : options.requests
  const requests = conversations
    ? countSessions(options, usual / meanTurns(conversations))
    : (trace?.totals?.rows ?? asked)
  // One warm-up request for each connection, so that no measured request opens one; more where requests cost nothing.
  const connections = load.mode === 'closed' ? load.concurrency : WARMUP_OPEN
  const durationUs = toUs(options.duration)
  const unique = randomFrom(randomUUID())
  const hasBaseline = targets.length > 1 && (embedded || target.aa || target.baselineAt !== undefined)
  const baseline = hasBaseline ? targets.length - 1 : undefined
  const arms = targets.map(([name, at], index): ArmPlan => {
    const { origin, path, keyHeader } = at
    const paths = pathsByPart(at, workload)
    const endpoint = { ...endpointOf(workload.endpoint), ...(keyHeader && { keyHeader }) }
    const own = index === baseline ? target.baselineSecrets : target.arms.find((arm) => arm.name === name)
    const key = own?.apiKey ?? target['api-key']
    const headers = toHeaders(toAccept(workload), endpoint, key, [...target.header, ...(own?.headers ?? [])])
    for (const part of workload.parts) assertSendable({ ...headers, ...part.headers }, target.http2)
    if (!target['allow-insecure-key']) assertKeyStaysSecret(headers, origin, target.routes)
    return { name, origin, path, ...(paths && { paths }), headers, tag: drawArmTag(unique) }
  })
  // When arms alternate by block, each block begins with one request on every connection that is excluded from all
  // figures.
  // Conversations would be cut off by the end of a block, and a trace is played to all arms at once.
  const pairing = arms.length > 1 ? (conversations || trace ? 'request' : (options.pairing ?? 'block')) : undefined
  const byBlock = pairing === 'block'
  const endless = requests === undefined && durationUs === undefined
  const idleFirst = byBlock && load.mode === 'closed' ? load.concurrency : 0
  const cut = cutIntoBlocks(requests, untilDecided || endless ? MOST_PAIRS : DEFAULT_BLOCKS, idleFirst)
  const { blocks } = cut
  return {
    arms,
    baseline,
    outlivesArms: countGateways({ arms, baseline }) > 1,
    workload,
    load,
    requests,
    durationUs,
    blocks,
    blockUs: endless ? ENDLESS_BLOCK_US : undefined,
    pairing,
    excludeIdleFirst: byBlock && cut.excludeIdleFirst,
    interimAnalyses: untilDecided ? interimAnalysesUpTo(blocks) : undefined,
    ...(options.warmup === undefined
      ? defaultWarmup(embedded ? WARMUP_EMBEDDED : { warmup: connections }, { requests, durationUs })
      : toWarmup(options.warmup)),
    coolDownUs: toUs(options['cool-down']),
    deadlines: {
      connectUs: toUs(target['connect-timeout']),
      firstTokenUs: toUs(target['ttft-timeout']),
      idleUs: toUs(target['idle-timeout']),
    },
    drainUs: toUs(options.drain),
    allowEmpty: target['allow-empty'],
    connection: buildConnection(target, load),
    jitWarmup: options['jit-warmup'] ?? (endless || isWorthJitWarmup(requests, durationUs)),
    workers: countWorkers(options.threads, load, targets),
    timeoutUs: (target.timeout ?? DEFAULT_TIMEOUT_MS) * 1_000,
    validate: options.validate ?? true,
    abortOn: options['abort-on'],
    respectRetryAfter: options['respect-retry-after'],
    cancel: toCancel(options),
    compareAnswers:
      (options['compare-answers'] ?? !target.aa) &&
      baseline !== undefined &&
      endpointOf(workload.endpoint).limit !== undefined &&
      conversations === undefined &&
      canAskAgain(trace),
    maxSessions: options['max-sessions'],
    tokenBudget: options['token-budget'],
  }
}

function countGateways({ arms, baseline }: Pick<RunPlan, 'arms' | 'baseline'>): number {
  return arms.length - (baseline === undefined ? 0 : 1)
}

/** The rows of a long trace are gone when its answers are compared. */
function canAskAgain(trace: TraceSource | undefined): boolean {
  return !trace || (trace.totals !== undefined && fitsInRing(trace.totals))
}

/** Whether the embedded gateway is to be warm: as the sending threads are, by what was asked for. */
export function warmsJit({ 'jit-warmup': asked, requests, duration }: LoadOptions): boolean {
  return asked ?? ((requests ?? duration) === undefined || isWorthJitWarmup(requests, toUs(duration)))
}

/** A shorter run has too few requests for a P99, and its JIT warm-up would take as long as the run. */
function isWorthJitWarmup(requests = 0, durationUs = 0): boolean {
  return requests >= JIT_WARMUP_FROM.requests || durationUs >= JIT_WARMUP_FROM.durationUs
}

/** The headers of every request. The user's own (`header`) win. */
export function toHeaders(
  accept: string,
  { headers, keyHeader }: Pick<Endpoint, 'headers' | 'keyHeader'>,
  key: string | undefined,
  header: readonly (readonly [string, string])[],
): Record<string, string> {
  return {
    'content-type': 'application/json',
    accept,
    'user-agent': `kt/${ktVersion}`,
    ...headers,
    ...Object.fromEntries([...(key ? [keyHeader(key)] : []), ...header]),
  }
}

/** A mix may stream only a part of its requests. */
function toAccept({ parts }: WorkloadSpec): string {
  if (parts.every(({ stream }) => stream)) return 'text/event-stream'
  return parts.some(({ stream }) => stream) ? 'text/event-stream, application/json' : 'application/json'
}

/**
 * The threads asked for, at most one for each request slot. `auto` leaves half of the cores to a target on this
 * machine.
 */
function countWorkers(asked: number | 'auto' = 1, load: Load, targets: readonly NamedTarget[]): number {
  const cores = availableParallelism()
  const shared = targets.some(([, { origin }]) => isLoopback(new URL(origin).hostname))
  const wanted = asked === 'auto' ? Math.max(1, shared ? Math.floor(cores / 2) : cores - 1) : asked
  return Math.min(wanted, load.mode === 'closed' ? load.concurrency : load.maxInFlight)
}

function toUs(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms * 1_000
}

/** The sessions of a run: as many as asked for; where nothing was, about as many as make up its `usual` requests. */
function countSessions({ sessions, duration }: LoadOptions, usual: number): number | undefined {
  return sessions ?? (duration === undefined ? Math.max(1, Math.round(usual)) : undefined)
}

const DEFAULT_CANCEL_AFTER = { ms: 200 }

function toCancel(options: LoadOptions): RunPlan['cancel'] {
  const { 'cancel-share': share, 'cancel-after': after = DEFAULT_CANCEL_AFTER } = options
  if (share === undefined) return undefined
  return { share, after: typeof after === 'number' ? { tokens: after } : { us: after.ms * 1_000 } }
}

type Warmup = Pick<RunPlan, 'warmup' | 'warmupUs'>

/** A warm-up that nobody asked for takes no longer than the run that it serves: it has the limits of the run too. */
export function defaultWarmup(
  { warmup, warmupUs }: Warmup,
  { requests = warmup, durationUs }: Pick<RunPlan, 'requests' | 'durationUs'>,
): Warmup {
  const limitsUs = [warmupUs, durationUs].filter((us) => us !== undefined)
  return {
    warmup: Math.min(warmup, requests),
    ...(limitsUs.length > 0 ? { warmupUs: Math.min(...limitsUs) } : {}),
  }
}

function toWarmup(asked: NonNullable<LoadOptions['warmup']>): Warmup {
  return typeof asked === 'number' ? { warmup: asked } : { warmup: 0, warmupUs: asked.ms * 1_000 }
}

/** Notes what the run will send, before it costs anything at a public address. */
export function printPreflight(plan: RunPlan, targets: readonly NamedTarget[], note: (line: string) => void): void {
  for (const line of plan.workload.notes ?? []) note(line)
  const origins = targets.map(([, { origin }]) => origin)
  for (const line of routeLines(origins, plan.connection?.routes ?? [])) note(line)
  const [, target] = targets.find(([, { isPublic }]) => isPublic) ?? []
  if (target) printPublicPreflight(plan, target.origin, note)
  printKey(plan, note)
  printTurns(plan, note)
  printReplay(plan, note)
  if (!plan.interimAnalyses) return
  const limit =
    plan.requests === undefined
      ? `${formatDuration((plan.durationUs ?? 0) / 1_000)}`
      : counted(plan.requests, 'request')
  note(`Judged after ${plan.interimAnalyses.join(', ')} pairs of blocks, until decided: at most ${limit} on each arm.`)
}

function printReplay({ workload, arms }: RunPlan, note: (line: string) => void): void {
  const trace = traceOf(workload)
  if (!trace) return
  const { totals } = trace
  const to = arms.length > 1 ? ` to ${arms.length === 2 ? 'both' : `all ${arms.length}`} arms at once` : ''
  note(
    totals
      ? `Replays ${counted(totals.rows, 'request')} of ${workload.name}${to}, in ` +
          `${formatDuration(totals.spanUs / 1_000)}.`
      : `Replays ${workload.name}${to} while it is read: its length is not known.`,
  )
}

/** A key may come from the environment, and an address may be mistyped: it is said where the key leaves the machine. */
function printKey({ arms }: RunPlan, note: (line: string) => void): void {
  const keyed = arms
    .filter(({ headers }) => KEY_HEADERS.some((name) => headers[name] !== undefined))
    .map(({ origin }) => new URL(origin))
  const away = keyed.filter(({ hostname }) => !isLoopback(hostname))
  for (const host of new Set(away.map(({ protocol, host }) => (protocol === 'http:' ? `${host} in the clear` : host))))
    note(`The API key goes to ${host}.`)
}

/** A duration is that of each arm: how long the whole takes is said before it does. */
function printTurns(plan: RunPlan, note: (line: string) => void): void {
  const { arms, load, requests, durationUs, warmup, warmupUs, coolDownUs = 0, interimAnalyses } = plan
  const { blocks, pairing, excludeIdleFirst } = plan
  if (arms.length < 2 || interimAnalyses || (load.mode === 'open' && load.trace)) return
  const timeOf = (count: number | undefined): number =>
    count && load.mode === 'open' ? (count / meanRate(load)) * 1e6 : Number.POSITIVE_INFINITY
  const eachUs = Math.min(durationUs ?? Number.POSITIVE_INFINITY, timeOf(requests))
  if (!Number.isFinite(eachUs)) return
  const warmUs = Math.min(warmupUs ?? Number.POSITIVE_INFINITY, timeOf(warmup))
  const allUs = arms.length * (eachUs + (Number.isFinite(warmUs) ? warmUs : 0)) + coolDownUs
  const [each, all] = [eachUs, allUs].map((us) => `${formatNumber(us / 1e6, us < 1e7 ? 1 : 0)} s`)
  note(`${arms.length} arms in turns, ${each} on each: at least ${all} in all, with the warm-up.`)
  if (pairing !== 'request') note(`Each of the ${arms.length * blocks} blocks waits for its last answers, on top.`)
  if (excludeIdleFirst) note('The first requests of each connection in a block are in no figure, and come on top too.')
}

function printPublicPreflight(plan: RunPlan, origin: string, note: (line: string) => void): void {
  const { arms, durationUs, warmup, validate, tokenBudget } = plan
  const expected = expectedRun(plan)
  const { idleFirst, requests = Number.POSITIVE_INFINITY } = expected
  const { input, output } = expected.tokens
  const known = Number.isFinite(requests)
  const each = arms.length > 1 ? ' on each arm' : ''
  const validating = validate ? ' and one to validate it,' : ''
  note(`${new URL(origin).host} is a public address. This run sends`)
  note(
    known
      ? `  ${counted(requests, 'request')}${each}, ${formatNumber(warmup)} of them warm-up,${validating}`
      : `  as many requests as fit in ${formatDuration((durationUs ?? 0) / 1_000)}${each},`,
  )
  if (idleFirst > 0)
    note(`  ${formatNumber(idleFirst)} the first of a connection in a block (none with --pairing request),`)
  note(`  about ${formatNumber(input)} input and up to ${formatNumber(output)} output tokens each${known ? `,` : '.'}`)
  if (known) note(`  about ${formatCount(arms.length * requests * (input + output))} tokens in all.`)
  note(tokenBudget ? `It stops after ${formatCount(tokenBudget)} tokens.` : '--token-budget sets a limit.')
}
