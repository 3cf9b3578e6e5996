import { describe, expect, it } from 'vitest'
import { randomFrom } from '../../src/stats/random.ts'
import { addToTrend, emptyTrend, risingSlope } from '../../src/stats/trend.ts'

function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const sums = emptyTrend()
  for (const [x, y] of points) addToTrend(sums, x, y)
  return risingSlope(sums)
}

const steps = Array.from({ length: 200 }, (_, i) => i / 20)

describe('a trend', () => {
  it('that rises has its slope', () => {
    expect(slopeOf(steps.map((x) => [x, 3 + x / 2]))).toBeCloseTo(0.5, 9)
  })

  it.each([
    ['falls', (x: number) => 10 - x],
    ['stays', () => 6],
  ])('that %s has none', (_, of) => {
    expect(slopeOf(steps.map((x) => [x, of(x)]))).toBe(0)
  })

  it('that may be chance has none: answers of 1 to 10 s at random', () => {
    const random = randomFrom('trend')
    const runs = Array.from({ length: 500 }, () =>
      slopeOf(Array.from({ length: 12 }, (_, i) => [i / 2, 1 + 9 * random()])),
    )
    // Student's t with ten degrees of freedom is over three in 0.7 % of all cases.
    expect(runs.filter((slope) => slope > 0).length).toBeLessThan(10)
  })

  it('of too few points, or all at one time, is none', () => {
    expect(slopeOf([[0, 1]])).toBe(0)
    expect(slopeOf(steps.map((_, i) => [1, i]))).toBe(0)
  })
})
