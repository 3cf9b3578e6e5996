import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { studentUpperTail } from '../../src/stats/distributions.ts'
import { holm } from '../../src/stats/gate.ts'
import { meanAboveZeroP, median, pairedTP, signFlipP } from '../../src/stats/means.ts'

it.each([
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[10], 10],
  [[], Number.NaN],
])('the median of %j is %f', (values, middle) => expect(median(values)).toBe(middle))

describe('paired t', () => {
  it("gives Student's own example (Biometrika 1908, hours of sleep): t = 4.0621, df 9", () => {
    const sleep = [1.2, 2.4, 1.3, 1.3, 0, 1, 1.8, 0.8, 4.6, 1.4]
    expect(pairedTP(sleep)).toBeCloseTo(0.0028329 / 2, 6)
    expect(pairedTP(sleep.map((hours) => -hours))).toBeCloseTo(1 - 0.0028329 / 2, 6)
  })

  it.each([
    // Fisher & Yates, table III.
    [1.8331, 9, 0.05],
    [2.8214, 9, 0.01],
    [4.2968, 9, 0.001],
    [2.093, 19, 0.025],
    [3.5794, 19, 0.001],
    [-2.093, 19, 0.975],
  ])('P(T > %f) with %i degrees of freedom is %f', (t, df, p) => expect(studentUpperTail(t, df)).toBeCloseTo(p, 5))

  it('needs two differences, and takes equal ones for certain', () => {
    expect(pairedTP([5])).toBe(1)
    expect(pairedTP([0, 0, 0])).toBe(1)
    expect(pairedTP([2, 2, 2])).toBe(0)
  })
})

describe('sign-flip', () => {
  it("gives Fisher's count for Darwin's maize: 863 of 32,768 (The Design of Experiments, 21)", () => {
    const maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    expect(signFlipP(maize) * 2 ** 15).toBe(863)
  })

  it('can reach 1/1,024 with ten differences, and no less', () => {
    expect(signFlipP([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])).toBe(1 / 1_024)
    expect(signFlipP([1e-6, 1, 1, 1, 1, 1, 1, 1, 1, 50])).toBe(1 / 1_024)
  })

  it('agrees with plain enumeration', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 9 }), (values) => {
        const observed = values.reduce((a, b) => a + b, 0)
        let asLarge = 0
        for (let pattern = 0; pattern < 2 ** values.length; pattern++) {
          if (values.reduce((total, value, i) => total + (pattern & (1 << i) ? -value : value), 0) >= observed)
            asLarge++
        }
        expect(signFlipP(values)).toBe(asLarge / 2 ** values.length)
      }),
      { seed: 1 },
    )
  })

  it('must agree with t while it can be enumerated', () => {
    const ten = [3, 1, 4, 1, 5, -2, 6, 5, 3, -1]
    expect(meanAboveZeroP(ten)).toBe(Math.max(signFlipP(ten), pairedTP(ten)))
    expect(Math.abs(signFlipP(ten) - pairedTP(ten))).toBeLessThan(0.01)
    const twenty = [...ten, ...ten]
    expect(meanAboveZeroP(twenty)).toBe(pairedTP(twenty))
  })
})

describe('Holm', () => {
  const withP = (...ps: number[]) => ps.map((p) => (alpha: number) => p <= alpha)
  it.each([
    // Holm 1979: 0.01 <= 0.05/3, 0.02 <= 0.05/2, 0.04 <= 0.05.
    [
      [0.01, 0.04, 0.02],
      [true, true, true],
    ],
    [
      [0.01, 0.04, 0.03],
      [true, false, false],
    ],
    [
      [0.02, 0.03, 0.04],
      [false, false, false],
    ],
    [[0.04], [true]],
    [[], []],
  ])('%j at 0.05', (ps, rejected) => expect(holm(withP(...ps), 0.05)).toEqual(rejected))
})
