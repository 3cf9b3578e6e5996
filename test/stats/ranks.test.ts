import { expect, it } from 'vitest'
import { aboveP } from '../../src/stats/ranks.ts'

/** By listing every choice of n of n + m ranks. */
function listed(high: readonly number[], low: readonly number[]): number {
  const all = [...high, ...low]
  const pairs = (of: readonly number[], others: readonly number[]) =>
    of.reduce((sum, value) => sum + others.filter((other) => value > other).length, 0)
  const seen = pairs(high, low)
  let [asHigh, count] = [0, 0]
  for (let mask = 0; mask < 2 ** all.length; mask++) {
    const of = all.filter((_, i) => (mask >> i) & 1)
    if (of.length !== high.length) continue
    count++
    if (
      pairs(
        of,
        all.filter((_, i) => !((mask >> i) & 1)),
      ) >= seen
    )
      asHigh++
  }
  return asHigh / count
}

it.each([
  [[5, 6, 7], [1, 2, 3], 1 / 20],
  [[6, 7, 8, 9, 10], [1, 2, 3, 4, 5], 1 / 252],
  [[1], [2], 1],
  [[], [1], 1],
])('%j above %j', (high, low, p) => {
  expect(aboveP(high, low)).toBeCloseTo(p, 12)
})

it('equals the list of all orders', () => {
  for (const [high, low] of [
    [
      [3, 9, 4, 12],
      [1, 7, 2, 5, 6],
    ],
    [
      [1, 2, 11],
      [3, 4, 5, 6],
    ],
    [
      [8, 1],
      [2, 3, 4],
    ],
  ] as const) {
    expect(aboveP(high, low)).toBeCloseTo(listed(high, low), 12)
  }
})
