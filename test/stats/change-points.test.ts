import { describe, expect, it } from 'vitest'
import { changePoints } from '../../src/stats/change-points.ts'
import { logNormal, normal, randomFrom } from '../../src/stats/random.ts'

/** Levels of `length` values each, with normal noise of sigma 1. */
function series(seed: number, ...levels: [level: number, length: number][]): number[] {
  const random = randomFrom(`series/${seed}`)
  return levels.flatMap(([level, length]) => Array.from({ length }, () => level + normal(random)))
}

describe('E-divisive', () => {
  it('finds a step where it is', () => {
    const [change, ...others] = changePoints(series(1, [10, 30], [13, 30]))
    expect(others).toEqual([])
    expect(change?.p).toBeLessThanOrEqual(0.01)
    expect(Math.abs((change?.index ?? 0) - 30)).toBeLessThanOrEqual(2)
  })

  it('finds two, also where the level returns', () => {
    const found = changePoints(series(2, [10, 25], [14, 20], [10, 25])).map(({ index }) => index)
    expect(found).toHaveLength(2)
    expect(Math.abs((found[0] ?? 0) - 25)).toBeLessThanOrEqual(2)
    expect(Math.abs((found[1] ?? 0) - 45)).toBeLessThanOrEqual(2)
  })

  it('finds exact places without noise, and nothing in what never changes', () => {
    expect(changePoints([1, 1, 1, 1, 1, 1, 9, 9, 9, 9, 9, 9]).map(({ index }) => index)).toEqual([6])
    expect(changePoints(new Array<number>(40).fill(5))).toEqual([])
    expect(changePoints([1, 9, 1])).toEqual([])
    expect(changePoints([])).toEqual([])
  })

  it('is not moved by a single outlier', () => {
    const values = series(3, [10, 40])
    values[20] = 100
    expect(changePoints(values)).toEqual([])
  })

  it('is the same every time', () => {
    const values = series(4, [10, 20], [11.5, 20])
    expect(changePoints(values)).toEqual(changePoints(values))
  })

  it('raises few false alarms, also over skewed noise; and sees two sigmas most of the time', () => {
    const runs = 150
    const rate = (name: string, values: (seed: number) => number[]): number => {
      let found = 0
      for (let seed = 0; seed < runs; seed++)
        if (changePoints(values(seed), { permutations: 199, seed }).length > 0) found++
      process.stdout.write(
        `change points, ${name.padEnd(40)} ${((100 * found) / runs).toFixed(1).padStart(6)} %  (${runs} runs)\n`,
      )
      return found / runs
    }
    expect(rate('30 values, no change', (seed) => series(seed, [10, 30]))).toBeLessThanOrEqual(0.04)
    const skewed = (seed: number): number[] => {
      const random = randomFrom(`skewed/${seed}`)
      return Array.from({ length: 30 }, () => logNormal(random, 5, 0.5))
    }
    expect(rate('30 values, no change, log-normal', skewed)).toBeLessThanOrEqual(0.04)
    expect(rate('15 and 15 values, two sigmas apart', (seed) => series(seed, [10, 15], [12, 15]))).toBeGreaterThan(0.8)
  })
})
