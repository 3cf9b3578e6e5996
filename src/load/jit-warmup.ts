/**
 * A rehearsal: before a run the sending thread goes through the same workload, load and kind of connection with a provider of kt's own in this
 * process. A thread's first thousands of requests run code that is not compiled yet, or is compiled beside them on the cores that the target
 * needs: on a cold thread sends leave milliseconds late and latencies read too high. Nothing of it reaches the target or the figures.
 */
import { ONE_AT_A_TIME } from '../client/connection.ts'
import { resolveTarget } from '../client/target.ts'
import { selfSigned } from '../provider/certificate.ts'
import { startProvider } from '../provider/server.ts'
import type { RunPlan } from './plan.ts'

const HOST = '127.0.0.1'
const TOKENS = 16
const STREAMS = 100
/** As fast as it goes: what is compiled first is compiled here. */
const SPRINT = { requests: 6_000, durationUs: 800_000, concurrency: 8 }
/** And on a schedule, where the run has one. */
const PACED = { durationUs: 300_000, rps: 1_000, maxInFlight: 100 }
const DRAIN_US = 200_000

/** Where it is rehearsed; plain data that crosses to the sending threads. */
export interface JitWarmupAddress {
  origin: string
  path: string
}

export interface JitWarmupProvider extends JitWarmupAddress {
  close(): Promise<void>
}

/** A provider that answers at once, spoken to as the target is. */
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
  const { origin, path } = resolveTarget(provider.url, workload.endpoint)
  return { origin, path, close: () => provider.close(0) }
}

/** What is sent there before `plan` is. */
export function planJitWarmup(plan: RunPlan, { origin, path }: JitWarmupAddress): RunPlan[] {
  const { arms, workload, load, timeoutUs, connection = ONE_AT_A_TIME } = plan
  const common = {
    arms: arms.slice(0, 1).map((arm) => ({ ...arm, origin, path })),
    workload,
    blocks: 1,
    warmup: 0,
    timeoutUs,
    drainUs: DRAIN_US,
    // A connection for every request would use up this machine's ports.
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
