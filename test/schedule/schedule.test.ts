import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { armsByRequest, blockCount, interleave, share, shareOfBlocks } from '../../src/schedule/blocks.ts'
import { flatRamp } from '../../src/schedule/ramp.ts'
import { closedLoop, openLoop, type Schedule, type ScheduleLimits } from '../../src/schedule/schedule.ts'

const constantRate = (rps: number, limits: ScheduleLimits): Schedule => openLoop(flatRamp(rps), limits)

/** Every due time until the schedule ends, each asked for at the instant it is due. */
function dueTimes(schedule: Schedule): number[] {
  const times: number[] = []
  for (let elapsedUs = 0; times.length < 100_000; ) {
    const pace = schedule(elapsedUs, times.length)
    if (pace.kind === 'end') return times
    times.push(pace.atUs)
    elapsedUs = Math.max(elapsedUs, pace.atUs)
  }
  return times
}

describe('the open loop', () => {
  it('sends 100 a second for 3 s: 300 requests, 10 ms apart, the first at once', () => {
    const times = dueTimes(constantRate(100, { durationUs: 3_000_000 }))
    expect(times.length).toBe(300)
    expect(times.slice(0, 3)).toEqual([0, 10_000, 20_000])
  })

  it('owes a late sender every request of the duration, at its own time', () => {
    const schedule = constantRate(100, { durationUs: 1_000_000 })
    expect(schedule(5_000_000, 99)).toEqual({ kind: 'due', atUs: 990_000 })
    expect(schedule(5_000_000, 100)).toEqual({ kind: 'end' })
  })

  it('never drifts: request i is due at i/rate for any rate', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e5, noNaN: true }), fc.nat(1e6), (rps, i) => {
        const pace = constantRate(rps, {})(0, i)
        expect(pace.kind === 'due' && Math.abs((pace.atUs * rps) / 1e6 - i)).toBeLessThan(1e-3)
      }),
    )
  })
})

describe('the closed loop', () => {
  it('is always due at once, until its requests are sent', () => {
    const schedule = closedLoop({ requests: 2 })
    expect(schedule(7, 0)).toEqual({ kind: 'due', atUs: 7 })
    expect(schedule(9, 2)).toEqual({ kind: 'end' })
  })

  it('ends at its duration', () => {
    expect(closedLoop({ durationUs: 10 })(10, 0)).toEqual({ kind: 'end' })
  })
})

describe('blocks', () => {
  it('are twenty, fewer for a small run, at least one', () => {
    expect([undefined, 5_000, 100, 50, 9, 1].map((n) => blockCount(n))).toEqual([20, 20, 20, 10, 1, 1])
    expect([undefined, 4_000, 200].map((n) => blockCount(n, 80))).toEqual([80, 80, 40])
  })

  it('are fewer where the excluded requests would be over a quarter of each, but ten as long as possible', () => {
    expect([4_000, 1_000, 400, 100, 40].map((n) => blockCount(n, 80, 10))).toEqual([80, 25, 10, 10, 8])
  })

  it('share all requests, evenly', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 80 }), (total, blocks) => {
        const parts = Array.from({ length: blocks }, (_, i) => share(total, blocks, i))
        expect(parts.reduce((sum, part) => sum + part, 0)).toBe(total)
        expect(Math.max(...parts) - Math.min(...parts)).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('take turns in an order that the seed decides, each arm once in a block', () => {
    const order = interleave(['a', 'b'], 20, 1)
    for (let block = 0; block < 20; block++) {
      const pair = order.slice(block * 2, block * 2 + 2)
      expect(pair.map((entry) => entry.block)).toEqual([block, block])
      expect(pair.map((entry) => entry.arm).sort()).toEqual(['a', 'b'])
    }
    expect(interleave(['a', 'b'], 20, 1)).toEqual(order)
    expect(interleave(['a', 'b'], 20, 2)).not.toEqual(order)
    expect(interleave(['a'], 3, 1)).toEqual([0, 1, 2].map((block) => ({ arm: 'a', block })))
  })

  it('are balanced: at any time no arm had a place of the order more than once more often than another one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 60 }), fc.nat(), (arms, blocks, seed) => {
        const order = interleave(
          Array.from({ length: arms }, (_, arm) => arm),
          blocks,
          seed,
        )
        const counts = Array.from({ length: arms }, () => Array.from({ length: arms }, () => 0))
        for (const [at, { arm }] of order.entries()) {
          const row = counts[at % arms] ?? []
          row[arm] = (row[arm] ?? 0) + 1
          if (at % arms < arms - 1) continue
          for (const place of counts) expect(Math.max(...place) - Math.min(...place)).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it.each([2, 3, 4, 5, 6])('of %i arms each follows every other one equally often', (count) => {
    const blocks = count % 2 === 0 ? count : 2 * count
    const order = interleave(
      Array.from({ length: count }, (_, arm) => arm),
      blocks,
      7,
    )
    const follows = new Map<string, number>()
    for (const [at, { arm }] of order.entries()) {
      const before = order[at - 1]
      if (!before || at % count === 0) continue
      const key = `${before.arm} ${arm}`
      follows.set(key, (follows.get(key) ?? 0) + 1)
    }
    expect(follows.size).toBe(count * (count - 1))
    expect(new Set(follows.values()).size).toBe(1)
  })

  it('share every request out, whichever blocks are taken together', () => {
    const parts = [0, 3, 7].map((first, i) => shareOfBlocks(100, 11, first, [3, 4, 4][i] ?? 0))
    expect(parts.reduce((sum, part) => sum + part, 0)).toBe(100)
  })

  it('may be rounds of single requests, whose orders are equally likely', () => {
    const arms = Array.from({ length: 1_800 }, (_, index) => armsByRequest(1, 3)(index))
    const counts = new Map<string, number>()
    for (let round = 0; round < 600; round++) {
      const order = arms.slice(3 * round, 3 * round + 3).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210'])
    for (const count of counts.values()) expect(Math.abs(count - 100)).toBeLessThan(40)
  })

  it('may pair single requests: each pair holds both arms, in a random order of its own', () => {
    const arms = Array.from({ length: 400 }, (_, index) => armsByRequest(1)(index))
    const pairs = Array.from({ length: 200 }, (_, pair) => arms.slice(2 * pair, 2 * pair + 2).join(''))
    expect(new Set(pairs)).toEqual(new Set(['01', '10']))
    const swapped = pairs.filter((order) => order === '10').length
    expect(swapped).toBeGreaterThan(60)
    expect(swapped).toBeLessThan(140)
    expect(Array.from({ length: 400 }, (_, index) => armsByRequest(2)(index))).not.toEqual(arms)
  })
})
