// The demand in every way it can be said, as flags: peaks, rates, days, users, profiles, mixes.
import { describe, expect, test } from 'vitest'
import { tokensPerMinute } from '../../src/plan/demand.ts'
import { buildDemand } from '../../src/planning/demand-request.ts'
import { chat, planOptions, type Typed } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const demandOf = async (flags: Typed) => buildDemand(planOptions(flags))
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
  const demand = await demandOf({ users: '20k', 'requests-per-user-hour': '12', profile: 'chat' })
  expect(demand.requestsPerSec).toBeCloseTo((20_000 * 12) / 3_600, 9)
  expect(demand.inputTokensPerSec).toBeCloseTo(((20_000 * 12) / 3_600) * chat.inputTokens, 6)
})

test('a mix weighs tokens by requests, in percent or in any parts', async () => {
  const demand = await demandOf({ rps: '1000', mix: 'chat=70,rag=20,code-agent=10' })
  expect(demand.request.inputTokens).toBeCloseTo(0.7 * 1155 + 0.2 * 4096 + 0.1 * 2048, 1)
  expect(demand.request.outputTokens).toBeCloseTo(0.7 * 211 + 0.2 * 512 + 0.1 * 28, 2)
  const parts = await demandOf({ rps: '1000', mix: 'chat=7, rag=2, code-agent=1' })
  expect(parts.request).toEqual(demand.request)
  const percent = await demandOf({ rps: '1000', mix: 'chat=70%,rag=20%,code-agent=10%' })
  expect(percent.request).toEqual(demand.request)
  // A third is no decimal fraction.
  await demandOf({ rps: '1', mix: 'chat=33.3%,rag=33.3%,code-agent=33.3%' })
  // Shares that add up to something else are taken as parts, and that is said.
  expect(demand.notes).toEqual([])
  const short = await demandOf({ rps: '1000', mix: 'chat=70,rag=20' })
  expect(short.notes).toEqual([
    'the shares of --mix add up to 90, and are taken as parts of that: chat 77.8 %, rag 22.2 %',
  ])
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

test('streamed, hidden and cached tokens are kept apart', async () => {
  const reasoning = await demandOf({ rps: '100', profile: 'reasoning' })
  expect([reasoning.outputTokensPerSec, reasoning.hiddenTokensPerSec]).toEqual([30_000, 70_000])
  const batch = await demandOf({ rps: '100', mix: 'batch=50,chat=50' })
  expect(batch.request.streamedShare).toBeCloseTo(211 / 1211, 5)
  expect((await demandOf({ rps: '100', profile: 'embeddings' })).outputTokensPerSec).toBe(0)
  expect((await demandOf({ rps: '100', profile: 'chat', 'cache-hits': '10%' })).cacheHitShare).toBeCloseTo(0.1, 12)
})

test('a window hides bursts: chat over 60 s lies 3.8 / 1.5 below its second, where a trace was read', async () => {
  const demand = await demandOf({ 'input-peak': '1M', 'output-peak': '100k', window: '60s', profile: 'chat' })
  expect(demand.burst.factor).toBeCloseTo(3.8 / 1.5, 9)
  expect((await demandOf({ rps: '10', profile: 'rag', window: '60s' })).burst).toMatchObject({ factor: 1 })
})

const peaks = { 'input-peak': '80M', 'output-peak': '10M' }
test.each<[Typed, string]>([
  [{}, 'how much has to be carried is not said'],
  [{ 'input-peak': '80M' }, '--output-peak is missing'],
  [{ ...peaks, 'requests-per-day': '10' }, 'the demand is said twice'],
  [{ rps: '10', users: '10' }, 'a second time'],
  [{ rps: '10' }, 'says how many requests, not how large they are'],
  [{ rps: '0', profile: 'chat' }, '--rps: must be above 0, not 0'],
  [{ 'requests-per-day': '-5', profile: 'chat' }, '--requests-per-day: must be above 0, not -5'],
  [{ users: '10', profile: 'chat' }, '--requests-per-user-hour is missing'],
  [{ rps: '10', profile: 'chats' }, "no workload profile 'chats' (did you mean 'chat'?)"],
  [{ rps: '10', profile: 'chat', mix: 'chat=1' }, '--profile and --mix'],
  [{ rps: '10', mix: 'chat=70,rag' }, "'rag' is not a profile with a share above 0"],
  [{ rps: '10', mix: 'chat=0' }, "'chat=0' is not a profile with a share above 0"],
  [{ rps: '10', mix: 'chat=1,chat=2' }, "'chat' stands there twice"],
  [{ rps: '10', mix: 'chat=70%,rag=20%' }, '--mix: the shares add up to 90 %'],
  [{ rps: '10', mix: 'chat=70%,rag=30' }, 'some of the shares are percentages and some are not'],
  [{ ...peaks, scale: '10' }, '--scale has no effect with --input-peak/--output-peak'],
  [{ ...peaks, 'peak-multiplier': '3' }, '--peak-multiplier has no effect'],
  [{ ...peaks, window: '60' }, "--window: '60' is not a duration"],
  [{ ...peaks, 'cache-hits': '110%' }, "--cache-hits: '110%' is not a share"],
  [{ rps: '10', 'avg-input-tokens': '0', 'avg-output-tokens': '5' }, '--avg-input-tokens: must be above 0, not 0'],
])('%j is refused', async (flags, message) => {
  expect(await refusal(flags)).toContain(message)
})
