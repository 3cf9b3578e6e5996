/** From checked options to the load of a run and its connections; and which of these options contradict each other. */
import type { ConnectionSpec } from '../client/connection.ts'
import type { Load, RunPlan } from '../load/plan.ts'
import { readText } from '../parse/file.ts'
import { DEFAULT_ARRIVAL, kindsWith, parametersOf } from '../schedule/arrivals.ts'
import type { BenchOptions } from './option-schema.ts'

const DEFAULT_CONCURRENCY = 10
const MAX_IN_FLIGHT = 1_000
/**
 * Streams on one connection before another is opened: most servers allow this many, and RFC 9113 advises at least as
 * many.
 */
const STREAMS = 100

type LoadOptions = Pick<
  BenchOptions,
  'rps' | 'concurrency' | 'stages' | 'arrival' | 'burstiness' | 'think-time' | 'max-in-flight'
>

function isOpen({ rps, stages }: LoadOptions): boolean {
  return rps !== undefined || stages?.of === 'rps'
}

export function toLoad(options: LoadOptions): Load {
  const { rps, concurrency, stages, arrival = DEFAULT_ARRIVAL.kind, burstiness = DEFAULT_ARRIVAL.burstiness } = options
  if (isOpen(options)) {
    return {
      mode: 'open',
      rps: stages?.highest ?? rps ?? 0,
      maxInFlight: options['max-in-flight'] ?? MAX_IN_FLIGHT,
      arrival: { kind: arrival, burstiness },
      stages: stages?.stages,
    }
  }
  return {
    mode: 'closed',
    concurrency: stages?.highest ?? concurrency ?? DEFAULT_CONCURRENCY,
    stages: stages?.stages,
    thinkUs: options['think-time'] === undefined ? undefined : options['think-time'] * 1_000,
  }
}

/** Undefined for the default: HTTP/1.1, kept alive, the system's certificates. */
export function toConnectionSpec(options: BenchOptions, load: Load): ConnectionSpec | undefined {
  const { http2, insecure, ca, connections } = options
  const keepAlive = !options['no-keepalive']
  if (!http2 && !insecure && ca === undefined && keepAlive) return undefined
  const inFlight = load.mode === 'closed' ? load.concurrency : load.maxInFlight
  const streams = connections === undefined ? STREAMS : Math.max(STREAMS, Math.ceil(inFlight / connections))
  return {
    http: http2 ? 'h2' : 'h1',
    keepAlive,
    insecure,
    ca: ca === undefined ? undefined : readText(ca, 'certificate file'),
    streams: http2 ? streams : 1,
    connections,
  }
}

type Refuse = (message: string, next: string) => void

/** Refuses options of the load that contradict each other. */
export function refuseLoad(options: BenchOptions, refuse: Refuse): void {
  const {
    rps,
    concurrency,
    stages,
    requests,
    duration,
    arrival,
    burstiness,
    workloadSpec,
    url,
    http2,
    connections,
    ca,
  } = options
  const open = isOpen(options)
  if (rps !== undefined && concurrency !== undefined) {
    refuse(
      '--rps and --concurrency exclude each other: an open loop sends on schedule, however many are in flight',
      'Pass --rps for an open loop, or --concurrency for a closed one.',
    )
  }
  if (stages && (rps !== undefined || concurrency !== undefined)) {
    refuse('--stages gives the load by itself', 'Leave --rps and --concurrency out.')
  }
  if (stages && (requests !== undefined || duration !== undefined)) {
    refuse('--stages gives the duration by itself', 'Leave --requests and --duration out.')
  }
  if (arrival !== undefined && !open) {
    refuse('--arrival goes with an open loop', 'Give --rps, or --stages with rates such as 200rps@60s.')
  }
  const bursty = kindsWith('burstiness')
  if (burstiness !== undefined && !bursty.some((kind) => kind === arrival)) {
    const fitting = `--arrival ${bursty.join(' or ')}`
    refuse(`--burstiness goes with ${fitting}`, `Give ${fitting}; poisson is a burstiness of 1.`)
  }
  if (options['think-time'] !== undefined && open) {
    refuse('--think-time goes with a closed loop', 'An open loop sends on schedule: leave --think-time out.')
  }
  if (options['max-in-flight'] !== undefined && !open) {
    refuse('--max-in-flight goes with an open loop', 'A closed loop has --concurrency in flight.')
  }
  for (const name of ['ttft-timeout', 'idle-timeout'] as const) {
    if (options[name] !== undefined && !workloadSpec.stream)
      refuse(`--${name} goes with --stream`, 'Only a stream has tokens to wait for.')
  }
  if (connections !== undefined && !http2) {
    refuse(
      '--connections goes with --http2',
      'HTTP/1.1 has one request at a time on a connection: --concurrency and --max-in-flight are their number.',
    )
  }
  if (options['no-keepalive'] && http2) {
    refuse(
      '--no-keepalive does not go with --http2',
      'HTTP/2 is many requests on one connection: leave one of them out.',
    )
  }
  if (http2 && url === undefined) {
    refuse('--http2 goes with --url', 'The embedded pair is measured over HTTP/1.1.')
  }
  if ((ca !== undefined || options.insecure) && !url?.startsWith('https:')) {
    refuse(
      `--${ca === undefined ? 'insecure' : 'ca'} goes with an https:// address in --url`,
      'Leave it out: nothing is encrypted.',
    )
  }
  if (ca !== undefined && options.insecure) {
    refuse('--ca and --insecure exclude each other', 'Trust a certificate with --ca, or take any with --insecure.')
  }
}

/** The parts of the load that are not the default, for the report. */
export function describeLoad(plan: RunPlan) {
  const { load, deadlines = {}, connection } = plan
  const { http, keepAlive, ca, insecure, connections = null } = connection ?? {}
  const certificates: 'any' | 'own-ca' | 'system' = insecure ? 'any' : ca === undefined ? 'system' : 'own-ca'
  return {
    ...(load.mode === 'open' && load.arrival ? parametersOf(load.arrival) : {}),
    ...(load.mode === 'open' ? { maxInFlight: load.maxInFlight } : {}),
    ...(load.stages
      ? { stages: load.stages.map(({ from, to, durationUs }) => ({ from, to, durationS: durationUs / 1e6 })) }
      : {}),
    ...given('thinkTimeMs', load.mode === 'closed' ? load.thinkUs : undefined, 1e3),
    ...given('warmupS', plan.warmupUs, 1e6),
    ...given('coolDownS', plan.coolDownUs, 1e6),
    ...given('drainMs', plan.drainUs, 1e3),
    ...given('connectTimeoutMs', deadlines.connectUs, 1e3),
    ...given('firstTokenTimeoutMs', deadlines.firstTokenUs, 1e3),
    ...given('idleTimeoutMs', deadlines.idleUs, 1e3),
    ...(http && keepAlive !== undefined ? { connection: { http, keepAlive, certificates, connections } } : {}),
    ...((plan.workers ?? 1) > 1 ? { workers: plan.workers } : {}),
  }
}

function given<K extends string>(name: K, us: number | undefined, per: number): { [key in K]?: number } {
  return us === undefined ? {} : ({ [name]: us / per } as { [key in K]?: number })
}
