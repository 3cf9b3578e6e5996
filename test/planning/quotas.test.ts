// What providers allow: by the busiest minute, apart for input and output, with reservation, several accounts, failover
// and retries.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { renderPlan } from '../../src/output/plan-table.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { windowPeak } from '../../src/plan/trace.ts'
import { planRequest } from '../../src/planning/plan-request.ts'
import { readTrace } from '../../src/workload/traces/whole.ts'
import { PAGE } from '../support/page.ts'
import { planOptions, type Typed } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'
import { azureTrace } from '../support/traces.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const planOf = async (flags: Typed) => {
  const { demand, sizing, choices } = await planRequest(planOptions(flags))
  return { demand, plan: makePlan(demand, sizing, choices) }
}
const quotasOf = async (flags: Typed) => (await planOf(flags)).plan.quotas

const TRACE = { trace: azureTrace('code'), 'allow-gaps': true, scale: '1000' }

describe('a quota of a minute', () => {
  test('is held against the busiest minute, whatever the window of the peak', async () => {
    const trace = await readTrace(azureTrace('code'), { allowGaps: true })
    const peak = windowPeak(trace, 60)
    const minute = (peak.inputTokensPerSec + peak.outputTokensPerSec) * 60 * 1_000
    for (const window of ['1s', '10s', '60s']) {
      const [tokens] = await quotasOf({ ...TRACE, window, 'quota-tpm': '1500M' })
      expect((tokens?.need ?? 0) / minute, window).toBeCloseTo(1, 1)
      expect(tokens?.accounts, window).toBeLessThan(1.1)
    }
  })

  test('of peaks of a second is by the trace of their kind', async () => {
    const at = async (window: string) =>
      (await quotasOf({ 'input-peak': '80M', 'output-peak': '10M', window, 'quota-tpm': '1G' }))[0]?.need ?? 0
    expect(await at('60s')).toBeCloseTo(90e6 * 60, 0)
    // 3.8 times the mean in a second, 1.5 in a minute.
    expect(await at('1s')).toBeCloseTo((90e6 * 60 * 1.5) / 3.8, 0)
  })
})

const DAY = { rps: '50', 'avg-input-tokens': '1200', 'avg-output-tokens': '800' }

test('input and output have quotas of their own; max_tokens are reserved when a request comes', async () => {
  const flags = { ...DAY, 'quota-itpm': '2M', 'quota-otpm': '1M', 'quota-rpm': '4k', accounts: '3' }
  expect(await quotasOf(flags)).toMatchObject([
    { name: 'input tokens per minute', need: 3.6e6, accounts: 1.8, have: 3 },
    { name: 'output tokens per minute', need: 2.4e6, accounts: 2.4 },
    { name: 'requests per minute', need: 3_000, accounts: 0.75 },
  ])
  const reserved = await quotasOf({ ...DAY, 'quota-tpm': '10M', 'max-tokens': '4096' })
  expect(reserved[0]?.need).toBe(50 * 60 * (1_200 + 4_096))
})

test('retries ask again: 10 % of failures with two retries are 1.11 requests each', async () => {
  const { plan } = await planOf({ ...DAY, 'quota-rpm': '4k', failing: '10%' })
  expect(plan.amplification).toBeCloseTo(1.11, 9)
  expect(plan.quotas[0]?.need).toBeCloseTo(3_000 * 1.11, 6)
  expect((await planOf({ ...DAY, 'quota-rpm': '4k', failing: '10%', retries: '0' })).plan.amplification).toBe(1)
})

const PROVIDERS = `providers:
  - { name: one, share: 70, accounts: 2, tpm: 3M, rpm: 2k }
  - { name: two, share: 30, itpm: 1.2M, otpm: 1M }
`

test('several providers, and what the others must carry where one fails', async () => {
  const path = join(dir.path, 'providers.yaml')
  writeFileSync(path, PROVIDERS)
  const { plan } = await planOf({ ...DAY, providers: path })
  expect(plan.quotas).toMatchObject([
    { provider: 'one', name: 'tokens per minute', need: 4.2e6, accounts: 1.4, have: 2 },
    { provider: 'one', name: 'requests per minute', need: 2_100 },
    { provider: 'two', name: 'input tokens per minute', need: 1.08e6, have: 1 },
    { provider: 'two', name: 'output tokens per minute', need: 0.72e6 },
    { provider: 'two', without: 'one', name: 'input tokens per minute', need: 3.6e6, accounts: 3 },
    { provider: 'two', without: 'one', name: 'output tokens per minute', need: 2.4e6 },
    { provider: 'one', without: 'two', name: 'tokens per minute', need: 6e6, accounts: 2 },
    { provider: 'one', without: 'two', name: 'requests per minute', need: 3_000 },
  ])
  const text = renderPlan({ schema: 'kt.plan/1', kt: { version: '0' }, ...plan }, PAGE)
  expect(text).toMatch(/without one:\n +two +input tokens per minute +3\.6M of 1\.2M +takes 3 accounts/)
  expect(text).not.toContain('over the quota')
})

test.each([
  [{ accounts: '2' }, '--accounts has no effect without a quota'],
  [{ 'max-tokens': '100' }, '--max-tokens has no effect without a quota'],
  [{ retries: '1' }, '--retries has no effect without --failing'],
  [{ failing: '100%' }, 'nothing is answered'],
  [{ 'quota-tpm': '0' }, '--quota-tpm'],
])('%j is refused', async (flags, message) => {
  expect((await laterRefusalOf(() => quotasOf({ ...DAY, ...flags }))).message).toContain(message)
})

test.each([
  [PROVIDERS.replace('70', '60'), 'shares must add up to 100'],
  [PROVIDERS.replace('two', 'one'), 'a name stands there twice'],
  [PROVIDERS.replace('tpm: 3M', 'tpm: -3'), 'tpm'],
])('a file of providers is checked: %#', async (text, message) => {
  const path = join(dir.path, 'wrong.yaml')
  writeFileSync(path, text)
  expect((await laterRefusalOf(() => quotasOf({ ...DAY, providers: path }))).message).toContain(message)
})
