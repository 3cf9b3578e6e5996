import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CountsReader, packCounts } from '../../src/stats/hdr-counts.ts'
import { Histogram } from '../../src/stats/histogram.ts'

function of(values: readonly number[], digits: 3 | 4 = 3): Histogram {
  const histogram = new Histogram(digits)
  for (const value of values) histogram.record(value)
  return histogram
}

function countsIn(bytes: Uint8Array, slots: number): number[][] {
  const reader = new CountsReader(bytes, slots)
  const seen: number[][] = []
  while (reader.next()) seen.push([reader.slot, reader.count])
  return seen
}

const values = fc.array(fc.integer({ min: 0, max: 100_000_000 }), { minLength: 1, maxLength: 300 })

describe('a histogram', () => {
  it('gives every rank within its resolution', () => {
    fc.assert(
      fc.property(values, (list) => {
        const histogram = of(list)
        const sorted = list.toSorted((a, b) => a - b)
        sorted.forEach((value, i) => {
          const read = histogram.atRankUs(i + 1)
          expect(Math.abs(read - value)).toBeLessThanOrEqual(value / 1_000)
        })
      }),
      { numRuns: 50, seed: 2 },
    )
  })

  it('counts what lies above a limit as its own ranks do', () => {
    fc.assert(
      fc.property(values, fc.integer({ min: 0, max: 100_000_000 }), (list, limit) => {
        const histogram = of(list)
        const above = list.map((_, i) => histogram.atRankUs(i + 1)).filter((value) => value > limit)
        expect(histogram.countAbove(limit)).toBe(above.length)
      }),
      { numRuns: 100, seed: 3 },
    )
  })

  it('forgets its ranks when it grows', () => {
    const histogram = of([10, 20])
    expect(histogram.atRankUs(2)).toBe(20)
    histogram.record(30)
    expect(histogram.atRankUs(3)).toBe(30)
    histogram.add(of([40]))
    expect(histogram.countAbove(25)).toBe(2)
  })

  it('keeps exact extremes, sum and ranks on its way', () => {
    const histogram = of([-3, 1_234_567, 89, 2_000_001], 4)
    const back = Histogram.unpack(histogram.pack())
    expect({ ...back }).toEqual({ ...histogram })
    expect(back.maxUs).toBe(2_000_001)
    expect(back.negative).toBe(1)
    expect([1, 2, 3, 4].map((rank) => back.atRankUs(rank))).toEqual(
      [1, 2, 3, 4].map((rank) => histogram.atRankUs(rank)),
    )
  })

  it('adds what is packed as it adds what comes of unpacking it', () => {
    const digits = fc.constantFrom<3 | 4>(3, 4)
    fc.assert(
      fc.property(
        values,
        fc.array(fc.integer({ min: -9, max: 2 ** 36 })),
        digits,
        digits,
        (mine, theirs, one, other) => {
          const [direct, unpacked] = [of(mine, one), of(mine, one)]
          const packed = of(theirs, other).pack()
          direct.addPacked(packed)
          unpacked.add(Histogram.unpack(packed))
          expect(direct.pack()).toEqual(unpacked.pack())
          expect(direct.count).toBe(mine.length + theirs.length)
        },
      ),
      { numRuns: 60, seed: 5 },
    )
  })

  it('takes the values of one with other digits', () => {
    const coarse = of([1_000])
    coarse.add(of([50_001, 2_000_001], 4))
    expect([coarse.count, coarse.maxUs]).toEqual([3, 2_000_001])
    expect(coarse.atRankUs(2)).toBeCloseTo(50_001, -2)
  })

  it('is open where there is no rank', () => {
    const histogram = of([5])
    expect(histogram.atRankUs(0)).toBe(0)
    expect(histogram.atRankUs(2)).toBe(Number.POSITIVE_INFINITY)
    expect(new Histogram().quantileUs(0.5)).toBeNaN()
    expect(new Histogram().countAbove(0)).toBe(0)
  })

  it('believes its counts rather than extremes that do not belong to them', () => {
    const packed = of([1_000, 2_000, 3_000_001]).pack()
    for (const [minUs, maxUs] of [
      [2_500, 2_600],
      [1_200_000, 9_000_000],
      [Number.NaN, Number.POSITIVE_INFINITY],
    ] as const) {
      const read = Histogram.unpack({ ...packed, minUs, maxUs })
      expect(read.distinctUs()).toHaveLength(3)
      expect(read.minUs).toBe(1_000)
      expect(read.maxUs / 3_000_001).toBeCloseTo(1, 2)
      expect([read.countAbove(1_500), read.countAbove(2_500), read.countAbove(4_000_000)]).toEqual([2, 1, 0])
    }
    const exact = Histogram.unpack(packed)
    expect([exact.minUs, exact.maxUs]).toEqual([1_000, 3_000_001])
  })

  it('refuses NaN', () => {
    expect(() => new Histogram().record(Number.NaN)).toThrow('NaN')
  })

  it('refuses counts that no histogram has, instead of room for them', () => {
    // A run of 2^40 empty slots, and a count without an end.
    const run = [0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]
    const endless = Array.from({ length: 12 }, () => 0xff)
    for (const bytes of [run, endless])
      expect(() => countsIn(Uint8Array.from(bytes), 100_000)).toThrow(/more slots|beyond/)
    const { digits, ...figures } = of([1]).pack()
    expect(() => Histogram.unpack({ ...figures, digits, counts: Uint8Array.from(run) })).toThrow('more slots')
    const seen = countsIn(Uint8Array.from([0x02, 0x05, 0x00, 0x80, 0x02]), 9)
    // One in the first slot, three empty ones, one more, and 128.
    expect(seen).toEqual([
      [0, 1],
      [5, 128],
    ])
  })

  it('writes counts as they are read, of any size and however far apart', () => {
    const gap = fc.oneof(fc.constant(1), fc.constant(2), fc.integer({ min: 1, max: 2 ** 40 }))
    const filled = fc.array(fc.tuple(gap, fc.integer({ min: 1, max: 2 ** 50 })), { maxLength: 3_000, size: 'max' })
    fc.assert(
      fc.property(filled, (list) => {
        let slot = -1
        const given = list.map(([further, count]) => {
          slot += further
          return [slot, count]
        })
        const packed = packCounts((visit) => {
          for (const [at = 0, count = 0] of given) visit(at, count)
        })
        expect(countsIn(packed, 2 ** 53)).toEqual(given)
      }),
      { numRuns: 30, seed: 6 },
    )
    // What one of them wrote is not written over by the next.
    const first = of([1, 2, 3]).pack()
    const kept = [...first.counts]
    of([9, 9, 9, 900]).pack()
    expect([...first.counts]).toEqual(kept)
    expect(first.counts.buffer.byteLength).toBe(kept.length)
  })
})
