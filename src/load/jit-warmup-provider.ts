/** The provider of the JIT warm-up, in the process whose threads send to it: they themselves load nothing of it. */
import { pathsByPart, resolveTarget } from '../client/target.ts'
import { selfSigned } from '../provider/certificate.ts'
import { startProvider } from '../provider/server.ts'
import type { JitWarmupAddress } from './jit-warmup.ts'
import type { RunPlan } from './plan.ts'

const HOST = '127.0.0.1'
const TOKENS = 16
const STREAMS = 100

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
