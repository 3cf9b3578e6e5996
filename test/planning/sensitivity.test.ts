// What a plan hangs on, scenarios side by side, and when growth uses it up.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { UserError } from '../../src/errors.ts'
import { renderSensitivity } from '../../src/output/sensitivity-table.ts'
import { exhaustion } from '../../src/plan/sensitivity.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planReport } from '../../src/planning/plan-request.ts'
import { dayAfter, parseSensitivityFlags } from '../../src/planning/sensitivity-flags.ts'
import { sensitivityRequest } from '../../src/planning/sensitivity-request.ts'
import { PAGE } from '../support/page.ts'
import type { Typed } from '../support/plan.ts'

const requested = async (flags: Typed) => sensitivityRequest(parseSensitivityFlags({ by: '20%', ...flags }))

const peaks = { 'input-peak': '80M', 'output-peak': '10M' }

describe('the tornado', () => {
  test('where the network binds, a fifth of its bytes is a fifth of the nodes that output takes', async () => {
    const { tornado } = await requested(peaks)
    expect(tornado.binding).toBe('network')
    expect(tornado.swings.slice(0, 3).map(({ name }) => name)).toEqual([
      'networkUtilisation',
      'outputBytesPerToken',
      'outputTokensPerSec',
    ])
    const bytes = tornado.swings.find(({ name }) => name === 'outputBytesPerToken')
    // 10M x 290 B x 8 x 0.4 / 3.5 Gbit/s
    expect(bytes?.swing).toBeCloseTo((10e6 * 290 * 8 * 0.4) / 3.5e9, 9)
    expect(tornado.swings.find(({ name }) => name === 'ratio')?.swing).toBe(0)
  })

  test('where the CPU binds, what a worker passes matters most', async () => {
    const { tornado } = await requested({ ...peaks, 'output-per-worker': '50k' })
    expect(tornado.swings[0]).toMatchObject({
      name: 'outputPerWorker',
      nodes: { low: 50, high: expect.closeTo(33.33, 2) },
    })
  })

  test('fits 80 columns, with the answer in the first line', async () => {
    const text = renderSensitivity(
      await requested({ ...peaks, 'what-if': ['upstream=h2', 'mix=chat=70,rag=30,streamed-share=50%'] }),
      true,
      PAGE,
    )
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(text).toMatch(/^share of bandwidth matters most: 9.31 to 6.21 nodes/)
  })
})

test('scenarios are the same plan with other options, side by side', async () => {
  const { scenarios } = await requested({
    ...peaks,
    'what-if': ['upstream=h2', 'node=c6i.8xlarge, output-per-worker=500k', 'mix=chat=70,rag=30,window=60s'],
  })
  expect(scenarios.map(({ name, workers, nodes, node }) => [name, workers.peak, nodes.peak, node])).toEqual([
    ['as it is', 73, 8, 'c5.4xlarge'],
    ['upstream=h2', 73, 8, 'c5.4xlarge'],
    ['node=c6i.8xlarge, output-per-worker=500k', 73, 3, 'c6i.8xlarge'],
    ['mix=chat=70,rag=30,window=60s', 73, 8, 'c5.4xlarge'],
  ])
})

test('growth by quarter: pods, nodes and dollars of what is deployed then, and what binds', async () => {
  const { growth } = await requested({ ...peaks, growth: '8%/month', today: '2026-11-30', quarters: '4' })
  expect(growth?.quarters.map(({ from }) => from)).toEqual([
    '2026-11-30',
    '2027-03-01',
    '2027-05-31',
    '2027-08-30',
    '2027-11-30',
  ])
  const last = growth?.quarters.at(-1)
  expect(last?.times).toBeCloseTo(1.08 ** 12, 9)
  const grown = { 'input-peak': String(80e6 * 1.08 ** 12), 'output-peak': String(10e6 * 1.08 ** 12) }
  const { plan } = await planReport(parsePlanFlags(grown, 'kt plan'))
  expect(last).toMatchObject({
    pods: plan.fleet.pods.steady,
    nodes: plan.fleet.nodes.steady,
    binding: plan.fleet.binding,
  })
  expect(last?.usdPerMonth).toBeCloseTo(plan.cost?.usdPerMonth ?? 0, 4)
  expect(last?.machinesUsdPerMonth).toBeCloseTo(plan.fleet.nodes.steady * 0.68 * 730, 4)
  // Without --have it is what is deployed now.
  expect(growth?.have.workers).toBe(growth?.quarters[0]?.pods)
})

describe('growth', () => {
  test('ln(capacity / now) / ln(1 + g) periods, and a lead time before', () => {
    const result = exhaustion(30, 84, { rate: 0.08, periodDays: 30 }, 42)
    expect(result.days).toBeCloseTo((Math.log(84 / 30) / Math.log(1.08)) * 30, 9)
    expect(result.orderInDays).toBeCloseTo((result.days ?? 0) - 42, 9)
  })

  test('at the day it is exhausted, the demand is the capacity', () => {
    const rate = fc.double({ min: 0.001, max: 2, noNaN: true })
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e4, noNaN: true }),
        fc.double({ min: 1.01, max: 100, noNaN: true }),
        rate,
        (now, times, g) => {
          const { days = Number.NaN } = exhaustion(now, now * times, { rate: g, periodDays: 30 }, 0)
          expect((now * (1 + g) ** (days / 30)) / (now * times)).toBeCloseTo(1, 6)
        },
      ),
    )
  })

  test('never, where it does not grow; already, where there is too little', () => {
    expect(exhaustion(30, 84, { rate: -0.1, periodDays: 30 }, 42).days).toBeUndefined()
    expect(exhaustion(90, 84, { rate: 0.1, periodDays: 30 }, 42)).toMatchObject({ days: 0, orderInDays: -42 })
  })

  test('days of the calendar', async () => {
    expect(dayAfter('2026-11-23', 407.3)).toBe('2028-01-04')
    expect(dayAfter('2028-02-28', 1)).toBe('2028-02-29')
    const { growth } = await requested({
      ...peaks,
      growth: '8%/month',
      have: '120',
      'lead-time': '6w',
      today: '2026-11-23',
    })
    // 120 workers are 8 nodes: the network, at 7.45 of them, is used up long before 84 workers are; ln(8 / 7.451) /
    // ln(1.08) months.
    expect(growth).toMatchObject({
      binding: 'network',
      exhaustedOn: '2026-12-21',
      orderBy: '2026-11-09',
      have: { workers: 120, nodes: 8, node: 'c5.4xlarge' },
    })
    const days = new Map(growth?.limits.map(({ name, days: left }) => [name, left]))
    expect(days.get('network')).toBeCloseTo((Math.log(8 / (26.08 / 3.5)) / Math.log(1.08)) * (365.25 / 12), 6)
    expect(days.get('cpu')).toBeCloseTo((Math.log(84 / 30) / Math.log(1.08)) * (365.25 / 12), 6)
  })
})

test.each([
  [{ 'what-if': ['output-per-wroker=1M'] }, "no option 'output-per-wroker' (did you mean 'output-per-worker'?)"],
  [{ 'what-if': ['upstream'] }, "'upstream' is not option=value"],
  [{ 'what-if': ['upstream=h3'] }, "--upstream-http: 'h3' is none of h1, h2"],
  [{ 'what-if': ['ratio=0'] }, '--ratio: must be above 0, not 0'],
  [{ by: '0' }, '--by: 0 moves nothing'],
  [{ growth: '8', have: '10' }, "'8' is not a share a period"],
  [{ quarters: '4' }, '--quarters has no effect without --growth'],
  [{ growth: '8%/month', quarters: '100' }, 'no growth holds for more than 40'],
  [{ growth: '8%/month', have: '120', 'lead-time': '6' }, "'6' is not a time in days, weeks or months"],
  [{ growth: '8%/month', have: '120', today: '2026-02-30' }, "'2026-02-30' is not a day"],
  [{ have: '10' }, '--have has no effect without --growth'],
])('%j is refused', async (flags, message) => {
  const refusal: unknown = await requested({ ...peaks, ...flags }).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(UserError)
  expect((refusal as UserError).message).toContain(message)
})
