import { describe, expect, it } from 'vitest'
import { studentUpperTail } from '../../src/stats/distributions.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'
import { type Point, robustTrend } from '../../src/stats/robust-trend.ts'

const series = (ys: readonly number[]): Point[] => ys.map((y, x) => ({ x, y }))

function trendOf(points: readonly Point[], rho?: number, confidence = 0.99) {
  const trend = robustTrend(points, { confidence, ...(rho === undefined ? {} : { rho }) })
  if (!trend) throw new Error('no trend')
  return trend
}

describe('the slope', () => {
  it('and its 93 % interval are those of the example of Sen (1968)', () => {
    const [xs, ys] = [
      [1, 2, 3, 4, 10, 12, 18],
      [9, 15, 19, 20, 45, 55, 78],
    ]
    const points = xs.map((x, i) => ({ x, y: ys[i] ?? Number.NaN }))
    const { slope, intercept, interval } = trendOf(points, 0, 0.93)
    // The line halves the points: what it leaves is 5, 7, 7, 4, 5, 7 and 6.
    expect([slope, intercept]).toEqual([4, 6])
    expect(interval[0]).toBeCloseTo(3.7143, 4)
    expect(interval[1]).toBeCloseTo(4.375, 4)
  })

  it('and the test with tied values are those that SciPy 1.17 and pyMannKendall 1.4 compute', () => {
    const points = series([47, 45, 50, 47, 52, 51, 49, 55, 53, 53, 58, 54, 57, 60, 56])
    const { slope, interval, p } = trendOf(points, 0, 0.95)
    expect([slope, ...interval]).toEqual([0.875, 0.5, 1.125])
    // S = 75 and its variance 406.333: z = 3.67105.
    expect(p).toBeCloseTo(0.00024155, 6)
    // Where the correlation is estimated, here none, Student's t is a little more careful.
    expect(trendOf(points).p).toBeCloseTo(2 * studentUpperTail(3.6710516, 13), 6)
  })

  it('has no bounds where a smooth curve leaves too few independent values, as the test says', () => {
    // Memory of a server that fills its pools: each value above the one before it.
    const ys = Array.from({ length: 24 }, (_, x) => 102 - 6.5 * Math.exp(-x / 12))
    const { slope, interval, p } = trendOf(series(ys))
    expect(slope).toBeGreaterThan(0)
    expect(p).toBeGreaterThan(0.01)
    expect(interval).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY])
  })

  it('is unmoved by wild values', () => {
    const ys = Array.from({ length: 40 }, (_, x) => 100 + 2 * x + (x % 3))
    const wild = ys.map((y, x) => (x % 9 === 4 ? y * 50 : y))
    expect(trendOf(series(wild)).slope).toBeCloseTo(2, 1)
  })

  it('of one that never changes is zero, surely', () => {
    expect(trendOf(series(new Array(20).fill(7)))).toEqual({ slope: 0, intercept: 7, interval: [0, 0], p: 1 })
  })

  it('of points at one time, or of one point, is unknown', () => {
    expect(robustTrend([{ x: 1, y: 2 }], { confidence: 0.99 })).toBeUndefined()
    expect(robustTrend(new Array(5).fill({ x: 1, y: 2 }), { confidence: 0.99 })).toBeUndefined()
  })
})

describe('of 400 seeded series', () => {
  /** Of AR(1) values with deviation 1, rising by `rise` from the first to the last. */
  function shareFound(length: number, rho: number, rise: number): number {
    const random = randomFrom(`robust-trend/${length}/${rho}`)
    const found = Array.from({ length: 400 }, () => {
      let noise = normal(random)
      const ys = Array.from({ length }, (_, x) => {
        const y = noise + (rise * x) / length
        noise = rho * noise + Math.sqrt(1 - rho * rho) * normal(random)
        return y
      })
      return trendOf(series(ys))
    }).filter(({ interval, p }) => p < 0.01 && (interval[0] > 0 || interval[1] < 0))
    return found.length / 400
  }

  it.each([
    [15, 0, 0.015],
    [45, 0, 0.015],
    [15, 0.6, 0.035],
    [45, 0.6, 0.035],
    [45, 0.9, 0.07],
  ])('of %i values that correlate by %d and go nowhere, few are found to', (length, rho, most) => {
    expect(shareFound(length, rho, 0)).toBeLessThanOrEqual(most)
  })

  it('that rise by four deviations, most are found', () => {
    expect(shareFound(22, 0, 4)).toBeGreaterThan(0.75)
    expect(shareFound(45, 0.3, 4)).toBeGreaterThan(0.85)
  })
})
