import { expect, test } from 'vitest'
import { fitLogNormal, logNormalDistance, logNormalP } from '../../src/stats/log-normal.ts'
import { logNormal, randomFrom } from '../../src/stats/random.ts'

function drawn(count: number, seed: string): number[] {
  const random = randomFrom(seed)
  return Array.from({ length: count }, () => logNormal(random, 40_000, 0.5))
}

test('log-normal values give back their median and sigma, at a small distance', () => {
  const values = drawn(4_000, 'fit')
  const fit = fitLogNormal(values)
  expect(fit.median / 40_000).toBeCloseTo(1, 1)
  expect(fit.sigma).toBeCloseTo(0.5, 1)
  expect(logNormalDistance(values, fit)).toBeLessThan(0.02)
})

test('the probability of a misfit is fair: rarely small where values are log-normal, small where they are not', () => {
  const small = Array.from({ length: 40 }, (_, i) => logNormalP(drawn(100, `fair ${i}`), i)).filter((p) => p < 0.1)
  expect(small.length).toBeLessThan(11)
  const random = randomFrom('even')
  const even = Array.from({ length: 300 }, () => 1_000 * random())
  expect(logNormalP(even, 1)).toBeLessThan(0.01)
  expect(logNormalP(even, 1)).toBe(logNormalP(even, 1))
})

test('the distance is the largest gap between the two distributions', () => {
  expect(logNormalDistance([10, 10, 10, 10], { median: 10, sigma: 1 })).toBeCloseTo(0.5, 6)
})
