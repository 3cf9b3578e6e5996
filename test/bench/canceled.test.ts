// Clients that leave: counted apart, the same in both arms, and what the provider wrote for nobody, through a gateway
// that cancels its own request and through one that does not.
import { createServer, request as forward, type Server } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { measureWastedTokens } from '../../src/bench/wasted-tokens.ts'
import { isDrawnToLeave } from '../../src/load/cancellation.ts'
import type { RunPlan } from '../../src/load/plan.ts'
import { canceledLines } from '../../src/output/canceled-lines.ts'
import { type SimulatedProvider, startProvider } from '../../src/provider/server.ts'
import type { Run } from '../../src/report/schema.ts'
import { listenAt } from '../../src/system/serve.ts'
import { decoded, planFor, run } from '../support/engine.ts'

let provider: SimulatedProvider
let gateway: Server | undefined
afterEach(async () => {
  gateway?.closeAllConnections()
  gateway?.close()
  gateway = undefined
  await provider.close(0)
})

const TOKENS = 40

async function startSlowProvider(): Promise<string> {
  provider = await startProvider({
    host: '127.0.0.1',
    port: 0,
    tokens: TOKENS,
    latency: { ttft: { kind: 'fixed', us: 10_000 }, tokenGap: { kind: 'fixed', us: 40_000 }, seed: 1 },
  })
  return provider.url
}

/** A gateway that passes everything on, and `cancels` its own request when its client leaves, or does not. */
async function startGateway(origin: string, cancels: boolean): Promise<string> {
  gateway = createServer((incoming, outgoing) => {
    const upstream = forward(origin + incoming.url, { method: incoming.method, headers: incoming.headers })
    incoming.pipe(upstream)
    upstream.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
      answer.on('data', (chunk) => outgoing.write(chunk))
      answer.on('end', () => outgoing.end())
    })
    upstream.on('error', () => outgoing.destroy())
    if (cancels) outgoing.on('close', () => upstream.destroy())
  })
  return `http://${(await listenAt(gateway, 0, '127.0.0.1')).authority}`
}

const CANCEL = { share: 0.5, after: { us: 200_000 } }

function twoArms(through: string, direct: string, changes: Partial<RunPlan>, stream = true): RunPlan {
  const plan = planFor(through, { requests: 20, load: { mode: 'closed', concurrency: 20 }, ...changes }, stream)
  const [arm] = plan.arms
  if (!arm) throw new Error('no arm')
  return { ...plan, arms: [arm, { ...arm, name: 'direct', origin: direct, tag: 'directxx' }] }
}

it.each([
  ['cancels', true],
  ['does not cancel', false],
])('a gateway that %s its request to the provider', async (_, cancels) => {
  const direct = await startSlowProvider()
  const plan = twoArms(await startGateway(direct, cancels), direct, { cancel: CANCEL })
  const record = await run(plan)
  const drawn = Array.from({ length: 20 }, (_, index) => isDrawnToLeave(CANCEL, plan.workload.seed, index))
  const left = drawn.filter(Boolean).length
  expect(left).toBeGreaterThan(3)
  for (const arm of record.arms) {
    expect(arm.canceled).toMatchObject({ left, answered: 0, failed: 0 })
    expect(arm.outcomes).toEqual({ OK: 20 - left })
    expect(decoded(arm.metrics.latency).count).toBe(20 - left)
  }
  const [through, directly] = await measureWastedTokens(plan, record)
  expect(through?.known).toBe(left)
  expect(directly?.known).toBe(left)
  // Directly the connection is gone, and the provider sees that before its next tokens or the ones after.
  expect((directly?.tokens ?? 0) / left).toBeLessThan(TOKENS / 2)
  expect(directly?.writtenToTheEnd).toBe(0)
  const each = (through?.tokens ?? 0) / left
  if (cancels) expect(each).toBeLessThan(TOKENS / 2)
  else expect(each).toBeGreaterThan(TOKENS / 2)
  expect(through?.writtenToTheEnd).toBe(cancels ? 0 : left)
})

it('the text says what a gateway that does not cancel wastes, and directly it is nothing', () => {
  const counts = { sent: 10, left: 10, answered: 0, failed: 0 }
  const through = { ...counts, wasted: { known: 10, writtenToTheEnd: 10, tokens: 300, unfinished: false } }
  const direct = { ...counts, wasted: { known: 10, writtenToTheEnd: 2, tokens: 5, unfinished: false } }
  const shown = (canceled: typeof through, theirs: typeof through) =>
    canceledLines({
      totals: { canceled },
      load: { cancel: { share: 0.1, afterTokens: 5 } },
      baseline: { role: 'direct', totals: { canceled: theirs } },
    } as Run)
  const [line, advice] = shown(through, direct)
  expect(line).toContain('10 clients left after 5 tokens')
  expect(line).toContain('300 tokens that nobody saw, 30.0 a client; directly 0.5 a client')
  expect(advice).toContain('10 of 10 answers were written to their end')
  // Answers that end as the client leaves are no fault of a gateway.
  expect(shown(direct, direct)).toHaveLength(1)
  expect(shown(through, through)).toHaveLength(1)
})

it('clients that leave after some tokens', async () => {
  const direct = await startSlowProvider()
  const plan = planFor(direct, { requests: 8, cancel: { share: 1, after: { tokens: 5 } } }, true)
  const record = await run(plan)
  const { arm } = record
  expect(arm.outcomes).toEqual({})
  expect(arm.canceled.left).toBe(8)
  const seen = arm.canceled.rows.filter((_, i) => i % 2 === 1)
  for (const events of seen) {
    expect(events).toBeGreaterThanOrEqual(5)
    expect(events).toBeLessThan(TOKENS)
  }
  expect((await measureWastedTokens(plan, record))[0]?.known).toBe(8)
})

it('an answer that is quicker than the client counts nowhere either', async () => {
  const direct = await startSlowProvider()
  const load = { mode: 'closed' as const, concurrency: 5 }
  const plan = planFor(direct, { requests: 5, load, cancel: { share: 1, after: { us: 5_000_000 } } }, true)
  const { arm } = await run(plan)
  expect(arm.canceled).toMatchObject({ left: 0, answered: 5 })
  expect(arm.outcomes).toEqual({})
})

it('a target that tells nothing leaves the waste unknown, and the text says so', async () => {
  const direct = await startSlowProvider()
  const plan = planFor(direct, { requests: 3, cancel: { share: 1, after: { us: 50_000 } } }, true)
  const record = await run(plan)
  await provider.close(0)
  expect(await measureWastedTokens(plan, record)).toEqual([])
  const canceled = { sent: 3, left: 3, answered: 0, failed: 0, wasted: null }
  const shown = canceledLines({ totals: { canceled }, load: { cancel: { share: 1, afterMs: 50 } } } as Run)
  expect(shown).toHaveLength(1)
  expect(shown[0]).toMatch(/^3 clients left after 50.0 ms, .*is unknown/)
})
