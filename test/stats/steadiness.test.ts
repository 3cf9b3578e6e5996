import { describe, expect, it } from 'vitest'
import { mean } from '../../src/stats/means.ts'
import { normal, randomFrom } from '../../src/stats/random.ts'
import { CRITICAL, cramerVonMises, findSteady } from '../../src/stats/steadiness.ts'

/** Values whose neighbours are alike, as blocks of a run on a shared machine. */
function moods(count: number, { rho, sigma }: { rho: number; sigma: number }, seed: string): number[] {
  const random = randomFrom(seed)
  let mood = normal(random)
  return Array.from({ length: count }, () => {
    mood = rho * mood + Math.sqrt(1 - rho * rho) * normal(random)
    return Math.exp(sigma * mood)
  })
}

function shareOf(runs: number, holds: (seed: number) => boolean): number {
  let count = 0
  for (let seed = 0; seed < runs; seed++) if (holds(seed)) count++
  return count / runs
}

describe('the statistic', () => {
  it('is that of a Brownian bridge: its table by Anderson and Darling', () => {
    const statistics = Array.from({ length: 3_000 }, (_, seed) => {
      const random = randomFrom(`bridge/${seed}`)
      return cramerVonMises(
        Array.from({ length: 400 }, () => normal(random)),
        1,
      )
    })
    for (const [point, beyond] of [
      [0.3473, 0.1],
      [0.46136, 0.05],
      [CRITICAL, 0.01],
    ] as const) {
      const share = statistics.filter((statistic) => statistic > point).length / statistics.length
      expect(Math.abs(share - beyond)).toBeLessThan(4 * Math.sqrt((beyond * (1 - beyond)) / statistics.length))
    }
    // The mean of the distribution is a sixth.
    expect(mean(statistics)).toBeCloseTo(1 / 6, 2)
  })

  it('is right by hand', () => {
    // Deviations -1, 0, 1; sums -1, -1, 0; squares 2 of 9.
    expect(cramerVonMises([1, 2, 3], 1)).toBeCloseTo(2 / 9, 12)
    expect(cramerVonMises([5, 5, 5], 0)).toBe(0)
  })
})

describe('a run that is steady from the start', () => {
  it.each([
    ['blocks alike', 20, { rho: 0, sigma: 0.12 }, 0.01, 0.05],
    ['blocks that share moods', 20, { rho: 0.5, sigma: 0.12 }, 0.02, 0.12],
    ['moods that last', 20, { rho: 0.85, sigma: 0.12 }, 0.05, 0.2],
    ['much noise', 20, { rho: 0, sigma: 0.5 }, 0.01, 0.05],
    ['few blocks', 10, { rho: 0.5, sigma: 0.12 }, 0.02, 0.12],
    ['a minute of seconds with moods that last', 60, { rho: 0.85, sigma: 0.12 }, 0.05, 0.2],
  ])('is called so: %s', (name, count, noise, never, later) => {
    const runs = 1_000
    const found = Array.from({ length: runs }, (_, seed) => findSteady(moods(count, noise, `${name}/${seed}`)))
    expect(found.filter(({ steady }) => !steady).length / runs).toBeLessThanOrEqual(never)
    expect(found.filter(({ skip }) => skip > 0).length / runs).toBeLessThanOrEqual(later)
  })
})

describe('a transient', () => {
  it.each([
    ['short and high', 3, 0.05],
    ['long', 1, 0.1],
  ])('is left out, and the rest kept: %s', (name, height, length) => {
    const noise = { rho: 0.3, sigma: 0.08 }
    const found = Array.from({ length: 300 }, (_, seed) => {
      const values = moods(20, noise, `${name}/${seed}`)
      return findSteady(values.map((value, i) => value * (1 + height * Math.exp(-i / (20 * length)))))
    })
    expect(found.filter(({ skip, steady }) => steady && skip > 0).length / 300).toBeGreaterThan(0.9)
    expect(mean(found.map(({ skip }) => skip))).toBeLessThan(6)
  })

  it('that does not matter is none', () => {
    const values = Array.from({ length: 20 }, (_, i) => 100 - 0.5 * i)
    expect(findSteady(values)).toMatchObject({ skip: 0, steady: true })
  })
})

describe('a run that never becomes steady', () => {
  const never = (values: (seed: number) => number[]): number => shareOf(200, (seed) => !findSteady(values(seed)).steady)

  it('is told, the sooner the longer it is, and which way it goes', () => {
    const noise = { rho: 0.3, sigma: 0.08 }
    const rising = (count: number) => (seed: number) =>
      moods(count, noise, `rise/${seed}`).map((value, i) => value * (1 + (2 * i) / count))
    expect(never(rising(60))).toBeGreaterThan(0.9)
    expect(never(rising(60))).toBeGreaterThan(never(rising(20)))
    expect(findSteady(Array.from({ length: 20 }, (_, i) => 10 + i)).steady).toBe(false)
    expect(findSteady(Array.from({ length: 20 }, (_, i) => 10 + i)).drift).toBeGreaterThan(0.3)
    expect(findSteady(Array.from({ length: 20 }, (_, i) => 40 - i)).drift).toBeLessThan(-0.3)
  })
})

it('of few or equal values nothing is said', () => {
  expect(findSteady([])).toEqual({ skip: 0, steady: true, drift: 0 })
  expect(findSteady([1, 2, 3, 4, 5, 6, 7, 8, 9])).toMatchObject({ skip: 0, steady: true })
  expect(findSteady(new Array(30).fill(7))).toEqual({ skip: 0, steady: true, drift: 0 })
  expect(findSteady(new Array(30).fill(0))).toEqual({ skip: 0, steady: true, drift: 0 })
})
