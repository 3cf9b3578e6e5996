// The JIT warm-up: kt first sends the same load to a provider in its own process, and nothing of it is counted or
// reaches the target.
import { afterEach, expect, it } from 'vitest'
import { ONE_AT_A_TIME } from '../../src/client/connection.ts'
import { Engine } from '../../src/load/engine.ts'
import { planJitWarmup } from '../../src/load/jit-warmup.ts'
import { startJitWarmupProvider } from '../../src/load/jit-warmup-provider.ts'
import type { Progress } from '../../src/load/merge.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { startRun } from '../../src/load/run.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import { type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import { now } from '../../src/system/clock.ts'
import { planFor } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'

let provider: SimulatedProvider | undefined
afterEach(async () => {
  await provider?.close()
  provider = undefined
})

async function warmedUpRun(changes: Partial<RunPlan>, stream = false) {
  provider ??= await quickProvider()
  const phases = new Set<Progress['phase']>()
  const progress = ({ phase }: Progress): unknown => phases.add(phase)
  const running = await startRun(planFor(provider.url, { jitWarmup: true, ...changes }, stream), { progress })
  return { running, phases, provider }
}

it.each([
  ['a closed loop', { mode: 'closed' as const, concurrency: 2 }, 1],
  ['an open loop of two threads', { mode: 'open' as const, rps: 500, maxInFlight: 20 }, 2],
])('%s: the target gets the run and nothing else', async (_name, load, workers) => {
  const { running, phases, provider } = await warmedUpRun({ requests: 40, warmup: 4, load, workers }, true)
  const { arms } = await running.result
  expect([...phases]).toContain('jit-warmup')
  expect(arms[0]?.outcomes).toEqual({ OK: 40 })
  expect(arms[0]?.warmup.sent).toBe(4)
  expect(provider.stats().requests).toBe(44)
})

it('a run that is stopped during the JIT warm-up sends nothing', async () => {
  const { running, provider } = await warmedUpRun({ requests: 1_000 })
  running.stop(0)
  const { stopReason, arms } = await running.result
  expect(stopReason).toBe('interrupted')
  expect(arms[0]?.outcomes).toEqual({})
  expect(provider.stats().requests).toBe(0)
})

it.each([
  ['HTTP/1.1', false, {}],
  ['HTTP/1.1 over TLS', true, {}],
  ['HTTP/2', false, { http: 'h2' as const }],
  ['HTTP/2 over TLS', true, { http: 'h2' as const }],
  ['a connection for every request', false, { keepAlive: false }],
])('%s: the JIT warm-up uses connections of the same kind', async (_name, tls, spec) => {
  const fixed = { kind: 'fixed', us: 0 } as const
  provider = await startProvider({
    host: '127.0.0.1',
    port: 0,
    tokens: 1,
    latency: { ttft: fixed, tokenGap: fixed, seed: 1 },
    ...(tls ? { tls: selfSigned('127.0.0.1') } : {}),
  })
  const plan = planFor(provider.url, { connection: { ...ONE_AT_A_TIME, ...spec } }, true)
  const warmup = await startJitWarmupProvider(plan)
  expect(new URL(warmup.origin).protocol).toBe(new URL(provider.url).protocol)
  const [sprint] = planJitWarmup(plan, warmup)
  if (!sprint) throw new Error('no plan for the JIT warm-up')
  const engine = new Engine({ ...sprint, requests: 30 }, now)
  await engine.run()
  await warmup.close()
  const record = engine.recorders[0]?.toRecord()
  expect(record?.outcomes).toEqual({ OK: 30 })
  expect(engine.opened[0]).toBeLessThanOrEqual(8)
  expect(provider.stats().requests).toBe(0)
})
