/**
 * A histogram of integer microseconds (HdrHistogram V2) with what the library leaves out: exact minimum, maximum and mean,
 * refusal of NaN, counts beyond a limit, and values by rank. Recording is O(1) and allocates nothing.
 * Values below zero are recorded as zero and counted in `negative`: a rank never moves, and the error in the method shows.
 */
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, Int32Histogram } from 'hdr-histogram-js'
import { firstWhere } from './search.ts'

/** 4 for latency and TTFT (0.2 ms wide at 2 s), 3 elsewhere. */
export type Digits = 3 | 4

export interface EncodedHistogram {
  /** HdrHistogram V2, deflated, base64. */
  hdr: string
  minUs: number
  maxUs: number
  sumUs: number
  negative: number
}

export class Histogram {
  count = 0
  minUs = Number.POSITIVE_INFINITY
  maxUs = Number.NEGATIVE_INFINITY
  sumUs = 0
  negative = 0
  readonly digits: Digits
  readonly #hdr: Int32Histogram
  /** Where the ranks are, built when first asked for and dropped at the next record: verdicts ask for thousands of them. */
  #ranks: Ranks | undefined

  constructor(digits: Digits = 3) {
    this.digits = digits
    this.#hdr = new Int32Histogram(1, 2, digits)
    this.#hdr.autoResize = true
  }

  /** Records a duration in microseconds; the fraction is rounded, the exact extremes are kept. */
  record(us: number): void {
    if (Number.isNaN(us)) throw new Error('a histogram was given NaN')
    this.#ranks = undefined
    if (us < 0) this.negative++
    const value = us < 0 ? 0 : Math.round(us)
    this.count++
    this.sumUs += value
    if (value < this.minUs) this.minUs = value
    if (value > this.maxUs) this.maxUs = value
    this.#hdr.recordValue(value)
  }

  add(other: Histogram): void {
    if (other.count === 0) return
    this.#ranks = undefined
    this.#hdr.add(other.#hdr)
    this.count += other.count
    this.sumUs += other.sumUs
    this.negative += other.negative
    this.minUs = Math.min(this.minUs, other.minUs)
    this.maxUs = Math.max(this.maxUs, other.maxUs)
  }

  get meanUs(): number {
    return this.count === 0 ? Number.NaN : this.sumUs / this.count
  }

  /** The smallest value that at least the share `q` of the observations does not exceed; NaN when empty. */
  quantileUs(q: number): number {
    return this.count === 0
      ? Number.NaN
      : this.atRankUs(Math.min(this.count, Math.max(1, Math.ceil(q * this.count - 1e-9))))
  }

  /** The `rank`-th smallest value, 1-based. Rank 0 and below is 0, beyond the count infinity: an open end of an interval. */
  atRankUs(rank: number): number {
    if (rank < 1) return 0
    if (rank > this.count) return Number.POSITIVE_INFINITY
    const { valuesUs, upTo } = this.#index()
    // The first slot that reaches the rank.
    const value = valuesUs[firstWhere(0, upTo.length, (slot) => (upTo[slot] ?? 0) >= rank)] ?? this.maxUs
    return Math.min(this.maxUs, Math.max(this.minUs, value))
  }

  /** How many observations lie above `limitUs`, within the histogram's resolution. */
  countAbove(limitUs: number): number {
    if (this.count === 0 || this.maxUs <= limitUs) return 0
    if (this.minUs > limitUs) return this.count
    const { valuesUs, upTo } = this.#index()
    const above = firstWhere(0, valuesUs.length, (slot) => (valuesUs[slot] ?? 0) > limitUs)
    return this.count - (upTo[above - 1] ?? 0)
  }

  /** The distinct values, ascending, as `atRankUs` gives them. */
  distinctUs(): number[] {
    return this.#index().valuesUs.map((value) => Math.min(this.maxUs, Math.max(this.minUs, value)))
  }

  #index(): Ranks {
    if (this.#ranks) return this.#ranks
    const ranks: Ranks = { valuesUs: [], upTo: [] }
    let seen = 0
    for (let slot = 0; seen < this.count && slot < this.#hdr.countsArrayLength; slot++) {
      const count = this.#hdr.getCountAtIndex(slot)
      if (count === 0) continue
      seen += count
      ranks.valuesUs.push(this.#hdr.highestEquivalentValue(this.#hdr.valueFromIndex(slot)))
      ranks.upTo.push(seen)
    }
    this.#ranks = ranks
    return ranks
  }

  encode(): EncodedHistogram {
    const empty = this.count === 0
    return {
      hdr: encodeIntoCompressedBase64(this.#hdr),
      minUs: empty ? 0 : this.minUs,
      maxUs: empty ? 0 : this.maxUs,
      sumUs: this.sumUs,
      negative: this.negative,
    }
  }

  /** Throws on anything that is not an encoded histogram. */
  static decode(encoded: EncodedHistogram): Histogram {
    const hdr = decodeFromCompressedBase64(encoded.hdr, 32, false)
    if (!(hdr instanceof Int32Histogram)) throw new Error('not a histogram of 32-bit counts')
    const histogram = new Histogram(hdr.numberOfSignificantValueDigits === 4 ? 4 : 3)
    histogram.#hdr.add(hdr)
    histogram.count = hdr.totalCount
    histogram.sumUs = encoded.sumUs
    histogram.negative = encoded.negative
    if (hdr.totalCount > 0) {
      histogram.minUs = encoded.minUs
      histogram.maxUs = encoded.maxUs
    }
    return histogram
  }

  static merge(parts: Iterable<Histogram>, digits: Digits = 3): Histogram {
    const merged = new Histogram(digits)
    for (const part of parts) merged.add(part)
    return merged
  }
}

/** The filled slots: the value of each, and how many observations lie at or below it. */
interface Ranks {
  valuesUs: number[]
  upTo: number[]
}
