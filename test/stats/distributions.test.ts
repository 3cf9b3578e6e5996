import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  binomialCdf,
  incompleteBeta,
  inverseIncompleteBeta,
  normalCdf,
  studentQuantile,
} from '../../src/stats/distributions.ts'

describe('normal (Abramowitz & Stegun, tables 26.1 and 26.5)', () => {
  it.each([
    [0.75, 0.67448975],
    [0.9, 1.28155157],
    [0.95, 1.64485363],
    [0.975, 1.95996398],
    [0.99, 2.32634787],
    [0.999, 3.09023231],
    [0.9999, 3.71901649],
    [0.01, -2.32634787],
  ])('the share %f lies below %f', (p, z) => expect(normalCdf(z)).toBeCloseTo(p, 8))

  it.each([
    [0, 0.5],
    [1, 0.841344746068543],
    [2, 0.977249868051821],
    [3, 0.99865010196837],
    [-1.5, 0.066807201268858],
    [-5, 2.866515719e-7],
  ])('share below %f is %f', (z, p) => expect(normalCdf(z)).toBeCloseTo(p, 13))
})

describe('Student t (Fisher & Yates)', () => {
  it.each([
    [0.975, 1, 12.7062],
    [0.999, 1, 318.3088],
    [0.975, 2, 4.3027],
    [0.95, 5, 2.015],
    [0.975, 9, 2.2622],
    [0.999, 9, 4.2968],
    [0.995, 10, 3.1693],
    [0.975, 19, 2.093],
    [0.999, 19, 3.5794],
    [0.95, 30, 1.6973],
    [0.975, 120, 1.9799],
    [0.01, 10, -2.7638],
  ])('quantile of %f with %i degrees of freedom is %f', (p, df, t) => {
    expect(studentQuantile(p, df)).toBeCloseTo(t, 4)
  })

  it('tends to the normal', () => expect(studentQuantile(0.975, 1e6)).toBeCloseTo(1.959966, 5))
})

describe('beta and binomial', () => {
  it.each([
    // Pearson, Tables of the Incomplete Beta-Function; closed forms.
    [0.5, 2, 2, 0.5],
    [0.2, 1, 3, 1 - 0.8 ** 3],
    [0.3, 2, 3, 0.3483],
    [0.5, 0.5, 0.5, 0.5],
    [0.1, 0.5, 0.5, (2 / Math.PI) * Math.asin(Math.sqrt(0.1))],
  ])('I_%f(%f, %f) is %f', (x, a, b, value) => expect(incompleteBeta(x, a, b)).toBeCloseTo(value, 10))

  it('sums the binomial exactly', () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n, k - 1) * (n - k + 1)) / k)
    for (const [n, p] of [
      [10, 0.5],
      [30, 0.1],
      [20, 0.99],
    ] as const) {
      let sum = 0
      for (let k = 0; k <= n; k++) {
        sum += choose(n, k) * p ** k * (1 - p) ** (n - k)
        expect(binomialCdf(k, n, p)).toBeCloseTo(sum, 10)
      }
    }
  })

  it.each([
    // Exact two-sided 95 % limits of x in n (Clopper & Pearson 1934; Documenta Geigy, p. 85).
    [0, 10, 0, 0.3085],
    [1, 10, 0.0025, 0.445],
    [5, 10, 0.1871, 0.8129],
    [2, 20, 0.0123, 0.317],
    [10, 100, 0.049, 0.1762],
    [0, 100, 0, 0.0362],
  ])('Clopper-Pearson of %i in %i is %f to %f', (x, n, lower, upper) => {
    expect(x === 0 ? 0 : inverseIncompleteBeta(0.025, x, n - x + 1)).toBeCloseTo(lower, 4)
    expect(inverseIncompleteBeta(0.975, x + 1, n - x)).toBeCloseTo(upper, 4)
  })

  it('inverts itself', () => {
    const shape = fc.double({ min: 0.5, max: 5_000, noNaN: true })
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 0.999, noNaN: true }), shape, shape, (p, a, b) => {
        expect(incompleteBeta(inverseIncompleteBeta(p, a, b), a, b)).toBeCloseTo(p, 5)
      }),
      { numRuns: 200, seed: 1 },
    )
  })
})
