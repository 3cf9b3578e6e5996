/** From checked options to the load of a run and its connections, and the words of both in the report. */
import type { ConnectionSpec } from '../client/connection.ts'
import type { Route } from '../client/route.ts'
import type { Load, RunPlan } from '../load/plan.ts'
import { DEFAULT_ARRIVAL, parametersOf } from '../schedule/arrivals.ts'
import type { TraceTotals } from '../workload/traces/feed.ts'
import type { TraceSource } from '../workload/workload.ts'
import { describeConversations } from './build-conversations.ts'
import { readCertificates } from './options/certificates.ts'
import { isOpen, type LoadOptions } from './options/load.ts'
import { wayWords } from './options/routes.ts'
import type { TargetOptions } from './options/target.ts'

const DEFAULT_CONCURRENCY = 10
const MAX_IN_FLIGHT = 1_000
/** Of the warm-up before a trace that is read only while it is replayed. */
const UNKNOWN_RPS = 10
/**
 * Streams on one connection before another is opened: most servers allow this many, and RFC 9113 advises at least as
 * many.
 */
const STREAMS = 100

export function buildLoad(options: LoadOptions, trace?: TraceSource): Load {
  const {
    concurrency,
    stages,
    'think-time': think,
    turns,
    arrival = DEFAULT_ARRIVAL.kind,
    burstiness = DEFAULT_ARRIVAL.burstiness,
  } = options
  // A pause before each turn is the conversation's affair.
  const thinkUs = turns === undefined && think?.kind === 'fixed' ? think.us : undefined
  if (trace) {
    const { totals } = trace
    return {
      mode: 'open',
      rps: totals ? meanRateOf(totals) : UNKNOWN_RPS,
      maxInFlight: options['max-in-flight'] ?? MAX_IN_FLIGHT,
      trace: trace.ring,
    }
  }
  if (isOpen(options)) {
    const rps = options['session-rate'] ?? options.rps ?? 0
    return {
      mode: 'open',
      rps: stages?.highest ?? rps,
      maxInFlight: options['max-in-flight'] ?? MAX_IN_FLIGHT,
      arrival: { kind: arrival, burstiness },
      stages: stages?.stages,
    }
  }
  return {
    mode: 'closed',
    concurrency: stages?.highest ?? concurrency ?? DEFAULT_CONCURRENCY,
    stages: stages?.stages,
    thinkUs,
  }
}

/** Requests a second of a trace, as replayed. */
export function meanRateOf({ rows, spanUs }: TraceTotals): number {
  return spanUs > 0 ? Math.round((rows * 1e8) / spanUs) / 100 : UNKNOWN_RPS
}

/** Undefined for the default: HTTP/1.1, kept alive, the system's certificates. */
export function buildConnection(target: TargetOptions, load: Load): ConnectionSpec | undefined {
  const { http2, insecure, ca, cert, connections, routes } = target
  const keepAlive = !target['no-keepalive']
  const isUsual = ca === undefined && cert === undefined && routes.length === 0
  if (!http2 && !insecure && isUsual && keepAlive) return undefined
  const inFlight = load.mode === 'closed' ? load.concurrency : load.maxInFlight
  const streams = connections === undefined ? STREAMS : Math.max(STREAMS, Math.ceil(inFlight / connections))
  return {
    http: http2 ? 'h2' : 'h1',
    keepAlive,
    ...readCertificates(target),
    ...(routes.length > 0 ? { routes } : {}),
    streams: http2 ? streams : 1,
    connections,
  }
}

/** The parts of the load that are not the default, for the report. */
export function describeLoad(plan: RunPlan) {
  const { load, deadlines = {}, connection } = plan
  const { conversations } = plan.workload
  const { http, keepAlive, ca, insecure, cert, routes = [], connections = null } = connection ?? {}
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
    ...(conversations ? { conversations: describeConversations(conversations, plan) } : {}),
    ...(plan.cancel ? { cancel: describeCancel(plan.cancel) } : {}),
    ...given('connectTimeoutMs', deadlines.connectUs, 1e3),
    ...given('firstTokenTimeoutMs', deadlines.firstTokenUs, 1e3),
    ...given('idleTimeoutMs', deadlines.idleUs, 1e3),
    ...(http && keepAlive !== undefined
      ? {
          connection: {
            ...{ http, keepAlive, certificates, connections },
            ...(cert === undefined ? {} : { clientCertificate: true as const }),
            ...(routes.length > 0 ? { routes: routes.map(describeRoute) } : {}),
          },
        }
      : {}),
    ...((plan.workers ?? 1) > 1 ? { workers: plan.workers } : {}),
  }
}

function describeRoute({ origin, via, from }: Route) {
  return { origin, way: wayWords(via), from }
}

function describeCancel({ share, after }: NonNullable<RunPlan['cancel']>) {
  return { share, ...('us' in after ? { afterMs: after.us / 1e3 } : { afterTokens: after.tokens }) }
}

function given<K extends string>(name: K, us: number | undefined, per: number): { [key in K]?: number } {
  return us === undefined ? {} : ({ [name]: us / per } as { [key in K]?: number })
}
