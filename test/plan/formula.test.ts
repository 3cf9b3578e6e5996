// The worked figures of the vendor's page, to the digit, and what must hold for every demand. Source: Kong AI Gateway
// resource sizing guidelines (developer.konghq.com, app/ai-gateway/resource-sizing-guidelines-ai.md at bc1cd742):
// "equivalent_output_load = I_peak / R + O_peak; required_workers = equivalent_output_load / O_w", "(80M / 4 + 10M) /
// 1M = 30 workers -> 60-120 workers w/ redundancy", R "~4.2:1 - 5.6:1", vCPU of the tiers 18, 100, 360.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { costRatio, equivalentOutputLoad, rawWorkers, wholeUp } from '../../src/plan/cpu.ts'

const demand = (inputTokensPerSec: number, outputTokensPerSec: number) => ({ inputTokensPerSec, outputTokensPerSec })
const M = 1e6

test('the worked example: 80M in and 10M out are 30 workers, 60 and 120 with redundancy', () => {
  expect(equivalentOutputLoad(demand(80 * M, 10 * M), 4)).toBe(30 * M)
  const raw = rawWorkers(demand(80 * M, 10 * M), 4, M)
  expect([1, 2, 4].map((factor) => wholeUp(factor * raw))).toEqual([30, 60, 120])
})

test.each([
  ['Small', 10 * M, 2 * M, 18],
  ['Medium', 60 * M, 10 * M, 100],
  ['Large', 200 * M, 40 * M, 360],
])("the vCPU of tier %s are the formula at the tier's top, four times", (_, input, output, vcpu) => {
  expect(wholeUp(4 * rawWorkers(demand(input, output), 4, M))).toBe(vcpu)
})

test.each([
  ['OpenAI', 4_400_000, 1_050_000, 4.2, 4.190476],
  ['Gemini', 4_400_000, 780_000, 5.6, 5.641026],
])('R of the %s path follows from one worker', (path, inputTokensPerSec, outputTokensPerSec, printed, exact) => {
  const ratio = costRatio({ path, inputTokensPerSec, outputTokensPerSec })
  expect(ratio).toBeCloseTo(exact, 6)
  expect(Number(ratio.toFixed(1))).toBe(printed)
})

// Recomputed, not printed by the page: redundancy multiplies the raw figure, so 4x is 111 and not 4 x 28 = 112.
test('80M and 10M by the measured OpenAI path: 28 workers, 56 at 2x, 111 at 4x', () => {
  const raw = rawWorkers(demand(80 * M, 10 * M), 4_400_000 / 1_050_000, 1_050_000)
  expect(raw).toBeCloseTo(27.705628, 6)
  expect([1, 2, 4].map((factor) => wholeUp(factor * raw))).toEqual([28, 56, 111])
})

test('a product that binary fractions push over a whole number is not rounded up to the next', () => {
  expect(1.1 * 1.1 * 100).toBeGreaterThan(121)
  expect(wholeUp(1.1 * 1.1 * 100)).toBe(121)
  expect(wholeUp(3.000001)).toBe(4)
  expect(wholeUp(0.000001)).toBe(1)
})

const tokens = fc.double({ min: 1, max: 1e12, noNaN: true })
const factor = fc.double({ min: 1, max: 10, noNaN: true })
const ratio = fc.double({ min: 0.1, max: 100, noNaN: true })
const perWorker = fc.double({ min: 1e3, max: 1e8, noNaN: true })

test('workers never fall when either load grows', () => {
  fc.assert(
    fc.property(tokens, tokens, fc.double({ min: 0, max: 1e12, noNaN: true }), ratio, perWorker, (i, o, more, r, w) => {
      const base = wholeUp(rawWorkers(demand(i, o), r, w))
      expect(wholeUp(rawWorkers(demand(i + more, o), r, w))).toBeGreaterThanOrEqual(base)
      expect(wholeUp(rawWorkers(demand(i, o + more), r, w))).toBeGreaterThanOrEqual(base)
    }),
  )
})

test('rounding up once never asks for more than rounding up twice, and always carries the load', () => {
  fc.assert(
    fc.property(tokens, tokens, ratio, perWorker, factor, (i, o, r, w, f) => {
      const raw = rawWorkers(demand(i, o), r, w)
      const workers = wholeUp(f * raw)
      expect(workers).toBeLessThanOrEqual(Math.max(1, Math.ceil(f * wholeUp(raw))))
      expect(workers).toBeGreaterThanOrEqual(f * raw * (1 - 1e-11))
      expect(workers === 1 || workers - 1 < f * raw * (1 + 1e-11)).toBe(true)
    }),
  )
})
