/**
 * A histogram of milliseconds that costs 50 ns a value and a few kilobytes: HdrHistogram with two significant digits
 * over tenths of a microsecond, since a component may take less than one.
 */
import { Int32Histogram } from 'hdr-histogram-js'

const PER_MS = 10_000

export class LatencyHistogram {
  sumMs = 0
  readonly #hdr: Int32Histogram

  constructor() {
    this.#hdr = new Int32Histogram(1, 2, 2)
    this.#hdr.autoResize = true
  }

  record(ms: number): void {
    const value = ms > 0 ? ms : 0
    this.sumMs += value
    this.#hdr.recordValue(Math.round(value * PER_MS))
  }

  get count(): number {
    return this.#hdr.totalCount
  }

  /** Undefined while empty. */
  quantileMs(q: number): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.getValueAtPercentile(q * 100) / PER_MS
  }

  get maxMs(): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.maxValue / PER_MS
  }

  /** How many values lie at or below each of `boundsMs`, which must ascend. */
  countsUpTo(boundsMs: readonly number[]): number[] {
    let seen = 0
    let slot = 0
    return boundsMs.map((bound) => {
      for (; slot < this.#hdr.countsArrayLength && this.#hdr.valueFromIndex(slot) <= bound * PER_MS; slot++) {
        seen += this.#hdr.getCountAtIndex(slot)
      }
      return seen
    })
  }
}
