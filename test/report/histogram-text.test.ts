// The text of a histogram against the library of HdrHistogram, in both directions.
import { inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, Int32Histogram } from 'hdr-histogram-js'
import { describe, expect, it } from 'vitest'
import { readHistogram, writeHistogram } from '../../src/report/histogram-text.ts'
import { type Digits, Histogram } from '../../src/stats/histogram.ts'

const NO_FIGURES = { minUs: 0, maxUs: 0, sumUs: 0, negative: 0 }

function ofOurs(values: readonly number[], digits: Digits = 3): Histogram {
  const histogram = new Histogram(digits)
  for (const value of values) histogram.record(value)
  return histogram
}

function ofTheirs(values: readonly number[], digits: Digits = 3): Int32Histogram {
  const histogram = new Int32Histogram(1, 2, digits)
  histogram.autoResize = true
  for (const value of values) histogram.recordValue(value)
  return histogram
}

/** The counts in a text: what stands behind its header, inflated. */
function countsIn(text: string): number[] {
  return [...inflateSync(Buffer.from(text, 'base64').subarray(8)).subarray(40)]
}

const DIGITS: Digits[] = [3, 4]
/** Close together, far apart, many of the same, and none. */
const values = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 3_000 }), { maxLength: 300, size: 'max' }),
  fc.array(fc.integer({ min: 0, max: 100_000_000 }), { maxLength: 300 }),
  fc.array(fc.integer({ min: 0, max: 2 ** 36 }), { maxLength: 60 }),
  fc.array(fc.integer({ min: 2 ** 50, max: 2 ** 52 }), { maxLength: 3 }),
  fc.array(fc.constantFrom(0, 1, 7, 2_047, 2_048, 1_000_000), { maxLength: 300, size: 'max' }),
)

describe.each(DIGITS)('the text of a histogram of %i digits', (digits) => {
  it('has the counts that the library writes, and the library reads what it says', () => {
    fc.assert(
      fc.property(values, (list) => {
        const [ours, theirs] = [ofOurs(list, digits), ofTheirs(list, digits)]
        const { hdr } = writeHistogram(ours)
        const text = encodeIntoCompressedBase64(theirs)
        expect(countsIn(hdr)).toEqual(countsIn(text))
        const [read, known] = [decodeFromCompressedBase64(hdr), decodeFromCompressedBase64(text)]
        expect(read.numberOfSignificantValueDigits).toBe(digits)
        expect([read.totalCount, read.minNonZeroValue, read.maxValue]).toEqual([
          list.length,
          known.minNonZeroValue,
          known.maxValue,
        ])
        for (const share of [1, 50, 90, 99.9, 100]) {
          expect(read.getValueAtPercentile(share)).toBe(theirs.getValueAtPercentile(share))
        }
        expect(countsIn(encodeIntoCompressedBase64(read))).toEqual(countsIn(hdr))
      }),
      { numRuns: 60, seed: 4 },
    )
  })

  it('is read as the library meant it', () => {
    fc.assert(
      fc.property(values, (list) => {
        const [ours, theirs] = [ofOurs(list, digits), ofTheirs(list, digits)]
        const read = readHistogram({ ...writeHistogram(ours), hdr: encodeIntoCompressedBase64(theirs) })
        expect(read.pack()).toEqual(ours.pack())
        for (const share of [0.01, 0.5, 0.9, 0.999]) {
          if (list.length === 0) break
          expect(ours.quantileUs(share)).toBe(
            Math.max(ours.minUs, Math.min(ours.maxUs, theirs.getValueAtPercentile(100 * share))),
          )
        }
      }),
      { numRuns: 60, seed: 5 },
    )
  })

  it('gives back what was written, with the figures that the format lacks', () => {
    const histogram = ofOurs([-3, 1_234_567, 89, 2_000_001], digits)
    const back = readHistogram(writeHistogram(histogram))
    expect(back.pack()).toEqual(histogram.pack())
    expect([back.minUs, back.maxUs, back.sumUs, back.negative]).toEqual([0, 2_000_001, 3_234_657, 1])
  })

  it('moves no slot and scales no value, as readers in other languages take them', () => {
    const bytes = inflateSync(Buffer.from(writeHistogram(ofOurs([5, 70_000], digits)).hdr, 'base64').subarray(8))
    expect([bytes.readInt32BE(8), bytes.readDoubleBE(32)]).toEqual([0, 1])
    expect(bytes.readBigInt64BE(24)).toBe(131_071n)
  })
})

it('of kt before it wrote the text itself is read the same', () => {
  const hdr = 'HISTFAAAADB4nJNpmSzMwMDAy8DAwMjAwMDCAAGMYFL+/38Yn5VtvTjTzl+sTGuvcTIBAI/lB5M='
  const read = readHistogram({ hdr, minUs: 3, maxUs: 2_000_001, sumUs: 2_071_633, negative: 0 })
  expect(read.pack()).toEqual(ofOurs([3, 3, 3, 1_500, 70_123, 2_000_001], 4).pack())
})

it('is refused where it is none, is cut off, or has another unit or resolution', () => {
  const { hdr } = writeHistogram(ofOurs([1_000, 2_000]))
  const others = [new Int32Histogram(1_000, 4_000, 3), new Int32Histogram(1, 4_000, 2), new Int32Histogram(1, 4_000, 5)]
  const texts = ['', 'AAAA', hdr.slice(0, -8), hdr.slice(8), ...others.map((one) => encodeIntoCompressedBase64(one))]
  for (const text of texts) expect(() => readHistogram({ hdr: text, ...NO_FIGURES }), text).toThrow()
})
