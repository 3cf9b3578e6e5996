import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateShare, shareBounds } from '../../src/stats/share-interval.ts'

const blocks = (n: number, overs: readonly number[]) => overs.map((over) => ({ n, over }))

describe('bounds of a share by blocks', () => {
  it('is Clopper-Pearson without exceedances', () => {
    const { lower, upper } = shareBounds(estimateShare(blocks(100, Array(20).fill(0))), 0.0125)
    expect(lower).toBe(0)
    // (1 - u)^n = alpha
    expect(upper).toBeCloseTo(1 - 0.0125 ** (1 / 2_000), 12)
  })

  it('is Clopper-Pearson where all exceed', () => {
    const { lower, upper } = shareBounds(estimateShare(blocks(100, Array(20).fill(100))), 0.001)
    expect(upper).toBe(1)
    expect(lower).toBeCloseTo(0.001 ** (1 / 2_000), 12)
  })

  it('agrees with the formula of Korn & Graubard, computed by hand', () => {
    // 10 blocks of 100; 5 of them with 4, 5 with 0: p = 0.02, v = (10/9) x 10 x 4 / 1000^2 = 4.44e-5, n* = 441.
    const estimate = estimateShare(blocks(100, [4, 4, 4, 4, 4, 0, 0, 0, 0, 0]))
    expect(estimate.share).toBe(0.02)
    expect(1_000 / estimate.designEffect).toBeCloseTo(441, 6)
    // t(0.975; 999) = 1.96234, t(0.975; 9) = 2.26216: n* = 441 x 0.752488 = 331.85, x* = 6.637;
    // the beta quantiles by Simpson integration of the density.
    const { lower, upper } = shareBounds(estimate, 0.025)
    expect(lower).toBeCloseTo(0.007837, 5)
    expect(upper).toBeCloseTo(0.041519, 5)
  })

  it('takes one stall in one block for one event, not for its fifteen requests', () => {
    const stall = estimateShare(blocks(500, [15, ...Array(19).fill(0)]))
    const spread = estimateShare(blocks(500, [...Array(15).fill(1), ...Array(5).fill(0)]))
    expect(stall.share).toBe(spread.share)
    expect(stall.designEffect).toBeCloseTo(15, 1)
    expect(spread.designEffect).toBe(1)
    expect(shareBounds(stall, 0.0125).upper).toBeGreaterThan(2 * shareBounds(spread, 0.0125).upper)
  })

  it('bounds nothing from fewer than ten blocks, and skips empty ones', () => {
    expect(shareBounds(estimateShare(blocks(1_000, Array(9).fill(0))), 0.05)).toEqual({ lower: 0, upper: 1 })
    expect(estimateShare([...blocks(10, [1, 1]), { n: 0, over: 0 }]).blocks).toBe(2)
    expect(shareBounds(estimateShare([]), 0.05)).toEqual({ lower: 0, upper: 1 })
  })

  it('encloses the share, and narrows as more is measured', () => {
    const overs = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 10, maxLength: 30 })
    fc.assert(
      fc.property(overs, fc.constantFrom(0.001, 0.0125, 0.025), (list, alpha) => {
        const estimate = estimateShare(blocks(50, list))
        const once = shareBounds(estimate, alpha)
        const tenTimes = shareBounds(estimate, alpha, 10)
        expect(once.lower).toBeLessThanOrEqual(estimate.share)
        expect(once.upper).toBeGreaterThanOrEqual(estimate.share)
        expect(tenTimes.lower).toBeGreaterThanOrEqual(once.lower - 1e-9)
        expect(tenTimes.upper).toBeLessThanOrEqual(once.upper + 1e-9)
      }),
      { numRuns: 100, seed: 4 },
    )
  })
})
