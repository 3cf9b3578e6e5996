// The bound of a measured offset against truth that a simulation knows: the delays of both ways differ and vary,
// answers are lost, the other clock runs at a rate of its own that wanders.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type ClockOffset,
  clockTrack,
  measureOffset,
  offsetOf,
  type RemoteTimes,
  startSkew,
} from '../../../src/load/fleet/clock-offset.ts'
import { type Random, randomFrom } from '../../../src/stats/random.ts'

const SECOND_US = 1_000_000

interface World {
  seed: number
  /** The other clock at instant 0 of this one. */
  offsetUs: number
  ratePpm: number
  /** The rate swings by so much to either side, in so many seconds. */
  wanderPpm: number
  periodS: number
  /** The least that a message takes each way, and the mean of what comes on top. */
  thereUs: number
  backUs: number
  jitterUs: number
  lost: number
}

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  offsetUs: fc.double({ min: -1e12, max: 1e12, noNaN: true }),
  ratePpm: fc.double({ min: -900, max: 900, noNaN: true }),
  wanderPpm: fc.double({ min: 0, max: 15, noNaN: true }),
  periodS: fc.double({ min: 2, max: 200, noNaN: true }),
  thereUs: fc.double({ min: 10, max: 80_000, noNaN: true }),
  backUs: fc.double({ min: 10, max: 80_000, noNaN: true }),
  jitterUs: fc.double({ min: 0, max: 20_000, noNaN: true }),
  lost: fc.constantFrom(0, 0, 0.3),
})

/** Two hosts with a network between them; the simulated instants are those of this host. */
class TwoHosts {
  nowUs = 0
  readonly world: World
  readonly #random: Random

  constructor(world: World) {
    this.world = world
    this.#random = randomFrom(world.seed)
  }

  trueOffset(us: number): number {
    const { offsetUs, ratePpm, wanderPpm, periodS } = this.world
    const angle = (2 * Math.PI) / (periodS * SECOND_US)
    return offsetUs + ratePpm * 1e-6 * us + (wanderPpm * 1e-6 * Math.sin(angle * us)) / angle
  }

  readonly ask = async (): Promise<RemoteTimes | undefined> => {
    this.nowUs += this.#delay(this.world.thereUs)
    const receivedUs = this.#remote()
    this.nowUs += this.#random() * 300
    const sentUs = this.#remote()
    this.nowUs += this.#delay(this.world.backUs)
    return this.#random() < this.world.lost ? undefined : { receivedUs, sentUs }
  }

  readonly measure = async (options?: { rounds?: number }): Promise<ClockOffset> => {
    const measured = await measureOffset(this.ask, () => this.nowUs, options)
    if (!measured.ok) throw new Error(measured.why)
    return measured.value
  }

  #remote(): number {
    return this.nowUs + this.trueOffset(this.nowUs)
  }

  #delay(leastUs: number): number {
    return leastUs - this.world.jitterUs * Math.log(1 - this.#random())
  }
}

/** Numbers of 10^12 have four digits behind the point. */
const DIGITS_US = 1e-3

describe('the true offset lies within the bound', () => {
  test('of one measurement', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const hosts = new TwoHosts({ ...world, lost: world.lost / 2 })
        const { atUs, offsetUs, errorUs, roundTripUs } = await hosts.measure()
        expect(Math.abs(hosts.trueOffset(atUs) - offsetUs)).toBeLessThanOrEqual(errorUs + DIGITS_US)
        // The bound is that of the fastest round trip, or less: what both clocks did in the seconds since is the rest.
        expect(errorUs).toBeLessThanOrEqual(roundTripUs / 2 + 1_000e-6 * atUs + DIGITS_US)
      }),
    )
  })

  test('at every instant of a run that was measured before and after, and of more often measured ones', async () => {
    await fc.assert(
      fc.asyncProperty(
        worlds,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 600 }),
        async (world, runs, s) => {
          const hosts = new TwoHosts({ ...world, lost: 0 })
          const measured: [ClockOffset, ...ClockOffset[]] = [await hosts.measure()]
          for (let i = 0; i < runs; i++) {
            hosts.nowUs += s * SECOND_US
            measured.push(await hosts.measure())
          }
          const track = clockTrack(measured)
          if (!track.ok) throw new Error(track.why)
          const [first] = measured
          const lengthUs = hosts.nowUs - first.atUs
          // A twentieth before the first and after the last, too.
          for (let part = -0.05; part <= 1.05; part += 0.01) {
            const us = first.atUs + part * lengthUs
            const { offsetUs, errorUs } = track.value.at(us)
            const trueUs = hosts.trueOffset(us)
            expect(Math.abs(trueUs - offsetUs)).toBeLessThanOrEqual(errorUs + DIGITS_US)
            const here = track.value.here(us + trueUs)
            expect(Math.abs(here.atUs - us)).toBeLessThanOrEqual(here.errorUs * 1.002 + DIGITS_US)
          }
          const { driftUs, driftErrorUs } = track.value
          const driftedUs = hosts.trueOffset(measured.at(-1)?.atUs ?? 0) - hosts.trueOffset(first.atUs)
          expect(Math.abs(driftedUs - driftUs)).toBeLessThanOrEqual(driftErrorUs + DIGITS_US)
        },
      ),
      { numRuns: 60 },
    )
  })
})

const LAN: World = {
  ...{ seed: 7, offsetUs: 4e9, ratePpm: 12, wanderPpm: 1, periodS: 30, lost: 0 },
  ...{ thereUs: 60, backUs: 140, jitterUs: 400 },
}

test('a hundred questions are nearer than the fastest round trip of four', async () => {
  const few = await new TwoHosts(LAN).measure({ rounds: 4 })
  const many = await new TwoHosts(LAN).measure({ rounds: 100 })
  expect(many.errorUs).toBeLessThan(few.errorUs)
  expect(many.errorUs).toBeLessThan(200)
  expect([few.exchanges, many.exchanges]).toEqual([4, 100])
})

test('a slow network is asked no longer than a measurement may take, and at least four times', async () => {
  const hosts = new TwoHosts({ ...LAN, thereUs: 400_000, backUs: 400_000 })
  const { exchanges } = await hosts.measure()
  expect(exchanges).toBe(4)
})

test('a host that answers nothing has no offset', async () => {
  const hosts = new TwoHosts({ ...LAN, lost: 1 })
  const measured = await measureOffset(hosts.ask, () => hosts.nowUs)
  expect(measured).toEqual({ ok: false, why: 'only 0 of 32 questions for its clock answered' })
})

describe('a clock that jumps has no offset', () => {
  test('within a measurement', () => {
    const exchange = (askedUs: number, offsetUs: number) => {
      const receivedUs = askedUs + 100 + offsetUs
      return { askedUs, receivedUs, sentUs: receivedUs, answeredUs: askedUs + 200 }
    }
    const told = offsetOf([exchange(0, 5_000), exchange(1_000, 5_000), exchange(2_000, -45_000)])
    expect(told).toMatchObject({ ok: false, why: expect.stringContaining('its clock jumped by 4') })
  })

  test.each([-2, 2])('by %d s within a run: a host that slept, or a clock that was set', async (seconds) => {
    const hosts = new TwoHosts(LAN)
    const before = await hosts.measure()
    hosts.nowUs += 60 * SECOND_US
    const after = await hosts.measure()
    expect(clockTrack([before, after]).ok).toBe(true)
    const jumped = clockTrack([before, { ...after, offsetUs: after.offsetUs + seconds * SECOND_US }])
    expect(jumped).toMatchObject({ ok: false, why: expect.stringMatching(/jumped by 19\d{5} us .* slept/) })
  })
})

test('one measurement serves alone, with an error that grows by a millisecond a second', async () => {
  const measured = await new TwoHosts(LAN).measure()
  const track = clockTrack([measured])
  if (!track.ok) throw new Error(track.why)
  expect(track.value.at(measured.atUs + 10 * SECOND_US).errorUs).toBeCloseTo(measured.errorUs + 10_000)
  expect(track.value).toMatchObject({ driftUs: 0, driftErrorUs: 0 })
})

describe('the start skew', () => {
  test('is from the first to the last, and what the errors leave possible', () => {
    const starts = [
      { atUs: 1_000, errorUs: 100 },
      { atUs: 1_300, errorUs: 50 },
      { atUs: 1_200, errorUs: 400 },
    ]
    expect(startSkew(starts)).toEqual({ skewUs: 300, atLeastUs: 150, atMostUs: 800 })
    expect(startSkew([{ atUs: 5, errorUs: 9 }])).toEqual({ skewUs: 0, atLeastUs: 0, atMostUs: 0 })
    expect(startSkew([])).toEqual({ skewUs: 0, atLeastUs: 0, atMostUs: 0 })
  })

  test('the true one lies between', () => {
    const hosts = fc.array(
      fc.record({ trueUs: fc.nat(1e6), errorUs: fc.nat(1e4), of: fc.double({ min: -1, max: 1, noNaN: true }) }),
      {
        minLength: 2,
        maxLength: 20,
      },
    )
    fc.assert(
      fc.property(hosts, (all) => {
        const { atLeastUs, atMostUs } = startSkew(
          all.map(({ trueUs, errorUs, of }) => ({ atUs: trueUs + of * errorUs, errorUs })),
        )
        const trueSkewUs = Math.max(...all.map(({ trueUs }) => trueUs)) - Math.min(...all.map(({ trueUs }) => trueUs))
        expect(trueSkewUs).toBeLessThanOrEqual(atMostUs + DIGITS_US)
        expect(trueSkewUs).toBeGreaterThanOrEqual(atLeastUs - DIGITS_US)
      }),
    )
  })
})
