import { describe, expect, it } from 'vitest'
import { Histogram } from '../../src/stats/histogram.ts'
import { observationsNeeded, orderIntervalUs, quantileRanks } from '../../src/stats/quantile-interval.ts'
import { logNormal, randomFrom } from '../../src/stats/random.ts'

describe('the order-statistic interval', () => {
  it.each([
    [0.5, 6],
    [0.95, 72],
    [0.99, 368],
    [0.999, 3_688],
  ])('of the quantile %f is finite from %i observations', (q, needed) => {
    expect(observationsNeeded(q)).toBe(needed)
    expect(quantileRanks(needed, q).upper).toBe(needed)
    expect(quantileRanks(needed - 1, q).upper).toBe(needed)
    expect(quantileRanks(needed, q).lower).toBeGreaterThan(0)
  })

  it('has the ranks of the published table for the median (Conover, table A6; Hollander & Wolfe)', () => {
    expect(quantileRanks(10, 0.5)).toEqual({ lower: 2, upper: 9 })
    expect(quantileRanks(20, 0.5)).toEqual({ lower: 6, upper: 15 })
    expect(quantileRanks(5, 0.5)).toEqual({ lower: 0, upper: 6 })
  })

  it('covers the true P99 of independent requests in 95 % of runs, and is open where it must be', () => {
    const random = randomFrom('order')
    const truth = 5_000 * Math.exp(0.5 * 2.3263479)
    let covered = 0
    for (let run = 0; run < 600; run++) {
      const histogram = new Histogram(4)
      for (let i = 0; i < 500; i++) histogram.record(logNormal(random, 5_000, 0.5))
      const [lower, upper] = orderIntervalUs(histogram, 0.99)
      if (lower <= truth && truth <= upper) covered++
    }
    expect(covered / 600).toBeGreaterThan(0.93)
    const few = new Histogram()
    for (let i = 1; i <= 50; i++) few.record(i * 100)
    expect(orderIntervalUs(few, 0.99)[1]).toBe(Number.POSITIVE_INFINITY)
  })
})
