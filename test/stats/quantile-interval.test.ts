import { describe, expect, it } from 'vitest'
import { Histogram } from '../../src/stats/histogram.ts'
import {
  differenceOf,
  observationsNeeded,
  orderIntervalUs,
  quantileBounds,
  quantileRanks,
} from '../../src/stats/quantile-interval.ts'
import { logNormal, normal, randomFrom } from '../../src/stats/random.ts'
import { estimateShare, shareBounds } from '../../src/stats/share-interval.ts'

function run(seed: string, blocks: number, size: number, medianUs: number, noise: number): Histogram[] {
  const random = randomFrom(seed)
  return Array.from({ length: blocks }, () => {
    const drift = Math.exp(noise * normal(random))
    const block = new Histogram(4)
    for (let i = 0; i < size; i++) block.record(drift * logNormal(random, medianUs, 0.25))
    return block
  })
}

describe('the interval of a quantile by blocks', () => {
  it('is the share test turned round', () => {
    const blocks = run('turned', 20, 200, 5_000, 0.12)
    const { valueUs, lowerUs, upperUs } = quantileBounds(blocks, 0.99, 0.0125)
    expect(lowerUs).toBeLessThan(valueUs)
    expect(upperUs).toBeGreaterThan(valueUs)
    const over = (limitUs: number) =>
      shareBounds(estimateShare(blocks.map((b) => ({ n: b.count, over: b.countAbove(limitUs) }))), 0.0125)
    expect(over(upperUs).upper).toBeLessThan(0.01)
    expect(over(upperUs * 0.99).upper).toBeGreaterThanOrEqual(0.01)
    expect(over(lowerUs * 0.999).lower).toBeGreaterThanOrEqual(0.01)
    expect(over(lowerUs * 1.01).lower).toBeLessThan(0.01)
  })

  it('covers the truth under noise by block, where the iid interval does not', () => {
    // The marginal of drift x request is log-normal with sigma^2 = 0.25^2 + 0.12^2.
    const truth = 5_000 * Math.exp(2.3263479 * Math.hypot(0.25, 0.12))
    const runs = 150
    let covered = 0
    for (let i = 0; i < runs; i++) {
      const { lowerUs, upperUs } = quantileBounds(run(`cover${i}`, 20, 100, 5_000, 0.12), 0.99, 0.025)
      if (lowerUs <= truth && truth <= upperUs) covered++
    }
    process.stdout.write(`quantile interval by blocks, nominal 95 %: covers ${((100 * covered) / runs).toFixed(1)} %\n`)
    expect(covered / runs).toBeGreaterThan(0.88)
  })

  it('is a point where every request took the same', () => {
    const same = Array.from({ length: 10 }, () => {
      const block = new Histogram()
      for (let i = 0; i < 50; i++) block.record(20_000)
      return block
    })
    expect(quantileBounds(same, 0.99, 0.0125)).toEqual({ valueUs: 20_000, lowerUs: 20_000, upperUs: 20_000 })
    expect(quantileBounds(same.slice(1), 0.99, 0.0125)).toMatchObject({
      lowerUs: 20_000,
      upperUs: Number.POSITIVE_INFINITY,
    })
  })

  it('is open above where a P99 cannot be bounded, and says nothing of nothing', () => {
    expect(quantileBounds(run('few', 10, 10, 5_000, 0), 0.99, 0.0125).upperUs).toBe(Number.POSITIVE_INFINITY)
    const none = quantileBounds([new Histogram()], 0.99, 0.0125)
    expect(none.valueUs).toBeNaN()
    expect([none.lowerUs, none.upperUs]).toEqual([0, Number.POSITIVE_INFINITY])
  })
})

describe('MOVER', () => {
  it('adds the near ends in squares', () => {
    const a = { valueUs: 20, lowerUs: 17, upperUs: 26 }
    const b = { valueUs: 10, lowerUs: 2, upperUs: 14 }
    expect(differenceOf(a, b)).toEqual({ valueUs: 10, lowerUs: 10 - 5, upperUs: 10 + 10 })
  })

  it('carries an open end', () => {
    const open = { valueUs: 20, lowerUs: 17, upperUs: Number.POSITIVE_INFINITY }
    expect(differenceOf(open, { valueUs: 1, lowerUs: 1, upperUs: 1 }).upperUs).toBe(Number.POSITIVE_INFINITY)
  })
})

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
