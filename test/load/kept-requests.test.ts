import { expect, test } from 'vitest'
import { KeptRequests } from '../../src/load/kept-requests.ts'
import { now } from '../../src/system/clock.ts'
import { planFor } from '../support/engine.ts'

const plan = planFor('http://127.0.0.1:1', { requests: 1, load: { mode: 'closed', concurrency: 1 } })
const START_US = now()
const COUNT = 5_000

/**
 * Latencies of 1 to COUNT microseconds in a mixed order, one batch after another; now and then a request never sent.
 */
function given(how: 'slowest' | 'random', count: number) {
  const kept = new KeptRequests(plan, { how, count })
  for (let from = 0; from < COUNT; from += 500) {
    const rows = Array.from({ length: 500 }, (_, i) => {
      const index = from + i
      const latency = index % 100 === 7 ? Number.NaN : ((index * 1_237) % COUNT) + 1
      const sent = START_US + index * 10
      return [0, 0, index, sent, sent, sent, sent, sent, sent + latency, 1, 0]
    })
    kept.add(Float64Array.from(rows.flat()), START_US)
  }
  return kept.kept()
}

const latencyOf = ({ endUs, intendedUs }: { endUs: number | null; intendedUs: number | null }): number =>
  (endUs ?? Number.NaN) - (intendedUs ?? Number.NaN)

test('the slowest are those with the longest latencies, in the order in which they were sent', () => {
  const all = Array.from({ length: COUNT }, (_, index) => (index % 100 === 7 ? 0 : ((index * 1_237) % COUNT) + 1))
  const slowest = all.toSorted((a, b) => b - a).slice(0, 20)
  const { samples, startMs } = given('slowest', 20)
  expect(samples.map(latencyOf).sort((a, b) => b - a)).toEqual(slowest)
  const sent = samples.map(({ sentUs }) => sentUs ?? Number.NaN)
  expect(sent).toEqual(sent.toSorted((a, b) => a - b))
  expect(Math.abs(startMs - (Date.now() - (now() - START_US) / 1_000))).toBeLessThan(100)
})

test('those at random are from the whole run, fast and slow, and the same for the same seed', () => {
  const { samples } = given('random', 400)
  expect(samples).toHaveLength(400)
  expect(new Set(samples.map(({ nonce }) => nonce)).size).toBe(400)
  const mean = samples.map(latencyOf).reduce((sum, one) => sum + one, 0) / 400
  expect(Math.abs(mean / (COUNT / 2) - 1)).toBeLessThan(0.15)
  expect(given('random', 400).samples).toEqual(samples)
})

test('a run of fewer requests has all of them', () => {
  expect(given('slowest', 100_000).samples).toHaveLength(COUNT * 0.99)
})
