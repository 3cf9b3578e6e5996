/**
 * The JIT warm-up: before a run each sending thread sends the same workload, by the same kind of load and connection,
 * to a provider in this process. The first thousands of requests of a thread run code that is not compiled yet, or that
 * is compiled beside them on the cores which the target needs: a cold thread sends milliseconds late and measures
 * latencies that are too high. Nothing of the warm-up reaches the target or the figures.
 */
import { ONE_AT_A_TIME } from '../client/connection.ts'
import { pathsByPart, resolveTarget } from '../client/target.ts'
import { selfSigned } from '../provider/certificate.ts'
import { startProvider } from '../provider/server.ts'
import { singleRequests } from '../workload/workload.ts'
import type { RunPlan } from './plan.ts'

const HOST = '127.0.0.1'
const TOKENS = 16
const STREAMS = 100
/** A closed loop as fast as it goes, to have the hot code compiled. */
const SPRINT = { requests: 6_000, durationUs: 800_000, concurrency: 8 }
/** Then an open loop, where the run has one. */
const PACED = { durationUs: 300_000, rps: 1_000, maxInFlight: 100 }
const DRAIN_US = 200_000

/** Where the warm-up is sent; plain data that crosses to the sending threads. */
export interface JitWarmupAddress {
  origin: string
  path: string
  paths?: string[] | undefined
}

interface JitWarmupProvider extends JitWarmupAddress {
  close(): Promise<void>
}

/** A provider that answers at once, over the same protocol as the target. */
export async function startJitWarmupProvider({ arms, connection, workload }: RunPlan): Promise<JitWarmupProvider> {
  const now = { kind: 'fixed', us: 0 } as const
  const provider = await startProvider({
    host: HOST,
    port: 0,
    tokens: TOKENS,
    latency: { ttft: now, tokenGap: now, seed: workload.seed },
    ...(connection?.http === 'h2' ? { http2: { maxConcurrentStreams: STREAMS } } : {}),
    ...(arms[0]?.origin.startsWith('https:') ? { tls: selfSigned(HOST) } : {}),
  })
  const target = resolveTarget(provider.url, workload)
  const { origin, path } = target
  return { origin, path, paths: pathsByPart(target, workload), close: () => provider.close(0) }
}

/** The plans that a sending thread runs before `plan`. */
export function planJitWarmup(plan: RunPlan, { origin, path, paths }: JitWarmupAddress): RunPlan[] {
  const { arms, workload, load, timeoutUs, connection = ONE_AT_A_TIME } = plan
  const common = {
    arms: arms.slice(0, 1).map((arm) => ({ ...arm, origin, path, paths })),
    workload: singleRequests(workload),
    blocks: 1,
    warmup: 0,
    timeoutUs,
    drainUs: DRAIN_US,
    // A connection for every request would use up the ports of this machine.
    connection: { ...connection, keepAlive: true, ca: undefined, insecure: true },
    tokenBudget: undefined,
  }
  const { requests, durationUs, concurrency } = SPRINT
  const sprint: RunPlan = { ...common, requests, durationUs, load: { mode: 'closed', concurrency } }
  if (load.mode === 'closed') return [sprint]
  const { rps, maxInFlight } = PACED
  const paced: RunPlan['load'] = { mode: 'open', rps, maxInFlight, arrival: load.arrival }
  return [sprint, { ...common, requests: undefined, durationUs: PACED.durationUs, load: paced }]
}
