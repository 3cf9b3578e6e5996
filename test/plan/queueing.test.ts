// Erlang B and C, M/M/c, waiting tails, M/G/k: against printed figures, each with its source.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { erlangB, erlangC, estimateWait } from '../../src/plan/queueing.ts'

// Public unit tests of ErlangB implementations (TechyGuy2000/erlanglib and others).
test.each([
  [5, 1, 0.8333333333333334],
  [20, 10, 0.5379631686320729],
  // Underflow: naive factorials give NaN here.
  [500, 1000, 1.6524151277513355e-86],
])('Erlang B(%d erlangs, %d servers)', (load, servers, expected) => {
  expect(erlangB(load, servers) / expected).toBeCloseTo(1, 9)
})

test.each([
  [10, 11, 0.6821182046893322, 'TechyGuy2000/erlanglib tests: 0.6821'],
  [10, 14, 0.17413193359504991, 'erlanglib 0.1741; rodrigo-arenas/pyworkforce test_erlang.py 0.174'],
  [24, 35, 0.023521116861458607, 'a public test suite, lambda 120, mu 5'],
  [0.1 / 0.0033, 35, 0.3121925015328496, 'a public test suite, lambda 0.1, mu 0.0033'],
  [0.1 / 0.0033, 40, 0.06278834613535761, 'the same'],
  [0.1 / 0.0033, 135, 3.3170371593189645e-44, 'the same: underflow'],
  [95, 100, 0.5064568539, 'Tijms, A First Course in Stochastic Models, p. 200: 0.506'],
  [10, 12, 0.44939, "erlanglib's comment of 0.2853 is wrong"],
])('Erlang C(%d erlangs, %d servers)', (load, servers, expected) => {
  expect((erlangC(load, servers) ?? Number.NaN) / expected).toBeCloseTo(1, 4)
})

/** M/M/c: exponential service at a rate. */
function exponentialService(arrivalsPerSec: number, servedPerSec: number, servers: number) {
  return estimateWait({ arrivalsPerSec, meanServiceS: 1 / servedPerSec, servers, serviceScv: 1 })
}

// mmarzolla/queueing inst/qsmmm.m (ETH Zurich slides 2017); AlgoGraph/Queuing-theory tests/MMC.test.ts (the clinic of
// Gross and Harris); Render and Stair, example 14.3; Bronson 23.3.
test.each([
  [9, 5, 2, { queueLength: 7.674, meanResponseS: 1.053 }],
  [9, 5, 4, { queueLength: 0.105, meanResponseS: 0.212 }],
  [0.1, 0.05, 3, { queueLength: 0.889, meanResponseS: 28.88 }],
  [20, 30, 2, { inSystem: 0.75, meanResponseS: 0.0375 }],
  [24, 30, 1, { inSystem: 4, meanResponseS: 0.16666667 }],
])('M/M/c with lambda %d, mu %d, %d servers', (arrivals, served, servers, expected) => {
  const { meanWaitS = Number.NaN } = exponentialService(arrivals, served, servers) ?? {}
  const meanResponseS = meanWaitS + 1 / served
  // Lengths follow from times by Little's law.
  const found = { meanResponseS, queueLength: arrivals * meanWaitS, inSystem: arrivals * meanResponseS }
  for (const [name, value] of Object.entries(expected)) {
    // The sources print three or four digits, some of them cut and not rounded.
    expect(Math.abs(found[name as keyof typeof found] - value) / value, name).toBeLessThan(1e-2 / 2)
  }
})

describe('the wait that a share of the arrivals does not exceed', () => {
  test.each([
    ['a public test suite', 0.1, 0.0033, 35, 20, 0.7710233599946846, 9],
    ['erlanglib', 10 / 180, 1 / 180, 14, 20, 0.88835, 3],
    ['erlanglib', 10 / 180, 1 / 180, 11, 20, 0.39, 0],
  ])(
    '%s: lambda %d, mu %d, %d servers: at most %d s for %d',
    (_from, arrivals, served, servers, seconds, level, digits) => {
      expect(exponentialService(arrivals, served, servers)?.quantileS(level)).toBeCloseTo(seconds, digits)
    },
  )

  test('average speed of answer, 10 erlangs on 14 servers: 7.83593 s (erlanglib)', () => {
    expect(exponentialService(10 / 180, 1 / 180, 14)?.meanWaitS).toBeCloseTo(7.83593, 4)
  })

  test('of those that wait at 95 erlangs on 100: mean 0.2, 95 % within 0.6 service times (Tijms p. 200)', () => {
    const { waits = Number.NaN, meanWaitS, quantileS } = exponentialService(95, 1, 100) ?? {}
    expect((meanWaitS ?? Number.NaN) / waits).toBeCloseTo(0.2, 9)
    expect(quantileS?.(1 - 0.05 * waits)).toBeCloseTo(0.6, 2)
  })
})

// approx_mean and approx_p99 of a reference simulation's table: Allen-Cunneen, exponential tail.
test.each([
  [4, 0.8, 0, 0.3728, 2.555],
  [4, 0.8, 4, 1.8639, 12.776],
  [16, 0.6, 0, 0.0033, 0.112],
  [16, 0.8, 0, 0.0476, 0.534],
  [16, 0.8, 4, 0.2382, 2.67],
  [64, 0.8, 4, 0.0109, 0.337],
  [64, 0.9, 4, 0.1214, 1.342],
])('M/G/k by two moments: %d servers at %d, scv %d', (servers, utilisation, serviceScv, mean, p99) => {
  const wait = estimateWait({ arrivalsPerSec: servers * utilisation, meanServiceS: 1, servers, serviceScv })
  expect(wait?.meanWaitS).toBeCloseTo(mean, 3)
  expect(wait?.quantileS(0.99)).toBeCloseTo(p99, 2)
})

test('at or above capacity there is no answer', () => {
  expect(erlangC(10, 10)).toBeUndefined()
  expect(exponentialService(10, 1, 9)).toBeUndefined()
  expect(estimateWait({ arrivalsPerSec: 10, meanServiceS: 1, servers: 10, serviceScv: 1 })).toBeUndefined()
})

test('more servers never wait more; probabilities stay in [0, 1]', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.01, max: 5_000, noNaN: true }), fc.integer({ min: 1, max: 200 }), (load, more) => {
      const servers = Math.floor(load) + more
      const here = erlangC(load, servers) ?? Number.NaN
      expect(here).toBeGreaterThanOrEqual(0)
      expect(here).toBeLessThanOrEqual(1)
      expect(erlangC(load, servers + 1)).toBeLessThanOrEqual(here)
    }),
  )
})
