import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ARRIVAL_KINDS,
  ARRIVALS_IN_WORDS,
  type Arrival,
  DEFAULT_ARRIVAL,
  describeArrivals,
  parametersOf,
} from '../../src/schedule/arrivals.ts'
import { flatRamp } from '../../src/schedule/ramp.ts'
import { openLoop, type Schedule, slice } from '../../src/schedule/schedule.ts'

const seeds = fc.integer({ min: 0, max: 2 ** 31 })
const arrivals: fc.Arbitrary<Arrival> = fc.record({
  kind: fc.constantFrom(...ARRIVAL_KINDS),
  burstiness: fc.double({ min: 0.1, max: 10, noNaN: true }),
})

function dueAt(schedule: Schedule, sent: number): number {
  const pace = schedule(0, sent)
  return pace.kind === 'due' ? pace.atUs : Number.NaN
}

function gapsOf(arrival: Arrival, rps: number, seed: number, count: number): number[] {
  const schedule = openLoop(flatRamp(rps), {}, arrival, seed)
  const gaps: number[] = []
  let before = dueAt(schedule, 0)
  for (let i = 1; i <= count; i++) {
    const at = dueAt(schedule, i)
    gaps.push(at - before)
    before = at
  }
  return gaps
}

function meanAndCv(gaps: number[]): { mean: number; cv: number } {
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / (gaps.length - 1)
  return { mean, cv: Math.sqrt(variance) / mean }
}

describe('arrivals', () => {
  it('each process stands in the help with its words, and names only the parameters that it has', () => {
    for (const kind of ARRIVAL_KINDS) expect(ARRIVALS_IN_WORDS).toContain(`${kind} (`)
    expect(describeArrivals('poisson', { burstiness: 0.5 })).toBe('poisson arrivals')
    expect(describeArrivals('gamma', { burstiness: 0.5 })).toBe('gamma arrivals of burstiness 0.5')
    expect(parametersOf({ kind: 'gamma', burstiness: 0.5 })).toEqual({ burstiness: 0.5 })
    expect(parametersOf({ kind: 'poisson', burstiness: 0.5 })).toEqual({})
  })

  // The CV of a shape is 1/sqrt(shape); its estimate from 20,000 gaps is within a few percent.
  it.each([
    ['constant', { kind: 'constant', burstiness: 1 }, 0],
    ['poisson', { kind: 'poisson', burstiness: 1 }, 1],
    ['gamma of shape 1, which is poisson', { kind: 'gamma', burstiness: 1 }, 1],
    ['gamma of shape 0.25: bursts', { kind: 'gamma', burstiness: 0.25 }, 2],
    ['gamma of shape 4: nearly even', { kind: 'gamma', burstiness: 4 }, 0.5],
  ] as [string, Arrival, number][])(
    '%s: the mean rate holds, and the spread is the one it says',
    (_name, arrival, cv) => {
      const measured = meanAndCv(gapsOf(arrival, 200, 7, 20_000))
      expect(measured.mean / 5_000).toBeGreaterThan(0.94)
      expect(measured.mean / 5_000).toBeLessThan(1.06)
      expect(Math.abs(measured.cv - cv)).toBeLessThan(0.1)
    },
  )

  it('exponential gaps: the share beyond the mean is 1/e, beyond twice the mean 1/e²', () => {
    const gaps = gapsOf({ kind: 'poisson', burstiness: 1 }, 1_000, 3, 20_000)
    const beyond = (us: number): number => gaps.filter((gap) => gap > us).length / gaps.length
    expect(beyond(1_000)).toBeCloseTo(Math.exp(-1), 1)
    expect(beyond(2_000)).toBeCloseTo(Math.exp(-2), 1)
    // One gap says nothing of the next.
    const mean = 1_000
    const product = gaps.slice(1).reduce((sum, gap, i) => sum + (gap - mean) * ((gaps[i] ?? 0) - mean), 0)
    expect(Math.abs(product / gaps.length / mean ** 2)).toBeLessThan(0.05)
  })

  it('the same seed sends at the same instants, in whatever order it is asked; another seed does not', () => {
    fc.assert(
      fc.property(arrivals, seeds, fc.array(fc.nat(500), { minLength: 1, maxLength: 20 }), (arrival, seed, asked) => {
        const forward = openLoop(flatRamp(100), {}, arrival, seed)
        const inOrder = Array.from({ length: 501 }, (_, i) => dueAt(forward, i))
        const random = openLoop(flatRamp(100), {}, arrival, seed)
        for (const i of asked) expect(dueAt(random, i)).toBe(inOrder[i])
        if (arrival.kind !== 'constant') {
          expect(dueAt(openLoop(flatRamp(100), {}, arrival, seed + 1), 50)).not.toBe(inOrder[50])
        }
      }),
      { numRuns: 50 },
    )
  })

  it('time never runs backwards, and the end is decided by the due time', () => {
    fc.assert(
      fc.property(arrivals, seeds, (arrival, seed) => {
        const schedule = openLoop(flatRamp(100), { durationUs: 1_000_000 }, arrival, seed)
        let before = 0
        for (let i = 0; ; i++) {
          const pace = schedule(99e9, i)
          if (pace.kind === 'end') break
          expect(pace.atUs).toBeGreaterThanOrEqual(before)
          expect(pace.atUs).toBeLessThan(1_000_000)
          before = pace.atUs
        }
      }),
      { numRuns: 50 },
    )
  })

  it('slices of several workers are the whole, each request once', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(300), seeds, (workers, requests, seed) => {
        const whole = () => openLoop(flatRamp(50), { requests }, { kind: 'poisson', burstiness: 1 }, seed)
        const timesOf = (schedule: Schedule): number[] => {
          const times: number[] = []
          for (let pace = schedule(0, 0); pace.kind === 'due'; pace = schedule(0, times.length)) times.push(pace.atUs)
          return times
        }
        const sliced = Array.from({ length: workers }, (_, i) => timesOf(slice(whole(), i, workers))).flat()
        expect(sliced.sort((a, b) => a - b)).toEqual(timesOf(whole()))
      }),
      { numRuns: 50 },
    )
  })

  it('constant arrivals start at once and are evenly apart', () => {
    expect(gapsOf(DEFAULT_ARRIVAL, 100, 1, 3)).toEqual([10_000, 10_000, 10_000])
  })
})
