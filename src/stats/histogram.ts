/**
 * A histogram of integer microseconds in the slots of HdrHistogram, with what the library lacks: exact minimum,
 * maximum and mean, refusal of NaN, counts beyond a limit, and values by rank. Recording runs several times for every
 * request and must cost almost nothing, so the slots are counted in pages that are allocated when the first value falls
 * into them: the values of a block lie close together, and every block of a run has its own histograms. Values below
 * zero are recorded as zero and counted in `negative`, so that ranks stay right and the error in the method is visible.
 *   slot = bucket * half + (value >> bucket), half = 2^m, m is 7 for 2 digits, 10 for 3 and 14 for 4
 *   bucket = max(0, floor(log2 value) - m)
 */
import { firstWhere } from './bisect.ts'
import { CountsReader, packCounts } from './hdr-counts.ts'

/** 4 for latency and TTFT (0.2 ms wide at 2 s), 3 elsewhere; 2 for what the gateway counts of itself. */
export type Digits = 2 | 3 | 4

/**
 * What is handed on, from thread to thread and from machine to machine: it costs no compression, and is added up as it
 * is. A report has another form (src/report/histogram-text.ts).
 */
export interface PackedHistogram {
  digits: Digits
  /** hdr-counts.ts. */
  counts: Uint8Array
  minUs: number
  maxUs: number
  sumUs: number
  negative: number
}

const MAGNITUDES: Record<Digits, number> = { 2: 7, 3: 10, 4: 14 }

/** Slots of a page; a power of two. */
const PAGE = 256
const PAGE_BITS = Math.log2(PAGE)

export class Histogram {
  count = 0
  /** 0 when empty, like `maxUs`, never an infinity: a small integer costs no memory of its own, as a double does. */
  minUs = 0
  maxUs = 0
  sumUs = 0
  negative = 0
  readonly digits: Digits
  readonly #magnitude: number
  readonly #pages: (Int32Array | undefined)[] = []
  /**
   * The index of ranks, built at the first query and dropped at the next record. Verdicts ask for thousands of ranks.
   */
  #ranks: Ranks | undefined

  constructor(digits: Digits = 3) {
    this.digits = digits
    this.#magnitude = MAGNITUDES[digits]
  }

  /** Records a duration in microseconds; the fraction is rounded, the exact extremes are kept. */
  record(us: number): void {
    if (Number.isNaN(us)) throw new Error('a histogram was given NaN')
    this.#ranks = undefined
    if (us < 0) this.negative++
    const value = us < 0 ? 0 : Math.round(us)
    if (this.count === 0 || value < this.minUs) this.minUs = value
    if (value > this.maxUs) this.maxUs = value
    this.count++
    this.sumUs += value
    this.#put(slotOf(value, this.#magnitude), 1)
  }

  add(other: Histogram): void {
    if (other.count === 0) return
    this.#ranks = undefined
    const [mine, theirs] = [this.#magnitude, other.#magnitude]
    other.#each((slot, count) => this.#put(theirs === mine ? slot : slotOf(lowest(slot, theirs), mine), count))
    if (this.count === 0 || other.minUs < this.minUs) this.minUs = other.minUs
    if (other.maxUs > this.maxUs) this.maxUs = other.maxUs
    this.count += other.count
    this.sumUs += other.sumUs
    this.negative += other.negative
  }

  get meanUs(): number {
    return this.count === 0 ? Number.NaN : this.sumUs / this.count
  }

  /** Standard deviation of the observations themselves, within the histogram's resolution; NaN when empty. */
  get deviationUs(): number {
    const mean = this.meanUs
    let squares = 0
    this.#each((slot, count) => {
      const middle = (lowest(slot, this.#magnitude) + lowest(slot + 1, this.#magnitude) - 1) / 2
      squares += count * (middle - mean) ** 2
    })
    return Math.sqrt(squares / this.count)
  }

  /** The smallest value that at least the share `q` of the observations does not exceed; NaN when empty. */
  quantileUs(q: number): number {
    return this.count === 0
      ? Number.NaN
      : this.atRankUs(Math.min(this.count, Math.max(1, Math.ceil(q * this.count - 1e-9))))
  }

  /**
   * The `rank`-th smallest value, 1-based. Ranks below 1 give 0 and ranks beyond the count give infinity, the open
   * ends of an interval.
   */
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

  /** The highest value that is counted together with this one. */
  highestWithUs(us: number): number {
    return lowest(slotOf(us, this.#magnitude) + 1, this.#magnitude) - 1
  }

  /** The distinct values, ascending, as `atRankUs` gives them. */
  distinctUs(): number[] {
    return this.#index().valuesUs.map((value) => Math.min(this.maxUs, Math.max(this.minUs, value)))
  }

  #index(): Ranks {
    if (this.#ranks) return this.#ranks
    const ranks: Ranks = { valuesUs: [], upTo: [] }
    let seen = 0
    this.#each((slot, count) => {
      seen += count
      ranks.valuesUs.push(lowest(slot + 1, this.#magnitude) - 1)
      ranks.upTo.push(seen)
    })
    if (seen !== this.count) throw new Error(`a histogram of ${this.count} values holds ${seen}`)
    this.#ranks = ranks
    return ranks
  }

  #put(slot: number, count: number): void {
    const index = slot >>> PAGE_BITS
    const page = this.#pages[index] ?? this.#newPage(index)
    const at = slot & (PAGE - 1)
    page[at] = (page[at] ?? 0) + count
  }

  #newPage(index: number): Int32Array {
    const page = new Int32Array(PAGE)
    while (this.#pages.length < index) this.#pages.push(undefined)
    this.#pages[index] = page
    return page
  }

  /** The filled slots, ascending. */
  #each(visit: (slot: number, count: number) => void): void {
    for (const [index, page] of this.#pages.entries()) {
      if (!page) continue
      for (let at = 0; at < PAGE; at++) {
        const count = page[at] ?? 0
        if (count > 0) visit(index * PAGE + at, count)
      }
    }
  }

  pack(): PackedHistogram {
    const { digits, minUs, maxUs, sumUs, negative } = this
    const counts = packCounts((visit) => this.#each(visit))
    return { digits, counts, minUs, maxUs, sumUs, negative }
  }

  /** Throws on counts that no histogram has. */
  static unpack(packed: PackedHistogram): Histogram {
    const histogram = new Histogram(packed.digits)
    histogram.#addCounts(packed)
    return histogram
  }

  /** The same as to add what comes of unpacking it, without a histogram in between where the digits are the same. */
  addPacked(packed: PackedHistogram): void {
    if (packed.digits === this.digits) this.#addCounts(packed)
    else this.add(Histogram.unpack(packed))
  }

  #addCounts({ counts, minUs, maxUs, sumUs, negative }: PackedHistogram): void {
    const magnitude = this.#magnitude
    let [first, last, added] = [-1, -1, 0]
    const reader = new CountsReader(counts, slotOf(Number.MAX_SAFE_INTEGER, magnitude))
    while (reader.next()) {
      const { slot, count } = reader
      if (first < 0) first = slot
      last = slot
      added += count
      this.#put(slot, count)
    }
    this.#ranks = undefined
    if (first >= 0) {
      // The stored extremes count only where they lie in the outermost slots. Otherwise the counts are believed.
      const least = slotOf(minUs, magnitude) === first ? minUs : lowest(first, magnitude)
      const most = slotOf(maxUs, magnitude) === last ? maxUs : lowest(last + 1, magnitude) - 1
      if (this.count === 0 || least < this.minUs) this.minUs = least
      if (most > this.maxUs) this.maxUs = most
    }
    this.count += added
    this.sumUs += sumUs
    this.negative += negative
  }

  static merge(parts: Iterable<Histogram>, digits: Digits = 3): Histogram {
    const merged = new Histogram(digits)
    for (const part of parts) merged.add(part)
    return merged
  }
}

const SMALL = 2 ** 31

function slotOf(value: number, magnitude: number): number {
  if (value < SMALL) {
    const bucket = Math.max(0, 31 - Math.clz32(value) - magnitude)
    return (bucket << magnitude) + (value >>> bucket)
  }
  const bucket = Math.floor(Math.log2(value)) - magnitude
  return bucket * 2 ** magnitude + Math.floor(value / 2 ** bucket)
}

/** The lowest value of a slot. */
function lowest(slot: number, magnitude: number): number {
  const half = 1 << magnitude
  const bucket = Math.max(0, Math.floor(slot / half) - 1)
  return (slot - bucket * half) * 2 ** bucket
}

/** The filled slots: the value of each, and how many observations lie at or below it. */
interface Ranks {
  valuesUs: number[]
  upTo: number[]
}
