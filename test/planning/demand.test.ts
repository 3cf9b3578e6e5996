// The demand in every way it can be said, as flags: peaks, rates, days, users, profiles, mixes.
import { describe, expect, test } from 'vitest'
import type { Demand } from '../../src/plan/demand.ts'
import { quotaPlan } from '../../src/plan/quotas.ts'
import { buildDemand } from '../../src/planning/demand-request.ts'
import { chat, planOptions, type Typed } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const demandOf = async (flags: Typed) => buildDemand(planOptions(flags))
/** As a provider's quota counts them. */
const tokensPerMinute = (demand: Demand): number =>
  quotaPlan(demand, { providers: [{ name: 'p', share: 1, accounts: 1, limits: { 'tokens per minute': 1 } }] }).needs[0]
    ?.need ?? Number.NaN
const refusal = async (flags: Typed): Promise<string> => (await laterRefusalOf(() => demandOf(flags))).message

test('peaks: the rate follows from the mean chat request, and is said to', async () => {
  const demand = await demandOf({ 'input-peak': '80M', 'output-peak': '10M' })
  expect(demand).toMatchObject({
    inputTokensPerSec: 80e6,
    outputTokensPerSec: 10e6,
    requestsKnown: false,
    window: { stated: false },
  })
  expect(demand.requestsPerSec).toBeCloseTo(10e6 / chat.outputTokens, 6)
  expect(demand.request.inputTokens * demand.requestsPerSec).toBeCloseTo(80e6, 3)
})

test('peaks with a rate: the mean request follows', async () => {
  const demand = await demandOf({ 'input-peak': '1M', 'output-peak': '100k', rps: '500' })
  expect(demand).toMatchObject({ requestsKnown: true, requestsPerSec: 500 })
  expect([demand.request.inputTokens, demand.request.outputTokens]).toEqual([2_000, 200])
})

describe('the figures of a published capacity guide (docs.keeptrusts.com, capacity-planning)', () => {
  test('10,000 requests/day of 2,000 tokens are 20M tokens/day', async () => {
    const demand = await demandOf({
      'requests-per-day': '10000',
      'avg-input-tokens': '1500',
      'avg-output-tokens': '500',
    })
    expect(demand.notes.join()).toContain('20M tokens/day')
    expect((tokensPerMinute(demand) / 60) * 86_400).toBeCloseTo(20e6, 3)
  })

  test('50 requests/s of 2,000 tokens are 6M tokens/minute', async () => {
    const demand = await demandOf({ rps: '50', 'avg-input-tokens': '1200', 'avg-output-tokens': '800' })
    expect(tokensPerMinute(demand)).toBeCloseTo(6e6, 6)
  })
})

test('requests per day times the peak multiplier', async () => {
  const demand = await demandOf({
    'requests-per-day': '50k',
    'avg-input-tokens': '1500',
    'avg-output-tokens': '800',
    'peak-multiplier': '3',
  })
  expect(demand.requestsPerSec).toBeCloseTo((50_000 / 86_400) * 3, 9)
  expect(demand.form).toBe('50k requests/day x 3')
})

test('users', async () => {
  const demand = await demandOf({ users: '20k', 'requests-per-user-hour': '12', workload: 'chat' })
  expect(demand.requestsPerSec).toBeCloseTo((20_000 * 12) / 3_600, 9)
  expect(demand.inputTokensPerSec).toBeCloseTo(((20_000 * 12) / 3_600) * chat.inputTokens, 6)
})

test('a mix weighs tokens by requests, in percent or in parts of one', async () => {
  const demand = await demandOf({ rps: '1000', mix: 'chat=70,rag=20,code-agent=10' })
  expect(demand.request.inputTokens).toBeCloseTo(0.7 * 1155 + 0.2 * 4096 + 0.1 * 2048, 1)
  expect(demand.request.outputTokens).toBeCloseTo(0.7 * 211 + 0.2 * 512 + 0.1 * 28, 2)
  const parts = await demandOf({ rps: '1000', mix: 'chat=0.7, rag=0.2, code-agent=0.1' })
  expect(parts.request.inputTokens).toBeCloseTo(demand.request.inputTokens, 6)
  expect(parts.request.name).toBe(demand.request.name)
  const percent = await demandOf({ rps: '1000', mix: 'chat=70%,rag=20%,code-agent=10%' })
  expect(percent.request).toEqual(demand.request)
  // A third is no decimal fraction.
  await demandOf({ rps: '1', mix: 'chat=33.3%,rag=33.3%,code-agent=33.3%' })
})

test('a trace that is shorter than the window says so in full', async () => {
  const dir = tempDir()
  const rows = [
    'TIMESTAMP,ContextTokens,GeneratedTokens',
    '2023-11-16 18:17:03.97,4808,10',
    '2023-11-16 18:17:04.27,3,8',
  ]
  const trace = dir.write('short.csv', `${rows.join('\n')}\n`)
  const told = [await refusal({ trace }), await refusal({ trace, window: '10s' })]
  dir.remove()
  expect(told[0]).toBe(
    `${trace}: the trace is 300 ms long, shorter than the window of 1 s that the peak is the average over`,
  )
  expect(told[1]).toContain('shorter than the window of 10 s')
})

test('a trace of any columns is read by their names', async () => {
  const dir = tempDir()
  const rows = Array.from({ length: 40 }, (_, i) => `${i * 500},${i % 2 === 0 ? 100 : 300},50`)
  const trace = dir.write('own.csv', `when_ms,prompt,answer\n${rows.join('\n')}\n`)
  const demand = await demandOf({ trace, 'trace-columns': 'at-ms=when_ms,input=prompt,output=answer', window: '10s' })
  const unnamed = await refusal({ trace })
  const alone = await refusal({ rps: '1', 'trace-columns': 'at-ms=when_ms,input=prompt,output=answer' })
  dir.remove()
  expect(demand.requestsPerSec).toBeCloseTo(2, 6)
  expect(demand.request).toMatchObject({ inputTokens: 200, outputTokens: 50 })
  expect(unnamed).toContain(trace)
  expect(alone).toContain('--trace')
})

test('streamed, hidden and cached tokens are kept apart', async () => {
  const reasoning = await demandOf({ rps: '100', workload: 'reasoning' })
  expect([reasoning.outputTokensPerSec, reasoning.hiddenTokensPerSec]).toEqual([30_000, 70_000])
  const batch = await demandOf({ rps: '100', mix: 'batch=50,chat=50' })
  expect(batch.request.streamedShare).toBeCloseTo(211 / 1211, 5)
  expect((await demandOf({ rps: '100', workload: 'embeddings' })).outputTokensPerSec).toBe(0)
  expect((await demandOf({ rps: '100', workload: 'chat', 'cache-hits': '10%' })).cacheHitShare).toBeCloseTo(0.1, 12)
})

test('embeddings as peaks: no output, the rate follows from the input', async () => {
  const demand = await demandOf({ 'input-peak': '80M', 'output-peak': '0', workload: 'embeddings' })
  expect(demand.requestsPerSec).toBeCloseTo(160_000, 6)
  expect(demand).toMatchObject({ outputTokensPerSec: 0, request: { outputTokens: 0 } })
})

test('a window hides bursts: chat over 60 s lies 3.8 / 1.5 below its second, where a trace was read', async () => {
  const demand = await demandOf({ 'input-peak': '1M', 'output-peak': '100k', window: '60s', workload: 'chat' })
  expect(demand.burst.factor).toBeCloseTo(3.8 / 1.5, 9)
  const burst = async (flags: Typed) => (await demandOf({ rps: '10', workload: 'chat', ...flags })).burst
  // Between two windows of the table by the logarithm of both; above the last the window's peak is its mean.
  expect((await burst({ window: '25s' })).factor).toBeCloseTo(3.8 / (2 * 0.75 ** (Math.log(2.5) / Math.log(6))), 9)
  expect(await burst({ window: '1h' })).toMatchObject({ factor: 3.8, why: expect.stringContaining('ends at 60 s') })
  // Nobody recorded rag: its bursts are taken for those of chat, which is said; of a mix the kind that bursts most.
  expect(await burst({ workload: 'rag', window: '60s' })).toMatchObject({
    factor: expect.closeTo(3.8 / 1.5, 9),
    why: expect.stringContaining('chat (assumed) trace'),
  })
  const mix = await demandOf({ rps: '10', mix: 'chat=90,code-agent=10', window: '60s' })
  expect(mix.burst.factor).toBeCloseTo(25 / 4.3, 9)
})

test('a window that is not stated is read as a minute, not as a second', async () => {
  const demand = await demandOf({ rps: '10', workload: 'chat' })
  expect(demand.window).toEqual({ seconds: 60, stated: false })
  expect(demand.burst.factor).toBeCloseTo(3.8 / 1.5, 9)
  expect((await demandOf({ rps: '10', workload: 'chat', window: '1s' })).burst.factor).toBe(1)
})

const peaks = { 'input-peak': '80M', 'output-peak': '10M' }
test.each<[Typed, string]>([
  [{}, 'how much has to be carried is not said'],
  [{ 'input-peak': '80M' }, '--output-peak is missing'],
  [{ ...peaks, 'requests-per-day': '10' }, 'the demand is said twice'],
  [{ rps: '10', users: '10' }, 'a second time'],
  [{ rps: '10' }, 'says how many requests, not how large they are'],
  [{ rps: '0', workload: 'chat' }, '--rps: must be above 0, not 0'],
  [{ 'requests-per-day': '-5', workload: 'chat' }, '--requests-per-day: must be above 0, not -5'],
  [{ users: '10', workload: 'chat' }, '--requests-per-user-hour is missing'],
  [{ rps: '10', workload: 'chats' }, "no workload profile 'chats' (did you mean 'chat'?)"],
  [{ rps: '10', workload: 'chat', mix: 'chat=1' }, '--workload and --mix'],
  [{ rps: '10', mix: 'chat=70,rag' }, "'rag' is not a profile with a share above 0"],
  [{ rps: '10', mix: 'chat=0' }, "'chat=0' is not a profile with a share above 0"],
  [{ rps: '10', mix: 'chat=1,chat=2' }, "'chat' stands there twice"],
  [{ rps: '10', mix: 'chat=70%,rag=20%' }, '--mix: the shares add up to 90 %'],
  [{ rps: '10', mix: 'chat=70,rag=40' }, '--mix: the shares add up to 110'],
  [{ ...peaks, workload: 'embeddings' }, '--output-peak 10M: a request of embeddings has no output tokens'],
  [{ 'input-peak': '80M', 'output-peak': '0' }, '--output-peak 0: a request of chat (assumed) has output tokens'],
  [{ ...peaks, rps: '0.001' }, 'a request would have 80G input tokens: no model reads that many'],
  [{ 'input-peak': '1M', 'output-peak': '1G', rps: '100' }, 'a request would have 10M output tokens'],
  [{ ...peaks, rps: '1G' }, 'a request would have 0.08 input tokens: a request has one at least'],
  [
    { rps: '1', workload: 'chat', 'peak-multiplier': '0.1' },
    '--peak-multiplier: below 1 it plans for less than the mean',
  ],
  [{ ...peaks, 'cache-hits': '100%' }, '--cache-hits: with all of them cached no provider is asked'],
  [{ ...peaks, window: '5ms' }, '--window: a peak is the average over 1s to 1d'],
  [{ ...peaks, window: '2d' }, '--window: a peak is the average over 1s to 1d'],
  [{ ...peaks, zones: '1000000' }, '--zones: no region has more than 100 zones'],
  [{ ...peaks, 'bytes-per-output-token': '290B' }, "--bytes-per-output-token: '290B' is not a number of bytes"],
  [{ ...peaks, 'bytes-per-input-token': '4.5k' }, "--bytes-per-input-token: '4.5k' is not a number of bytes"],
  [{ ...peaks, 'memory-per-stream': '64' }, "--memory-per-stream: '64' is not a size with its unit"],
  [{ ...peaks, 'memory-base': '500' }, "--memory-base: '500' is not a size with its unit"],
  [{ ...peaks, 'body-buffer': '4096' }, "--body-buffer: '4096' is not a size with its unit"],
  [{ ...peaks, rss: '100=180,2000=310MiB' }, "--rss: '100=180' is not streams=size"],
  [{ rps: '10', mix: 'chat=70%,rag=30' }, 'some of the shares are percentages and some are not'],
  [{ ...peaks, scale: '10' }, '--scale has no effect with --input-peak/--output-peak'],
  [{ ...peaks, 'peak-multiplier': '3' }, '--peak-multiplier has no effect'],
  [{ ...peaks, window: '60' }, "--window: '60' is not a duration"],
  [{ ...peaks, 'cache-hits': '110%' }, "--cache-hits: '110%' is not a share"],
  [{ rps: '10', 'avg-input-tokens': '0', 'avg-output-tokens': '5' }, '--avg-input-tokens: must be above 0, not 0'],
])('%j is refused', async (flags, message) => {
  expect(await refusal(flags)).toContain(message)
})
