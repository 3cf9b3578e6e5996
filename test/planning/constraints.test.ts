// Everything that can bind beside the CPU, on the worked example of the vendor's page, and what must hold for every
// demand.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestsInFlight } from '../../src/plan/constraints.ts'
import { withFigure } from '../../src/plan/figures.ts'
import { defaultChoices, makePlan, type PlanChoices } from '../../src/plan/plan.ts'
import { planRequest } from '../../src/planning/plan-request.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { planSchema } from '../../src/report/plan-schema.ts'
import { chat, chatDemand, planOptions } from '../support/plan.ts'

const sizing = readSizing()
const choices = defaultChoices(sizing)
const plan = (demand = chatDemand(80e6, 10e6), change: Partial<PlanChoices> = {}) =>
  makePlan(demand, sizing, { ...choices, ...change })
const need = (result: ReturnType<typeof plan>, name: string) =>
  result.constraints.find((constraint) => constraint.name === name)?.need ?? Number.NaN

describe('80M in and 10M out', () => {
  const result = plan()

  test('26.08 Gbit/s cross each way: 290 B an output token, 4.5 B an input token', () => {
    expect(result.nodes.eachWayGbps).toBeCloseTo((80e6 * 4.5 + 10e6 * 290) * 8e-9, 9)
    expect(result.nodes.eachWayGbps).toBeCloseTo(26.08, 9)
  })

  // At 70 % of the baseline of c5.4xlarge the network needs 8 nodes where the CPU needs 2, or 8 at 4x.
  test('the network binds: 8 nodes at the peak, 30 at 4x, where the CPU needs 2 and 8', () => {
    expect(result.answer).toMatchObject({
      binding: 'network',
      next: 'events',
      nodes: { peak: 8, min: 15, max: 30 },
    })
    expect(result.nodes.counts.map(({ cpuNodes, networkNodes }) => [cpuNodes, networkNodes])).toEqual([
      [2, 8],
      [4, 15],
      [8, 30],
    ])
  })

  // 247k in flight by Little's law (47.4k requests/s x 1 s + 10M / 50), doubled upstream: 16.5k a worker against the
  // cap of 16,384.
  test('connections take a 31st worker', () => {
    expect(result.demand.inFlight).toBeCloseTo(10e6 / chat.outputTokens + 10e6 / 50, 6)
    expect((2 * result.demand.inFlight) / 30).toBeCloseTo(16_493, 0)
    expect(need(result, 'connections')).toBeCloseTo((2 * result.demand.inFlight) / 16_384, 9)
    // More are needed for events, of which a token is one.
    expect(result.constraints.find(({ name }) => name === 'connections')?.counts[0]?.need).toBe(31)
    expect(result.workers.peak).toBe(30)
  })

  test('hidden tokens never cross the gateway, but a connection waits while they are generated', async () => {
    const { demand, choices: chosen } = await planRequest(planOptions({ rps: '100', workload: 'reasoning' }))
    // 100/s x (1 s + (300 visible + 700 hidden) / 50): 2,100 in flight, not 700.
    expect(requestsInFlight(demand, chosen.figures)).toBeCloseTo(2_100, 9)
    const { eachWayGbps } = makePlan(demand, sizing, chosen).nodes
    expect(eachWayGbps).toBeCloseTo((100 * 1_000 * 4.5 + 100 * 300 * 290) * 8e-9, 12)
  })

  test('over HTTP/2 a hundred streams share an upstream connection, and connections no longer bind', () => {
    const h2 = plan(chatDemand(80e6, 10e6), { setting: { ...choices.setting, upstream: 'h2' } })
    expect(need(h2, 'connections')).toBeCloseTo((1.01 * h2.demand.inFlight) / 16_384, 9)
    expect(h2.constraints.find(({ name }) => name === 'connections')?.counts[0]?.need).toBeLessThan(30)
  })

  test('without upstream keep-alive each request keeps a port for TIME_WAIT, and ports bind', () => {
    const closing = plan(chatDemand(80e6, 10e6), { setting: { ...choices.setting, upstreamKeepAlive: false } })
    const { requestsPerSec, inFlight } = closing.demand
    expect(need(closing, 'ports')).toBeCloseTo((inFlight + requestsPerSec * 60) / 28_232, 6)
    expect(closing.answer.workers.peak).toBe(110)
  })

  test('memory: the workers, their streams and their bodies', () => {
    const { inFlight, request } = result.demand
    const bytes = 30 * 500 * 1024 ** 2 + inFlight * (64 * 1024 + request.inputTokens * 4.5)
    expect(need(result, 'memory')).toBeCloseTo(bytes / (27_381 * 1024 ** 2), 6)
  })

  // Kong, large payloads: at 1,000 concurrent requests +1 MB of buffer is about +1 GB.
  test('a thousand requests in flight with a megabyte each are a gigabyte of bodies', () => {
    const large = chatDemand(1e9, 50_000, 998)
    const figures = withFigure(choices.figures, 'bodyBufferBytes', 1e6, 'given', 'test')
    const result = plan(large, { figures: withFigure(figures, 'tokensPerSecPerStream', 25_000, 'given', 'test') })
    const bodies = result.constraints
      .find(({ name }) => name === 'memory')
      ?.inputs.find(({ name }) => name === 'bodies')
    expect(result.demand.inFlight).toBeCloseTo(1_000, 6)
    expect(bodies?.value).toBeCloseTo(1e9, 0)
  })

  test('bodies over the buffer spill to disk and hold a descriptor each', () => {
    const small = plan(chatDemand(80e6, 10e6), {
      figures: withFigure(choices.figures, 'bodyBufferBytes', 8_192, 'given', 'test'),
    })
    expect(need(small, 'descriptors')).toBe(need(small, 'connections'))
    const tiny = plan(chatDemand(80e6, 10e6), {
      figures: withFigure(choices.figures, 'bodyBufferBytes', 1_024, 'given', 'test'),
    })
    expect(need(tiny, 'descriptors')).toBeCloseTo(1.5 * need(tiny, 'connections'), 9)
  })
})

test('quotas count hidden tokens and spare cache hits; the gateway sees neither upstream', () => {
  const demand = { ...chatDemand(1e6, 1e5), hiddenTokensPerSec: 2e5, cacheHitShare: 0.25 }
  const result = plan(demand, {
    quota: {
      providers: [
        { name: 'p', share: 100, accounts: 1, limits: { 'tokens per minute': 30e6, 'requests per minute': 1e6 } },
      ],
    },
  })
  expect(result.quotas[0]).toMatchObject({ name: 'tokens per minute', need: (1e6 + 1e5 + 2e5) * 60 * 0.75 })
  expect(result.quotas[0]?.accounts).toBeGreaterThan(1)
  expect(result.quotas[1]?.accounts).toBeLessThan(1)
  expect(need(result, 'network')).toBeLessThan(need(plan(chatDemand(1e6, 1e5)), 'network') + 1e-12)
  expect(need(result, 'connections')).toBeCloseTo((1.75 * result.demand.inFlight) / 16_384, 9)
})

const tokens = fc.double({ min: 10, max: 1e10, noNaN: true })

test('the answer carries every constraint, the binding one takes most, and all of it keeps the contract', () => {
  fc.assert(
    fc.property(tokens, tokens, (input, output) => {
      const result = plan(chatDemand(input, output))
      const [first] = result.constraints
      expect(result.answer.binding).toBe(first?.name)
      for (const constraint of result.constraints) {
        expect(constraint.nodes).toBeLessThanOrEqual(first?.nodes ?? 0)
        const whole = constraint.counts[0]?.need ?? 0
        expect(
          constraint.per === 'worker' ? result.answer.workers.peak : result.answer.nodes.peak,
        ).toBeGreaterThanOrEqual(whole)
      }
      planSchema.parse({ schema: 'kt.plan/1', kt: { version: '0' }, ...result })
    }),
    { numRuns: 50 },
  )
})

test('more demand never needs less', () => {
  fc.assert(
    fc.property(tokens, tokens, fc.double({ min: 1, max: 10, noNaN: true }), (input, output, times) => {
      const [small, large] = [plan(chatDemand(input, output)), plan(chatDemand(input * times, output * times))]
      expect(large.answer.nodes.peak).toBeGreaterThanOrEqual(small.answer.nodes.peak)
      expect(large.workers.max).toBeGreaterThanOrEqual(small.workers.max)
    }),
    { numRuns: 50 },
  )
})
