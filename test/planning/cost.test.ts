// What a plan costs in a month: machines, and its bytes on their way at list prices, and tokens at a model's.
import { afterAll, describe, expect, test } from 'vitest'
import { planCost, type TrafficPrices } from '../../src/plan/cost.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planReport } from '../../src/planning/plan-request.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { chatDemand, type Typed } from '../support/plan.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())

const PRICES: TrafficPrices = {
  region: 'here',
  date: '2026-01',
  source: 'a test',
  loadBalancer: { hour: 1, gb: 0.01 },
  nat: { hour: 2, gb: 0.02 },
  crossZoneGb: 0.03,
  cache: { hour: 4, node: 'a node' },
  egress: [
    { upToGb: 100, gb: 0.1 },
    { upToGb: Number.POSITIVE_INFINITY, gb: 0.05 },
  ],
}
const FLEET = { zones: 3, natGateways: 1, nodes: { perZone: 2, steady: 6, surging: 6 } }
const { figures } = readSizing()
/** All month: 1 GB of prompts and 9 GB of answers an hour. */
const demand = chatDemand(1024 ** 3 / 3_600 / 4.5, (9 * 1024 ** 3) / 3_600 / 290)

const cost = (change: Partial<typeof demand>, choices: Partial<Parameters<typeof planCost>[5]> = {}) =>
  planCost({ ...demand, ...change }, figures, FLEET, 0.5, PRICES, { clientsOutside: true, meanLoad: 1, ...choices })
const part = (made: ReturnType<typeof planCost>, name: string) =>
  made.parts.find((entry) => entry.name === name)?.usdPerMonth ?? Number.NaN

describe('730 hours of 1 GB in and 9 GB out', () => {
  test('each part by its bytes and hours', () => {
    const made = cost({})
    expect(made.gbPerMonth).toBeCloseTo(7_300, 6)
    expect(part(made, 'machines')).toBeCloseTo(6 * 0.5 * 730, 6)
    expect(part(made, 'load balancer')).toBeCloseTo(730 + 73, 6)
    expect(part(made, 'cross-zone')).toBeCloseTo((7_300 * 0.03 * 2) / 3, 6)
    expect(part(made, 'NAT')).toBeCloseTo(3 * 2 * 730 + 146, 6)
    expect(part(made, 'egress')).toBeCloseTo(100 * 0.1 + 7_200 * 0.05, 6)
    expect(made.usdPerMonth).toBeCloseTo(
      made.parts.reduce((sum, { usdPerMonth }) => sum + usdPerMonth, 0),
      6,
    )
    expect(made.trafficUsdPerMonth).toBeCloseTo(made.usdPerMonth - 2_190, 6)
  })

  test('clients inside, and answers of the cache: neither leaves', () => {
    const made = cost({ cacheHitShare: 0.5 }, { clientsOutside: false })
    expect(part(made, 'egress')).toBeCloseTo(100 * 0.1 + 265 * 0.05, 6)
    expect(part(made, 'NAT')).toBeCloseTo(3 * 2 * 730 + 73, 6)
    expect(part(made, 'cache')).toBeCloseTo(2 * 4 * 730, 6)
  })

  test('tokens at the prices of a model, hidden ones as output, at the mean load', () => {
    const model = { model: 'm', input: 1, output: 10, date: '2026-01', source: 'a test' }
    const made = cost({ hiddenTokensPerSec: 100 }, { model, meanLoad: 0.25 })
    const perSec = demand.inputTokensPerSec + 10 * (demand.outputTokensPerSec + 100)
    expect(made.tokens?.usdPerMonth).toBeCloseTo((perSec * 0.25 * 730 * 3_600) / 1e6, 3)
  })
})

const planned = async (flags: Typed) => (await planReport(parsePlanFlags(flags, 'kt plan'))).plan
const PEAKS = { 'input-peak': '80M', 'output-peak': '10M' }

test('the mean load: a third of a peak, one over the multiplier of a day, what the user says', async () => {
  const share = async (flags: Typed) => (await planned(flags)).cost?.meanLoad.share
  const day = { 'requests-per-day': '500M', workload: 'chat' }
  expect(await share(PEAKS)).toBeCloseTo(1 / 3, 12)
  expect(await share({ ...day, 'peak-multiplier': '4' })).toBe(0.25)
  expect(await share({ ...day, 'peak-multiplier': '4', 'mean-load': '40%' })).toBe(0.4)
})

test('prices of the user replace those that ship, of bytes and of models', async () => {
  const traffic = dir.write(
    'traffic.yaml',
    'aws: { region: eu, date: 2026-11, source: mine, load_balancer: { hour: 0, gb: 0 }, nat: { hour: 0, gb: 0 }, ' +
      'cross_zone: 0, cache: { hour: 0, node: x }, egress: [{ gb: 0 }] }\n',
  )
  const models = dir.write('models.yaml', 'mine: { input: 2, output: 0, date: 2026-11, source: contract }\n')
  const { cost: made } = await planned({ ...PEAKS, 'traffic-prices': traffic, model: 'mine', 'model-prices': models })
  expect(made).toMatchObject({ trafficUsdPerMonth: 0, prices: { region: 'eu', source: 'mine' } })
  expect(made?.tokens?.usdPerMonth).toBeCloseTo((2 * 80e6 * 730 * 3_600) / 3 / 1e6, 0)
})

test('what changes the answer: a window that was a second, and figures by a fifth', async () => {
  const { range, fleet } = await planned(PEAKS)
  const { fleet: ofSecond } = await planned({ ...PEAKS, window: '1s' })
  expect(range?.by[0]).toBe('window')
  expect(range?.nodes.low).toBe(ofSecond.nodes.steady)
  expect(range?.nodes.high).toBeGreaterThan(fleet.nodes.steady)
  // A window that is stated is no uncertainty.
  expect((await planned({ ...PEAKS, window: '1s' })).range?.by).not.toContain('window')
})

test('where one machine a zone is enough it is the smallest of its family that still is', async () => {
  const { nodes, fleet } = await planned({ rps: '5', workload: 'chat' })
  expect(nodes.type).toBe('c5.large')
  expect(fleet.nodes).toMatchObject({ perZone: 1, steady: 3 })
  expect((await planned({ rps: '5', workload: 'chat', node: 'c5.4xlarge' })).nodes.type).toBe('c5.4xlarge')
})

test.each<[Typed, string]>([
  [{ ...PEAKS, model: 'gpt-4o-mni' }, "--model: no price of 'gpt-4o-mni' (did you mean 'gpt-4o-mini'?)"],
  [{ ...PEAKS, 'model-prices': 'x.yaml' }, '--model-prices has no effect without --model'],
  [{ ...PEAKS, 'mean-load': '0' }, '--mean-load: 0 sends nothing'],
  [{ ...PEAKS, clients: 'both' }, "'both' is none of outside, inside"],
])('%j is refused', async (flags, message) => {
  expect((await laterRefusalOf(() => planned(flags))).message).toContain(message)
})
