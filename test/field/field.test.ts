// The field trial's own instruments: its client finds a known delay, its classes and its page say what readings hold.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { startGateway } from '../setup/gateways.ts'
import { httpServer } from '../support/engine.ts'
import { makeLevel, makeSweep } from '../support/make-sweep.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'
import { agree, type Field, page, withTable } from './page.ts'
import { peakOf, planByVendors, planFrom } from './peak.ts'
import { peakNotTold, peakSection } from './peak-page.ts'
import { rawPairs } from './raw-client.ts'
import { type ArmReading, faultsOf, type Measured } from './reading.ts'
import { surprisesOf } from './surprises.ts'

const dir = tempDir()
afterAll(dir.remove)

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
    raw: [
      {
        name: 'near',
        raw: { pairs: 60, p50Ms: 1.1, ci95: [0.9, 1.3] },
        kt: { value: 1, ci95: [0.8, 1.2] },
        command: 'kt',
      },
    ],
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

/** A sweep as a quick machine would have made it: streams of the peak's mix, at these busy shares of a worker. */
function sweepAt(shares: readonly number[]) {
  const levels = shares.map((cpuCores, index) => {
    const level = 4 ** (index + 1)
    const [outputTokensPerSec, eventsPerSec] = [level * 200, level * 202]
    return makeLevel(level, 2, {
      ...{ throughputError: 0.01, inputTokensPerSec: 8 * outputTokensPerSec, outputTokensPerSec, eventsPerSec },
      ...{ bytesPerSec: 260 * eventsPerSec, interTokenMs: { p50: 5, p99: 6 } },
      gateway: { cpuCores, rssBytes: 5e7 + 1e5 * level },
    })
  })
  return makeSweep(levels, ({ target }) => Object.assign(target, { stream: true, gateway: undefined }))
}

test('the peak on each gateway stands with its interval, or as one that could not be loaded', async () => {
  dir.write('full.json', sweepAt([0.05, 0.2, 0.82]))
  dir.write('idle.json', sweepAt([0.01, 0.04, 0.16]))
  const [vendors, full, idle] = await Promise.all([
    planByVendors(),
    planFrom('full.json', dir.path),
    planFrom('idle.json', dir.path),
  ])
  const shares = { clientPercent: 71.4, providerPercent: 93 }
  const none = { name: 'gone', plan: null, busy: null, why: 'the sweep ended with 4', ...shares }
  const gateways = [{ name: 'litellm', ...full, ...shares }, { name: 'caddy', ...idle, ...shares }, none]
  const trial = { commands: ['kt bench sweep'], vendors, gateways }
  const lines = peakSection(trial).split('\n')
  const row = (name: string) => lines.find((line) => line.startsWith(`| ${name} `))
  const within = String.raw`[\d,]+ \[[\d,]+, [\d,]+\]`
  expect(row('litellm')).toMatch(
    new RegExp(String.raw`82 % \| 71 %, 93 % \| ${within} \| ${within} \| \$[\d,]+ \[\$.*\| cpu \| [\d,]+ vCPU`),
  )
  expect(row('caddy')).toMatch(/16 % \| .* \| could not be loaded here: at most [\d,]+ \| at most [\d,]+ \| at most \$/)
  expect(row('gone')).toContain('| – | 71 %, 93 % | not planned: the sweep ended with 4 | – |')
  expect(row('kong')).toContain('| 30 workers, 60 to 120 with redundancy; tier: 360 vCPU |')
  const notTold = peakNotTold(trial)
  expect(notTold).toContain('the peak on gone: no plan: the sweep ended with 4')
  expect(notTold.join('\n')).toMatch(/the peak on litellm: extrapolated: the busiest worker was 82 % busy/)
  expect(notTold.join('\n')).toMatch(/the peak on caddy: the busiest worker was 16 % busy/)
})

test('a gateway is swept with its process, and one that is gone has the reason', async () => {
  const [vendors, provider] = await Promise.all([planByVendors(), quickProvider({ ttftMs: 20, gapMs: 5 })])
  const gateway = await startGateway('kt', new URL(provider.url).origin, { folder: dir.file('kt') })
  const length = { levels: [1, 2], step: '2s' }
  const { peak, commands } = await peakOf(gateway, vendors, process, length, dir.path)
  await gateway.stop()
  const { peak: gone } = await peakOf(
    { ...gateway, name: 'gone', pid: process.pid },
    vendors,
    process,
    length,
    dir.path,
  )
  await provider.close()
  expect(commands.map((command) => command.slice(0, 2).join(' '))).toEqual(['bench sweep', 'plan --input-peak'])
  expect(peak.busy).toBeGreaterThan(0)
  expect(peak.providerPercent).toBeGreaterThan(0)
  expect(peak.plan?.calibration ?? peak.why).toBeDefined()
  expect(gone.why).toMatch(/the sweep ended with 4: .*the connection was refused/)
})

test('what stood out is found in the figures alone', () => {
  const direct = arm('direct', 0.1, { baseline: true })
  const scenario = (name: string, ...arms: ArmReading[]): Measured => {
    return { name, title: name, setting: 'plain', flags: [], whole: true, command: '', arms: [...arms, direct] }
  }
  const few = arm('slow', 8, { throughput: { requestsPerSec: 2 }, totals: failed })
  const quiet = arm('slow', 2)
  expect(
    surprisesOf([scenario('json-1', quiet), scenario('json-16', few)], { slow: ['`held-tokens` (x): y'] }),
  ).toEqual([
    {
      name: 'slow',
      seen: [
        '2 of 100 not answered (2 `KT_HTTP_5XX`) (json-16)',
        '2 requests/s where the provider alone has 10 (json-16)',
        'with 16 in flight it adds 8.00 ms at P50, 2.00 ms with one',
        '`kt doctor` finds `held-tokens`',
      ],
    },
  ])
  expect(surprisesOf([scenario('json-1', quiet)], {})).toEqual([{ name: 'slow', seen: [] }])
})
