// The Universal Scalability Law: fits against the R package usl (smoeding/usl at 480c97bf, tests/*.Rout.save), peaks
// and needs against its printed figures, and what the data cannot carry refused.
import { describe, expect, test } from 'vitest'
import { fitUsl, type UslFit } from '../../src/plan/usl/fit.ts'
import { asymptote, peak, throughputAt } from '../../src/plan/usl/model.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'

function fitted(n: number[], x: number[]): UslFit {
  const result = fitUsl({ n, x })
  if (!result.ok) throw new Error(result.why)
  return result.value
}

const SPEC = { n: [1, 18, 36, 72, 108, 144, 216], x: [64.9, 995.9, 1652.4, 1853.2, 1828.9, 1775.0, 1702.2] }

// Its tests: {summary,predict,peak-scalability,limit-scalability,residuals,efficiency}.Rout.save.
describe('specsdm91 of the R package usl', () => {
  const { model, residualStandardError, warnings } = fitted(SPEC.n, SPEC.x)

  test('parameters', () => {
    expect(model.alpha).toBeCloseTo(0.0277285, 6)
    expect(model.beta).toBeCloseTo(0.0001044, 7)
    expect(model.gamma).toBeCloseTo(89.995233, 5)
    // Recomputed elsewhere, stopped a little earlier: beta 1.0436577e-4.
    expect(model.beta / 1.0436577e-4).toBeCloseTo(1, 4)
  })

  test('residual standard error, and nothing to warn of', () => {
    expect(residualStandardError).toBeCloseTo(82.85, 2)
    expect(warnings).toEqual([])
  })

  test('peak and limit', () => {
    expect(peak(model)?.n).toBeCloseTo(96.51956, 2)
    expect(Math.round(peak(model)?.throughput ?? 0)).toBe(1884)
    expect(asymptote(model)).toBeCloseTo(3245.589, 0)
  })

  test('fitted values, residuals, efficiency', () => {
    expect(SPEC.n.map((n) => Math.round(throughputAt(n, model)))).toEqual([90, 1078, 1541, 1850, 1879, 1822, 1646])
    const residuals = [-25.1, -81.66, 111.09, 3.05, -49.99, -46.6, 56.0]
    const efficiency = [0.7211, 0.6148, 0.51, 0.286, 0.1882, 0.137, 0.0876]
    SPEC.n.forEach((n, i) => {
      expect((SPEC.x[i] ?? 0) - throughputAt(n, model)).toBeCloseTo(residuals[i] ?? 0, 1)
      expect((SPEC.x[i] ?? 0) / (n * model.gamma)).toBeCloseTo(efficiency[i] ?? 0, 4)
    })
  })
})

test('raytracer, first five points: few, and it says so (tests/warn-accuracy.Rout.save)', () => {
  const { model, warnings } = fitted([1, 4, 8, 12, 16], [20, 78, 130, 170, 190])
  expect(model.alpha).toBeCloseTo(0.028, 3)
  expect(model.beta).toBeCloseTo(0.001, 3)
  expect(model.gamma).toBeCloseTo(21.059, 2)
  expect(warnings.join()).toContain('only 5 different loads')
})

test('raytracer, all eleven: beta is 0, there is no peak (vignettes/usl.Rnw)', () => {
  const { model, warnings, residualStandardError } = fitted(
    [1, 4, 8, 12, 16, 20, 24, 28, 32, 48, 64],
    [20, 78, 130, 170, 190, 200, 210, 230, 260, 280, 310],
  )
  expect(model.beta).toBe(0)
  expect(model.alpha).toBeCloseTo(0.05777078, 7)
  expect(model.gamma).toBeCloseTo(21.84884295, 6)
  expect(asymptote(model)).toBeCloseTo(378.19885, 3)
  expect(residualStandardError).toBeCloseTo(9.33567, 4)
  expect(peak(model)).toBeUndefined()
  expect(warnings.join()).toContain('no retrograde seen up to N = 64')
})

test('synthetic data return the parameters they were made with (tests/coef.Rout.save)', () => {
  const { model } = fitted([1, 2, 4, 6, 8, 10], [1, 1.8868, 3.0769, 3.5294, 3.5398, 3.3557])
  expect(model.alpha).toBeCloseTo(0.02, 3)
  expect(model.beta).toBeCloseTo(0.02, 3)
  expect(model.gamma).toBeCloseTo(1, 3)
})

test('the formulas of peak and limit alone', () => {
  expect(peak({ alpha: 0.001, beta: 0.00001, gamma: 1 })?.n).toBeCloseTo(316.0696, 4)
  expect(asymptote({ alpha: 0.001, beta: 0.00001, gamma: 89.995233 })).toBeCloseTo(89995.23, 2)
})

test('loads of three orders of magnitude: the deepest valley is found, not the nearest', () => {
  const n = [1, 4, 13, 47, 169, 609]
  const { model, residualStandardError } = fitted(n, [74.7349, 298.154, 961.012, 3350.825, 10042.615, 15196.779])
  expect(model.alpha).toBeCloseTo(8.6e-4, 5)
  expect(model.gamma).toBeCloseTo(74.7, 1)
  expect(residualStandardError).toBeLessThan(1)
})

test('noise of 5 % on sublinear data is widened and not refused; Student’s t widens a fit of few points', () => {
  const random = randomFrom('usl')
  const truth = { alpha: 0.01, beta: 0.0001, gamma: 100 }
  const n = [1, 2, 4, 8, 16, 32]
  let refused = 0
  for (let i = 0; i < 300; i++)
    if (!fitUsl({ n, x: n.map((at) => throughputAt(at, truth) * (1 + 0.05 * normal(random))) }).ok) refused++
  expect(refused).toBeLessThan(6)
  const noisy = fitted([1, 2, 4, 8, 16], [100, 228, 400, 750, 1_300])
  expect(noisy.warnings.join()).toContain('14 % more per unit than at N = 1: taken for noise')
  expect(noisy.residualStandardError).toBeGreaterThan(5)
  // t(0.975, 2) is 4.303.
  expect(noisy.widening).toBeCloseTo(4.303 / 1.96, 2)
})

test.each([
  [[1, 2, 4], [10, 19, 35], 'needs at least 4 different loads, not 3'],
  [[1, 1, 2, 4], [10, 10, 19, 35], 'needs at least 4 different loads, not 3'],
  [[1, 2, 4, 8], [10, 25, 45, 80], 'superlinear scaling is an error in the data'],
  [[1, 2, 4, 8], [10, 0, 35, 60], 'point 2 (N 2, throughput 0) is not a measurement'],
])('N %j with X %j is refused', (n, x, why) => {
  const result = fitUsl({ n, x })
  expect(!result.ok && result.why).toContain(why)
})
