// The fleet's simulation against what is exact: M/G/1 on each worker, Little's law, and that no token is lost.
import { describe, expect, test } from 'vitest'
import { confirmWait, fleetFigures } from '../../src/plan/simulate/confirm.ts'
import { Autoscaler, type FleetOptions, simulateFleet } from '../../src/plan/simulate/fleet.ts'
import { Streams, WaitHistogram } from '../../src/plan/simulate/streams-and-waits.ts'
import { steadyTraffic, traceTraffic } from '../../src/plan/simulate/traffic.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { readTrace } from '../../src/workload/trace.ts'
import { chat, chatDemand } from '../support/plan.ts'
import { azureTrace } from '../support/traces.ts'

test('the histogram: quantiles within its 0.8 %, mean and maximum exact', () => {
  const waits = new WaitHistogram()
  for (let i = 0; i <= 1_000; i++) waits.record(i / 1_000)
  expect(waits.quantileS(0.99) / 0.99).toBeCloseTo(1, 2)
  expect(waits.quantileS(0.0005)).toBe(0)
  expect([waits.meanS, waits.maxS]).toEqual([0.5, 1])
})

const { figures } = readSizing()
const base: FleetOptions = { ...fleetFigures(figures), workers: 10, zones: 3, budget: 1e6, seed: 3 }

test('steady traffic has the mean and the spread of the prompts it stands for', () => {
  const demand = chatDemand(20e6, 2e6)
  const { inputTokens } = steadyTraffic(demand, 1, undefined)
  const mean = inputTokens.reduce((sum, tokens) => sum + tokens, 0) / inputTokens.length
  const variance = inputTokens.reduce((sum, tokens) => sum + (tokens - mean) ** 2, 0) / inputTokens.length
  expect(mean).toBeCloseTo(demand.request.inputTokens, 6)
  expect(variance / mean ** 2 / demand.request.inputScv).toBeGreaterThan(0.9)
  // The quartiles of a log-normal, 0.6745 sigma from its median.
  expect((inputTokens[1_500] ?? 0) / (inputTokens[499] ?? 1) / Math.exp(2 * 0.6745 * 0.985)).toBeCloseTo(1, 2)
})

describe('the fleet', () => {
  test('prompts alone are M/G/1 on each worker: Pollaczek and Khinchine within 3 %', () => {
    const demand = chatDemand(20e6, 1)
    const prompts = {
      ...demand,
      requestsPerSec: 20_000,
      request: { ...demand.request, inputTokens: 1_000, outputTokens: 0 },
    }
    const result = simulateFleet(steadyTraffic(prompts, 60, undefined), base)
    // 2,000 prompts/s of 0.25 ms on each worker: half busy.
    const meanMs = (0.5 * 0.25 * (1 + demand.request.inputScv)) / (2 * 0.5)
    expect(result.meanUtilisation).toBeCloseTo(0.5, 3)
    expect(Math.abs(result.wait.meanMs / meanMs - 1)).toBeLessThan(0.03)
  })

  test('a sample of the workers shows the waits of all', () => {
    const demand = chatDemand(80e6, 10e6)
    const traffic = steadyTraffic(demand, 60, undefined)
    const all = simulateFleet(traffic, { ...base, workers: 60, budget: 1e9 })
    const sample = simulateFleet(traffic, { ...base, workers: 60, budget: 500_000, seed: 4 })
    expect(all.simulatedWorkers).toBe(60)
    expect(sample.simulatedWorkers).toBeLessThan(15)
    expect(Math.abs(sample.wait.p99Ms / all.wait.p99Ms - 1)).toBeLessThan(0.1)
  })

  test('streams are conserved: in flight by Little, no token lost', () => {
    const demand = chatDemand(80e6, 10e6)
    const result = simulateFleet(steadyTraffic(demand, 120, undefined), { ...base, workers: 60 })
    expect(result.peakInFlight / (demand.requestsPerSec * (1 + chat.outputTokens / 50))).toBeCloseTo(1, 6)
    const streams = new Streams(1_000, 50, 1.3)
    let tokens = 0
    streams.begin(7, 211)
    for (let i = 0; i < 40; i++) {
      streams.step()
      tokens += streams.tokensPerSec
    }
    expect(tokens).toBeCloseTo(7 * 211, 6)
    expect(streams.inFlight).toBeCloseTo(0, 9)
  })

  test('the same seed gives the same run, another does not', () => {
    const traffic = steadyTraffic(chatDemand(20e6, 2e6), 30, undefined)
    expect(simulateFleet(traffic, base)).toEqual(simulateFleet(traffic, base))
    expect(simulateFleet(traffic, { ...base, seed: 9 }).wait).not.toEqual(simulateFleet(traffic, base).wait)
  })

  test('a lost zone breaks its share of the streams off and loads the others; a burst overloads', () => {
    const demand = chatDemand(80e6, 10e6)
    const calm = simulateFleet(steadyTraffic(demand, 120, undefined), { ...base, workers: 60 })
    const lost = simulateFleet(steadyTraffic(demand, 120, undefined), {
      ...base,
      workers: 60,
      zoneLoss: { atS: 60, forS: 60, zones: 1 },
    })
    expect(lost.brokenStreams / calm.peakInFlight).toBeCloseTo(1 / 3, 2)
    expect(lost.workers.min).toBe(40)
    expect(lost.peakUtilisation).toBeGreaterThan(calm.peakUtilisation * 1.4)
    expect(lost.wait.p99Ms).toBeGreaterThan(calm.wait.p99Ms)
    const burst = simulateFleet(steadyTraffic(demand, 120, { factor: 4, seconds: 20 }), { ...base, workers: 60 })
    expect(burst.overloadedS).toBeGreaterThan(5)
  })

  test('the autoscaler comes after its lag, goes down only after its window, and stays in its bounds', () => {
    const scaler = new Autoscaler(10, { target: 0.5, min: 3, max: 40, startLagS: 60, drainS: 30 })
    for (let second = 0; second < 15; second++) scaler.step(second, 1)
    expect([scaler.ready, scaler.starting]).toEqual([10, 10])
    for (let second = 15; second < 75; second++) scaler.step(second, 1)
    expect(scaler.ready).toBe(20)
    for (let second = 75; second < 330; second++) scaler.step(second, 0.01)
    expect(scaler.ready + scaler.starting).toBeGreaterThan(10)
    for (let second = 330; second < 1_000; second++) scaler.step(second, 0.01)
    expect(scaler.ready).toBe(3)
    for (let second = 1_000; second < 3_000; second++) scaler.step(second, 3)
    expect(scaler.ready).toBe(40)
  })

  test('10,000 workers and an hour of a million requests a second: seconds, by a sample', () => {
    const demand = chatDemand(1155e6, 211e6, 1e6)
    const result = simulateFleet(steadyTraffic(demand, 3_600, undefined), { ...base, workers: 10_000, budget: 2e6 })
    expect(result.requests).toBe(3.6e9)
    expect(result.simulatedRequests).toBeLessThan(4e6)
    expect(result.meanUtilisation).toBeCloseTo(0.05, 2)
  })
})

test('the wait of a plan is confirmed by simulation, within the formula’s factor of two', () => {
  const confirmed = confirmWait(chatDemand(80e6, 10e6), figures, 60)
  expect(confirmed?.requests).toBeGreaterThan(80_000)
  expect((confirmed?.p99Ms ?? 0) / (confirmed?.formulaP99Ms ?? 1)).toBeGreaterThan(0.5)
  expect((confirmed?.p99Ms ?? 0) / (confirmed?.formulaP99Ms ?? 1)).toBeLessThan(2)
  expect(confirmWait(chatDemand(80e6, 10e6), figures, 30), 'at capacity there is no steady state').toBeUndefined()
})

test('ten minutes of the Azure conversation trace, times 1,000', async () => {
  const traffic = traceTraffic(await readTrace(azureTrace('conv')), 1_000)
  const result = simulateFleet(traffic, { ...base, workers: 28, budget: 2e6 })
  expect(result.requests).toBe(3_000_000)
  expect(result.seconds).toBe(629)
  expect(result.peakUtilisation).toBeLessThan(1)
})
