/**
 * A histogram of milliseconds that costs some nanoseconds a value and a few kilobytes: two significant digits over
 * tenths of a microsecond, since a component may take less than one.
 */
import { Histogram } from '../../src/stats/histogram.ts'

const PER_MS = 10_000

export class LatencyHistogram {
  sumMs = 0
  /** Of tenths of a microsecond, where it speaks of microseconds. */
  readonly #tenths = new Histogram(2)

  record(ms: number): void {
    const value = ms > 0 ? ms : 0
    this.sumMs += value
    this.#tenths.record(value * PER_MS)
  }

  get count(): number {
    return this.#tenths.count
  }

  /** Undefined while empty. */
  quantileMs(q: number): number | undefined {
    return this.count === 0 ? undefined : this.#tenths.quantileUs(q) / PER_MS
  }

  get maxMs(): number | undefined {
    return this.count === 0 ? undefined : this.#tenths.maxUs / PER_MS
  }

  /** How many values lie at or below each of `boundsMs`; those that are counted together with a bound are below it. */
  countsUpTo(boundsMs: readonly number[]): number[] {
    return boundsMs.map((bound) => {
      return this.count - this.#tenths.countAbove(this.#tenths.highestWithUs(Math.floor(bound * PER_MS)))
    })
  }
}
