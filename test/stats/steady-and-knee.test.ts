import { describe, expect, it } from 'vitest'
import { findBend, lastCarried } from '../../src/stats/curve.ts'
import { steadyFrom } from '../../src/stats/means.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'

describe('steady state (MSER)', () => {
  it('leaves a decaying warm-up out and keeps the rest', () => {
    const random = randomFrom(1)
    const values = Array.from({ length: 40 }, (_, i) => 10 + 40 * Math.exp(-i / 3) + 0.3 * normal(random))
    const { skip, steady } = steadyFrom(values)
    expect(steady).toBe(true)
    expect(skip).toBeGreaterThanOrEqual(6)
    expect(skip).toBeLessThanOrEqual(20)
  })

  it('keeps everything of a run that is steady from the start, nearly always', () => {
    let skipped = 0
    for (let seed = 0; seed < 200; seed++) {
      const random = randomFrom(`steady/${seed}`)
      skipped += steadyFrom(Array.from({ length: 20 }, () => 10 + normal(random))).skip
    }
    expect(skipped / 200 / 20).toBeLessThan(0.25)
  })

  it('says so when the run only grows', () => {
    expect(steadyFrom(Array.from({ length: 20 }, (_, i) => i * i)).steady).toBe(false)
  })
})

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
