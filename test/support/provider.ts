/** A simulated provider in this process, quick and seeded. */
import { type SimulatedProvider, startProvider } from '../../src/provider/server.ts'

export function quickProvider({
  ttftMs = 5,
  gapMs = 1,
  sigma = 0,
  stampInText = false,
} = {}): Promise<SimulatedProvider> {
  const around = (ms: number) =>
    sigma > 0 ? { kind: 'lognormal' as const, medianUs: ms * 1_000, sigma } : { kind: 'fixed' as const, us: ms * 1_000 }
  return startProvider({
    host: '127.0.0.1',
    port: 0,
    tokens: 8,
    stampInText,
    latency: { ttft: around(ttftMs), tokenGap: around(gapMs), seed: 1 },
  })
}
