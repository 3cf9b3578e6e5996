// The field trial's own instruments: its client finds a known delay, its classes and its page say what readings hold.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { httpServer } from '../support/engine.ts'
import { quickProvider } from '../support/provider.ts'
import { agree, type Field, page, withTable } from './page.ts'
import { rawPairs } from './raw-client.ts'
import { type ArmReading, faultsOf } from './reading.ts'

function arm(name: string, overheadMs: number, more: Partial<ArmReading> = {}): ArmReading {
  const totalMs = { p50: overheadMs, p99: overheadMs * 2 }
  return {
    name,
    totals: { sent: 100, successful: 100, failed: 0, outcomes: { OK: 100 } },
    latencyMs: { p50: 50 + overheadMs, p99: 60 + overheadMs },
    throughput: { requestsPerSec: 10 },
    overhead: [{ definition: 'provider-stamped', source: 'stamps', count: 100, totalMs, ...none }],
    figures: { 'overhead.p50': { value: overheadMs, ci95: [overheadMs - 0.5, overheadMs + 0.5] } },
    cpuPercent: 40,
    rssBytes: 2 ** 26,
    ...more,
  }
}
const none = { rejected: 0, cacheHits: 0, retried: 0 }
const told = (p50: number): ArmReading['overhead'] => [
  ...arm('', 1).overhead,
  { definition: 'self-reported', source: 'x-header', count: 100, totalMs: { p50, p99: p50 }, ...none },
]
const failed = { sent: 100, successful: 98, failed: 2, outcomes: { OK: 98, KT_HTTP_5XX: 2 } }

test('what is in order has no faults, and each class of fault is told', () => {
  const good = [arm('near', 1), arm('far', 30), arm('direct', 0.2, { baseline: true })]
  expect(faultsOf('s', good)).toEqual([])
  const unstamped = arm('near', 1).overhead.map((one) => ({ ...one, count: 50 }))
  const faults = (bad: ArmReading) => faultsOf('s', [bad, arm('far', 30)])
  expect(faults(arm('near', 1, { totals: failed }))).toEqual(['s: near: 2 of 100 failed: {"OK":98,"KT_HTTP_5XX":2}'])
  expect(faults(arm('near', 1, { overhead: unstamped }))).toEqual(['s: near: 50 stamps in 100 answers'])
  expect(faults(arm('near', 1, { dropped: { why: 'it ended' } }))).toEqual(['s: near: dropped: it ended'])
  expect(faults(arm('near', 1, { overhead: told(40) }))).toEqual(['s: near: it says 40 ms, by stamps it is 1'])
  expect(faults(arm('near', 1, { latencyMs: { p50: 200, p99: 300 } }))).toEqual([
    's: by stamps far adds more than near, by latency less',
  ])
})

test('two figures agree where their intervals overlap', () => {
  const figure = (low: number, high: number) => ({ value: (low + high) / 2, ci95: [low, high] as [number, number] })
  expect([agree(figure(1, 2), figure(1.5, 3)), agree(figure(1, 2), figure(2.5, 3))]).toEqual([true, false])
})

test('the page has each gateway, its intervals, its command and what could not be told', () => {
  const machine = { cpuModel: 'A', cores: 2, memoryBytes: 2 ** 30, kernel: 'Linux', node: '24', loadAvgBefore: 0.5 }
  const scenario = { name: 'json-1', title: 'JSON', setting: 'plain' as const, flags: [], whole: true }
  const arms = [arm('near', 1, { overhead: told(0.7) }), arm('far', 30, { totals: failed })]
  const field = {
    ...{
      date: '2026-01-02',
      seconds: 20,
      machine,
      versions: { near: '1.2.3' },
      faults: [],
      notTold: ['caddy was away'],
    },
    measured: [{ ...scenario, command: `kt bench ${'--arm near=http://127.0.0.1:PORT '.repeat(9)}`.trim(), arms }],
    doctor: { near: ['`held-tokens` (warning, likely): held'], far: [] },
    raw: [{ name: 'near', raw: { pairs: 60, p50Ms: 1.1, ci95: [0.9, 1.3] }, kt: { value: 1, ci95: [0.8, 1.2] } }],
  } satisfies Field
  const text = page(field)
  expect(text).toContain('| near | 1.00 ms [0.500, 1.50] |')
  expect(text).toContain('98 of 100: 2 `KT_HTTP_5XX`')
  expect(text).toContain('| near | json-1 | x-header | 0.700 ms | 1.00 ms |')
  expect(text).toContain('| near | 1.10 ms [0.900, 1.30] | 1.00 ms [0.800, 1.20] | yes |')
  expect(text).toContain('- caddy was away\n')
  expect(text).toContain('- json-1: near has no interval of its P99\n')
  expect(text.split('\n').filter((line) => !line.startsWith('|') && line.length > 120)).toEqual([])
  const readme = withTable('# kt\n\n<!-- field --><!-- /field -->\n', field)
  expect(readme).toContain('(docs/field/2026-01-02.md)')
  expect(readme).toContain('|  | near | far |\n|---|---|---|\n| JSON | 1.00 | 30.0 |\n')
  expect(withTable(readme, field)).toBe(readme)
})

test('the client of its own finds what a gateway adds', async () => {
  const provider = await quickProvider()
  const { origin } = new URL(provider.url)
  const gateway = await httpServer((asked, answer) => {
    void sleep(20).then(() => {
      const up = request(origin + asked.url, { method: 'POST', headers: asked.headers }, (from) => from.pipe(answer))
      asked.pipe(up)
    })
  })
  const { p50Ms, ci95 } = await rawPairs({ url: origin, headers: {} }, { url: gateway.origin, headers: {} }, 40)
  await gateway.close()
  expect(p50Ms).toBeGreaterThan(19)
  expect(ci95[0]).toBeLessThanOrEqual(p50Ms)
  expect(ci95[1]).toBeGreaterThanOrEqual(p50Ms)
  await expect(rawPairs({ url: origin, headers: {} }, { url: `${origin}/nowhere`, headers: {} }, 1)).rejects.toThrow(
    '404',
  )
})
