import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bisect, type CurveLevel, findFrontier, findKnee, measureScaling } from '../../src/stats/curve.ts'

const level = (at: number, achievedRps: number, p99: number, high: number | null = p99 + 1): CurveLevel => ({
  level: at,
  achievedRps,
  overheadMs: { p99, ci95: [p99 / 2, high] },
})

describe('the frontier', () => {
  const levels = [
    level(50, 50, 0.8),
    level(100, 100, 2),
    level(200, 199, 6.5),
    level(400, 380, 30),
    level(800, 390, 45),
  ]

  it('is the highest level up to which every one keeps the limit', () => {
    expect(findFrontier(levels).map(({ limitMs, level: at }) => [limitMs, at])).toEqual([
      [1, 50],
      [5, 100],
      [7, 200],
      [10, 200],
      [50, 800],
    ])
  })

  it('is certain only where the whole interval lies under the limit', () => {
    expect(findFrontier(levels).map(({ certain }) => certain)).toEqual([false, true, false, true, true])
    expect(findFrontier([level(1, 1, 0.5, null)], [1])[0]?.certain).toBe(false)
  })

  it('is nowhere without a reading, or when the lowest level breaks the limit', () => {
    expect(findFrontier([{ level: 1, achievedRps: 1, overheadMs: null }], [7])[0]?.level).toBeNull()
    expect(findFrontier([level(1, 1, 8), level(2, 2, 1)], [7])[0]?.level).toBeNull()
  })
})

describe('the knee of a sweep', () => {
  it('of rates: the last that was achieved; of concurrency: where the curve bends', () => {
    expect(findKnee([level(100, 100, 1), level(200, 199, 1), level(400, 260, 1)], 'open')).toMatchObject({ level: 200 })
    const closed = [1, 2, 4, 8, 16, 32].map((n) => level(n, (1_000 * n) / (1 + 0.2 * (n - 1)), 1))
    expect(findKnee(closed, 'closed')?.level).toBeGreaterThan(1)
    expect(findKnee([level(1, 10, 1), level(2, 20, 1), level(3, 30, 1)], 'closed')).toBeUndefined()
  })
})

describe('the search', () => {
  it('ends within 5 % for any bounds, always between them', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_000 }),
        fc.integer({ min: 2, max: 50 }),
        fc.boolean(),
        fc.nat(),
        (low, times, whole, seed) => {
          let [keeps, breaks] = [low, low * times]
          for (let step = 0; ; step++) {
            const next = bisect(keeps, breaks, whole)
            if (next === undefined) break
            expect(next).toBeGreaterThan(keeps)
            expect(next).toBeLessThan(breaks)
            if ((seed >> (step % 8)) % 2 === 0) keeps = next
            else breaks = next
            expect(step).toBeLessThan(40)
          }
          expect(breaks / keeps <= 1.06 || (whole && breaks - keeps <= 1) || breaks - keeps < keeps * 0.06).toBe(true)
        },
      ),
    )
  })
})

describe('scaling', () => {
  const curve = (gatewayWorkers: number | null, ...rates: number[]) => ({
    gatewayWorkers,
    levels: rates.map((rate, i) => level(2 ** i, rate, 1)),
  })

  it('is the most that each number of processes did, over the first', () => {
    expect(measureScaling([curve(1, 100, 200, 190), curve(2, 100, 210, 380)])).toEqual([
      { gatewayWorkers: 1, level: 2, achievedRps: 200, timesFirst: 1 },
      { gatewayWorkers: 2, level: 4, achievedRps: 380, timesFirst: 1.9 },
    ])
  })

  it('is nothing of a single curve, a foreign gateway, or one that answered nothing', () => {
    expect(measureScaling([curve(1, 100)])).toBeNull()
    expect(measureScaling([curve(null, 100), curve(null, 200)])).toBeNull()
    expect(measureScaling([curve(1, 0), curve(2, 10)])).toBeNull()
  })
})
