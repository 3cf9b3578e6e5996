// A gateway that adds 0.63 ms, read from a wait in whole milliseconds that are cut off, as Envoy tells it.
import { describe, expect, it } from 'vitest'
import { judgeBudget } from '../../src/stats/gate.ts'
import { Histogram } from '../../src/stats/histogram.ts'
import { type Random, randomFrom } from '../../src/stats/random.ts'

const ADDED_US = 630
const resolution = { unitUs: 1_000, errorUs: 500 }

/** Readings of twenty blocks of a hundred; `waitUs` draws how long the upstream took. */
function readings(waitUs: (random: Random) => number): Histogram[] {
  const random = randomFrom('resolution')
  return Array.from({ length: 20 }, () => {
    const values = new Histogram()
    for (let i = 0; i < 100; i++) {
      const wait = waitUs(random)
      values.record(Math.max(0, wait + ADDED_US - (Math.floor(wait / 1_000) * 1_000 + 500)))
    }
    return values
  })
}

const judge = (blocks: readonly Histogram[], limitUs: number) =>
  judgeBudget({
    limitUs,
    resolution,
    client: 'ok',
    unread: 0,
    blocks: blocks.map((values) => ({ values, failed: 0, unfinished: 0 })),
  })

describe('a reading of whole milliseconds', () => {
  it('is right at the median where waits vary', () => {
    const values = Histogram.merge(readings((random) => 20_000 + 5_000 * random()))
    expect(Math.abs(values.quantileUs(0.5) - ADDED_US)).toBeLessThan(60)
  })

  it('is judged at no limit below its unit', () => {
    const blocks = readings((random) => 20_000 + 5_000 * random())
    for (const limitUs of [100, 500, 999]) {
      expect(judge(blocks, limitUs)).toMatchObject({ verdict: 'inconclusive', why: expect.stringContaining('1.00 ms') })
      expect(judge(blocks, limitUs).requestsNeeded).toBeUndefined()
    }
  })

  it('never fails a gateway that is within the limit, nor passes one that is not, however the provider takes', () => {
    for (const fraction of [0, 0.25, 0.5, 0.75, 0.999]) {
      const blocks = readings(() => 20_000 + 1_000 * fraction)
      for (const limitUs of [1_000, 1_100, 2_000]) expect(judge(blocks, limitUs).verdict).not.toBe('fail')
      expect(judge(blocks, 2_000).verdict).toBe('pass')
    }
    const slow = readings(() => 20_999).map((block) => Histogram.merge([block]))
    // As slow as it can be read too little: 2.4 ms over a limit of 2.
    const shifted = slow.map(() => {
      const values = new Histogram()
      for (let i = 0; i < 100; i++) values.record(2_400 - 499)
      return values
    })
    expect(judge(shifted, 2_000).verdict).not.toBe('pass')
  })
})
