// The gateway's histograms: quantiles within two digits, exact extremes, and counts at the bounds of a metrics page.
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LatencyHistogram } from '../../../reference-gateway/metrics/latency-histogram.ts'

const BOUNDS_MS = [0.1, 0.5, 1, 5, 25, 100, 1_000]

it('counts up to each bound, gives quantiles within a hundredth, and the extremes as they were', () => {
  const times = fc.array(fc.oneof(fc.constantFrom(...BOUNDS_MS), fc.double({ min: 0, max: 2_000, noNaN: true })), {
    minLength: 1,
    maxLength: 200,
  })
  fc.assert(
    fc.property(times, (list) => {
      const histogram = new LatencyHistogram()
      for (const ms of list) histogram.record(ms)
      const sorted = list.toSorted((a, b) => a - b)
      for (const [place, count] of histogram.countsUpTo(BOUNDS_MS).entries()) {
        const bound = BOUNDS_MS[place] ?? 0
        expect(count).toBeGreaterThanOrEqual(sorted.filter((ms) => ms <= bound).length)
        expect(count).toBeLessThanOrEqual(sorted.filter((ms) => ms <= bound * 1.01 + 0.0001).length)
      }
      expect([histogram.count, histogram.sumMs]).toEqual([list.length, list.reduce((sum, ms) => sum + ms, 0)])
      expect(histogram.maxMs).toBeCloseTo(sorted.at(-1) ?? 0, 4)
      const median = sorted[Math.ceil(list.length / 2) - 1] ?? 0
      const read = histogram.quantileMs(0.5) ?? 0
      expect(Math.abs(read - median)).toBeLessThanOrEqual(0.0001 + median / 100)
    }),
    { numRuns: 60, seed: 3 },
  )
})

it('has no figures while it is empty, and takes what is below zero for nothing', () => {
  const histogram = new LatencyHistogram()
  expect([histogram.quantileMs(0.5), histogram.maxMs, ...histogram.countsUpTo([1])]).toEqual([undefined, undefined, 0])
  histogram.record(-1)
  histogram.record(Number.NaN)
  expect([histogram.count, histogram.sumMs, histogram.maxMs]).toEqual([2, 0, 0])
})
