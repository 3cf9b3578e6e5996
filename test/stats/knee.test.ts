import { describe, expect, it } from 'vitest'
import { findBend, lastCarried } from '../../src/stats/curve.ts'

describe('the knee', () => {
  it('is where X(N) of the universal scalability law stops paying', () => {
    const xs = [1, 2, 4, 8, 16, 32, 64]
    const points = xs.map((n) => ({ x: n, y: (1_000 * n) / (1 + 0.05 * (n - 1) + 0.001 * n * (n - 1)) }))
    expect(xs[findBend(points) ?? -1]).toBe(16)
  })

  it('is not found on a straight line, a falling one, or two points', () => {
    expect(findBend([1, 2, 3, 4].map((x) => ({ x, y: 10 * x })))).toBeUndefined()
    expect(findBend([1, 2, 3].map((x) => ({ x, y: 10 - x })))).toBeUndefined()
    expect(
      findBend([
        { x: 1, y: 1 },
        { x: 2, y: 2 },
      ]),
    ).toBeUndefined()
  })

  it('of offered rates is the last that was carried', () => {
    const levels = [100, 200, 400, 800].map((offered) => ({ offered, achieved: Math.min(offered, 410) }))
    expect(lastCarried(levels)).toBe(2)
    expect(lastCarried(levels.slice(0, 3))).toBeUndefined()
  })
})
