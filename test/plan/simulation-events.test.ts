// The fleet's simulation against one that is independent of it, event by event: P99 within 3 %, P99.9 within 8 %.
import { expect, test } from 'vitest'
import { simulate } from '../../src/plan/simulate/simulate.ts'
import { steadyTraffic, type Traffic, traceTraffic } from '../../src/plan/simulate/traffic.ts'
import type { WorkerCosts } from '../../src/plan/simulate/workers.ts'
import { readTrace, type Trace } from '../../src/workload/traces/whole.ts'
import { type Arrivals, eventSimulation, mulberry, poisson } from '../support/event-simulation.ts'
import { chatDemand } from '../support/plan.ts'
import { azureTrace } from '../support/traces.ts'

/** 1,000 input tokens take 0.25 ms, as O_w = 1M and R = 4 have it. */
const COSTS: WorkerCosts = {
  requestS: 0,
  inputTokenS: 0.25e-6,
  outputTokenS: 1e-6,
  tokensPerSecPerStream: 50,
  ttftS: 1,
}

interface Quantiles {
  p99Ms: number
  p999Ms: number
}

function quantilesOf(waits: Float64Array): Quantiles {
  const at = (q: number): number => (waits[Math.ceil(q * waits.length) - 1] ?? 0) * 1_000
  return { p99Ms: at(0.99), p999Ms: at(0.999) }
}

function simulated(traffic: Traffic, costs: WorkerCosts, workers: number, budget: number, runs: number): Quantiles {
  const { wait } = simulate(traffic, { ...costs, workers, zones: 1, budget, seed: 1 }, runs)
  return { p99Ms: wait.p99Ms.value, p999Ms: wait.p999Ms.value }
}

function expectClose(own: Quantiles, events: Quantiles): void {
  const off = (key: keyof Quantiles): number => Math.abs(own[key] / events[key] - 1)
  const shown = [own, events].map(({ p99Ms, p999Ms }) => `${p99Ms.toPrecision(4)}, ${p999Ms.toPrecision(4)} ms`)
  const text = `kt ${shown[0]}; events ${shown[1]}`
  expect(off('p99Ms'), `P99: ${text}`).toBeLessThan(0.03)
  expect(off('p999Ms'), `P99.9: ${text}`).toBeLessThan(0.08)
}

/** Log-normal prompts with this squared coefficient of variation. */
const CASES = [
  { name: 'M/D/1', inputTokens: 1_000, sigma: 0, outputTokens: 0, load: 0.8, millions: 2 },
  {
    name: 'log-normal, SCV 1',
    inputTokens: 1_000,
    sigma: Math.sqrt(Math.log(2)),
    outputTokens: 0,
    load: 0.8,
    millions: 3,
  },
  {
    name: 'log-normal, SCV 4',
    inputTokens: 1_000,
    sigma: Math.sqrt(Math.log(5)),
    outputTokens: 0,
    load: 0.5,
    millions: 6,
  },
  { name: 'chat', inputTokens: 1_688, sigma: 0.985, outputTokens: 211, load: 0.8, millions: 6 },
  { name: 'code-agent', inputTokens: 2_048, sigma: 1.36, outputTokens: 28, load: 0.5, millions: 10 },
]

test.each(CASES)('$name, $load busy', ({ inputTokens, sigma, outputTokens, load, millions }) => {
  const requestS = inputTokens * COSTS.inputTokenS + outputTokens * COSTS.outputTokenS
  const workers = 4
  const rate = (load / requestS) * workers
  const seconds = Math.round((millions * 1e6) / rate)
  const demand = chatDemand(rate * inputTokens, Math.max(rate * outputTokens, 1e-9), rate)
  const traffic: Traffic = {
    ...steadyTraffic(demand, seconds, undefined),
    kinds: [{ share: 1, inputTokens, inputSigma: sigma, outputTokens }],
  }
  const events = eventSimulation(
    poisson(seconds, () => rate, { inputTokens, sigma, outputTokens }),
    workers,
    COSTS,
  )
  expectClose(simulated(traffic, COSTS, workers, 1e12, 1), quantilesOf(events))
})

test('a burst of three times the load', () => {
  const [rate, seconds] = [3_200, 240]
  const demand = { ...chatDemand(rate * 1_000, rate * 100, rate), burst: { factor: 1, why: '' } }
  const sizes = { inputTokens: 1_000, sigma: 0.985, outputTokens: 100 }
  const traffic: Traffic = {
    ...steadyTraffic(demand, seconds, { factor: 3, seconds: 30 }),
    kinds: [{ share: 1, inputTokens: 1_000, inputSigma: 0.985, outputTokens: 100 }],
  }
  const rateAt = (atS: number): number => (atS >= 60 && atS < 90 ? 3 * rate : rate)
  const events = eventSimulation(poisson(seconds, rateAt, sizes), 2, COSTS)
  expectClose(simulated(traffic, COSTS, 2, 1e12, 1), quantilesOf(events))
})

/** Each second of the trace with each of its requests so many times, spread at random within it. */
function scaled({ atS, inputTokens, outputTokens }: Trace, scale: number): Arrivals {
  const random = mulberry(7)
  const copies = Array.from(atS).flatMap((at, row) =>
    Array.from({ length: scale }, () => [Math.floor(at) + random(), row]),
  )
  copies.sort(([a = 0], [b = 0]) => a - b)
  return {
    atS: Float64Array.from(copies, ([at = 0]) => at),
    inputTokens: Float64Array.from(copies, ([, row = 0]) => inputTokens[row] ?? 0),
    outputTokens: Float64Array.from(copies, ([, row = 0]) => outputTokens[row] ?? 0),
  }
}

test.each([
  { name: 'conv', scale: 300, workers: 3 },
  { name: 'code', scale: 1_000, workers: 14 },
] as const)('the Azure $name trace as it was recorded, and times $scale', async ({ name, scale, workers }) => {
  const trace = await readTrace(azureTrace(name), { allowGaps: true })
  // A worker of 4,000 tokens/s, as the reference gateway is on a slow core.
  const slow = { ...COSTS, outputTokenS: 1 / 4_000, inputTokenS: 1 / 16_000 }
  expectClose(simulated(traceTraffic(trace, 1), slow, 1, 1e9, 1), quantilesOf(eventSimulation(trace, 1, slow)))
  const events = quantilesOf(eventSimulation(scaled(trace, scale), workers, COSTS))
  expectClose(simulated(traceTraffic(trace, scale), COSTS, workers, 1e9, 2), events)
})
