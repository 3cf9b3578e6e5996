// The fleet's simulation against what is exact: M/G/1 on each worker, Little's law, that no token is lost.
import { describe, expect, test } from 'vitest'
import { Arrivals } from '../../src/plan/simulate/arrivals.ts'
import { Autoscaler } from '../../src/plan/simulate/autoscaler.ts'
import { confirmWait, workerCosts } from '../../src/plan/simulate/confirm.ts'
import { type FleetOptions, runFleet } from '../../src/plan/simulate/fleet.ts'
import { simulate } from '../../src/plan/simulate/simulate.ts'
import { Streams } from '../../src/plan/simulate/streams.ts'
import { steadyTraffic, traceTraffic } from '../../src/plan/simulate/traffic.ts'
import { WaitHistogram } from '../../src/plan/simulate/waits.ts'
import { readSizing } from '../../src/planning/sizing.ts'
import { readTrace } from '../../src/workload/traces/whole.ts'
import { chat, chatDemand } from '../support/plan.ts'
import { azureTrace } from '../support/traces.ts'

test('the histogram: quantiles within its 0.8 %, mean and maximum exact, two of them as one', () => {
  const [waits, others] = [new WaitHistogram(), new WaitHistogram()]
  for (let i = 0; i <= 1_000; i++) (i % 3 === 0 ? waits : others).record(i / 1_000)
  waits.add(others)
  expect(waits.quantileS(0.99) / 0.99).toBeCloseTo(1, 2)
  expect(waits.quantileS(0.0005)).toBe(0)
  expect(waits.meanS).toBeCloseTo(0.5, 12)
  expect([waits.count, waits.maxS]).toEqual([1_001, 1])
})

const { figures } = readSizing()
const base: FleetOptions = { ...workerCosts(figures), workers: 10, zones: 3, budget: 1e6, seed: 3 }

test('prompts have the mean, the spread and the far tail of what they stand for', () => {
  const demand = chatDemand(20e6, 2e6, 400_000)
  const arrivals = new Arrivals(steadyTraffic(demand, 1, undefined), 1)
  arrivals.draw(0, 0, 1)
  const inputs = arrivals.inputTokens.subarray(0, arrivals.count).toSorted()
  const mean = inputs.reduce((sum, tokens) => sum + tokens, 0) / inputs.length
  expect(mean / demand.request.inputTokens).toBeCloseTo(1, 1.7)
  const at = (q: number): number => (inputs[Math.floor(q * inputs.length)] ?? 0) / demand.request.inputTokens
  const sigma = 0.985
  for (const [q, z] of [
    [0.25, -0.6745],
    [0.75, 0.6745],
    [0.999, 3.0902],
    [0.9999, 3.719],
  ] as const)
    expect(Math.abs(at(q) / Math.exp(sigma * z - sigma ** 2 / 2) - 1), String(q)).toBeLessThan(q > 0.999 ? 0.15 : 0.04)
})

test('a trace at scale 1 comes as recorded; scaled, a second has each of its requests so many times', async () => {
  const trace = await readTrace(azureTrace('conv'))
  const arrivals = new Arrivals(traceTraffic(trace, 1), 1)
  let row = 0
  for (let step = 0; step < 60; step++) {
    arrivals.draw(step, 0, 1)
    for (let i = 0; i < arrivals.count; i++, row++) {
      expect(arrivals.atS[i]).toBe(trace.atS[row])
      expect([arrivals.inputTokens[i], arrivals.outputTokens[i]]).toEqual([
        trace.inputTokens[row],
        trace.outputTokens[row],
      ])
    }
  }
  expect(row).toBe(trace.atS.findIndex((at) => at >= 60))
  const threefold = traceTraffic(trace, 3)
  const scaled = new Arrivals(threefold, 1)
  const step = threefold.requests.findIndex((requests) => requests >= 9)
  scaled.draw(step, 0, 1)
  const [from, to] = [threefold.trace?.from[step] ?? 0, threefold.trace?.to[step] ?? 0]
  expect(scaled.inputTokens.subarray(0, scaled.count).toSorted()).toEqual(
    Float64Array.from(
      [...trace.inputTokens.subarray(from, to)].flatMap((tokens) => [tokens, tokens, tokens]),
    ).toSorted(),
  )
  const times = scaled.atS.subarray(0, scaled.count)
  expect(times).toEqual(times.toSorted())
})

test('a share of the workers sees its share of the requests of a trace', async () => {
  const traffic = traceTraffic(await readTrace(azureTrace('conv')), 1_000)
  const arrivals = new Arrivals(traffic, 1)
  let [seen, all] = [0, 0]
  for (let step = 0; step < 100; step++) {
    arrivals.draw(step, 0, 0.1)
    seen += arrivals.count
    all += traffic.requests[step] ?? 0
  }
  expect(Math.abs(seen / all - 0.1)).toBeLessThan(0.002)
})

describe('the fleet', () => {
  test('prompts alone are M/G/1 on each worker: Pollaczek and Khinchine within 3 %', () => {
    const demand = chatDemand(20e6, 1)
    const prompts = {
      ...demand,
      requestsPerSec: 20_000,
      request: { ...demand.request, inputTokens: 1_000, outputTokens: 0 },
    }
    const result = runFleet(steadyTraffic(prompts, 60, undefined), base)
    // 2,000 prompts/s of 0.25 ms on each worker: half busy.
    const meanMs = (0.5 * 0.25 * (1 + demand.request.inputScv)) / (2 * 0.5)
    expect(result.meanUtilisation).toBeCloseTo(0.5, 3)
    expect(Math.abs((result.waits.meanS * 1_000) / meanMs - 1)).toBeLessThan(0.03)
  })

  test('a sample of the workers shows the waits of all', () => {
    const traffic = steadyTraffic(chatDemand(80e6, 10e6), 60, undefined)
    const all = runFleet(traffic, { ...base, workers: 60, budget: 1e9 })
    const sample = runFleet(traffic, { ...base, workers: 60, budget: 500_000, seed: 4 })
    expect(all.simulatedWorkers).toBe(60)
    expect(sample.simulatedWorkers).toBeLessThan(15)
    expect(Math.abs(sample.waits.quantileS(0.99) / all.waits.quantileS(0.99) - 1)).toBeLessThan(0.1)
  })

  test('streams are conserved: in flight by Little, no token lost', () => {
    const demand = chatDemand(80e6, 10e6)
    const result = runFleet(steadyTraffic(demand, 120, undefined), { ...base, workers: 60 })
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

  test('the same seed gives the same run, another does not; several runs have an interval', () => {
    const traffic = steadyTraffic(chatDemand(20e6, 2e6), 30, undefined)
    expect(runFleet(traffic, base)).toEqual(runFleet(traffic, base))
    expect(runFleet(traffic, { ...base, seed: 9 }).waits).not.toEqual(runFleet(traffic, base).waits)
    expect(simulate(traffic, base, 1).wait.p99Ms.low).toBeUndefined()
    const { wait, seeds } = simulate(traffic, base, 5)
    expect(seeds).toEqual([3, 4, 5, 6, 7])
    const { low = 0, value, high = 0 } = wait.p99Ms
    expect(low).toBeLessThan(value)
    expect(high).toBeGreaterThan(value)
    expect(high / low).toBeLessThan(1.3)
  })

  test('a lost zone breaks its share of the streams off and loads the others; a burst overloads', () => {
    const demand = chatDemand(80e6, 10e6)
    const calm = runFleet(steadyTraffic(demand, 120, undefined), { ...base, workers: 60 })
    const lost = runFleet(steadyTraffic(demand, 120, undefined), {
      ...base,
      workers: 60,
      zoneLoss: { atS: 60, forS: 60, zones: 1 },
    })
    expect(lost.brokenStreams / calm.peakInFlight).toBeCloseTo(1 / 3, 2)
    expect(lost.workers.min).toBe(40)
    expect(lost.peakUtilisation).toBeGreaterThan(calm.peakUtilisation * 1.4)
    expect(lost.waits.quantileS(0.99)).toBeGreaterThan(calm.waits.quantileS(0.99))
    const burst = runFleet(steadyTraffic(demand, 120, { factor: 4, seconds: 20 }), { ...base, workers: 60 })
    expect(burst.overloadedS).toBeGreaterThan(5)
  })

  test('10,000 workers and an hour of a million requests a second: seconds, by a sample', () => {
    const demand = chatDemand(1155e6, 211e6, 1e6)
    const result = runFleet(steadyTraffic(demand, 3_600, undefined), { ...base, workers: 10_000, budget: 2e6 })
    expect(result.requests).toBe(3.6e9)
    expect(result.waits.count).toBeLessThan(4e6)
    expect(result.meanUtilisation).toBeCloseTo(0.05, 2)
  })
})

describe('the autoscaler', () => {
  test('comes after its lag, goes down only after its window, and stays in its bounds', () => {
    const scaler = new Autoscaler(10, { target: 0.5, min: 3, max: 40, startLagS: 60, drainS: 30 })
    for (let second = 0; second < 15; second++) scaler.step(second, 1)
    expect([scaler.ready, scaler.starting]).toEqual([10, 10])
    for (let second = 15; second < 75; second++) scaler.step(second, 1)
    expect(scaler.ready).toBe(20)
    for (let second = 75; second < 330; second++) scaler.step(second, 0.01)
    expect(scaler.ready + scaler.starting).toBeGreaterThan(10)
    for (let second = 330; second < 3_000; second++) scaler.step(second, 0.01)
    expect(scaler.ready).toBe(3)
    for (let second = 3_000; second < 5_000; second++) scaler.step(second, 3)
    expect(scaler.ready).toBe(40)
  })

  test('goes down as it is emitted: by a tenth in a minute', () => {
    const scaler = new Autoscaler(100, { target: 0.5, min: 3, max: 200, startLagS: 60, drainS: 30 })
    const at: number[] = []
    for (let second = 0; second < 600; second++) {
      scaler.step(second, 0.05)
      if ((second + 1) % 60 === 0) at.push(scaler.ready)
    }
    expect(at).toEqual([100, 100, 100, 100, 100, 90, 81, 72, 64, 57])
  })
})

test('the wait of a plan is confirmed by simulation, within the formula’s factor of two, as an interval', () => {
  const confirmed = confirmWait(chatDemand(80e6, 10e6), figures, 60)
  const { p99Ms = 0, p99Ms95 = [0, 0], formulaP99Ms = 1, requests = 0 } = confirmed ?? {}
  expect(requests).toBeGreaterThan(30_000)
  expect(p99Ms / formulaP99Ms).toBeGreaterThan(0.5)
  expect(p99Ms / formulaP99Ms).toBeLessThan(2)
  expect(p99Ms95[0]).toBeLessThan(p99Ms)
  expect(p99Ms95[1]).toBeGreaterThan(p99Ms)
  expect(confirmWait(chatDemand(80e6, 10e6), figures, 30), 'at capacity there is no steady state').toBeUndefined()
})

test('ten minutes of the Azure conversation trace, times 1,000', async () => {
  const traffic = traceTraffic(await readTrace(azureTrace('conv')), 1_000)
  const result = runFleet(traffic, { ...base, workers: 28, budget: 2e6 })
  expect(result.requests).toBe(3_000_000)
  expect(result.seconds).toBe(629)
  expect(result.peakUtilisation).toBeLessThan(1)
})
