/**
 * Waits in seconds, recorded in a few nanoseconds: the bucket is the upper half of the bits of a 32-bit float (8 of
 * exponent, 7 of mantissa), so buckets are 0.8 % wide at any size and their number is fixed. Zero has its own. The sum
 * and the maximum are exact.
 */
export class WaitHistogram {
  count = 0
  sumS = 0
  maxS = 0
  readonly #counts = new Float64Array(2 ** 15)
  readonly #float = new Float32Array(1)
  readonly #bits = new Uint32Array(this.#float.buffer)

  record(seconds: number): void {
    this.count++
    this.sumS += seconds
    if (seconds > this.maxS) this.maxS = seconds
    this.#float[0] = seconds
    const bucket = (this.#bits[0] ?? 0) >>> 16
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
  }

  add(other: WaitHistogram): void {
    this.count += other.count
    this.sumS += other.sumS
    this.maxS = Math.max(this.maxS, other.maxS)
    for (let bucket = 0; bucket < this.#counts.length; bucket++)
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + (other.#counts[bucket] ?? 0)
  }

  get meanS(): number {
    return this.count === 0 ? Number.NaN : this.sumS / this.count
  }

  /** The middle of the bucket that holds the share `q`; 0 where nobody waited. */
  quantileS(q: number): number {
    let left = Math.max(1, Math.ceil(q * this.count - 1e-9))
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket] ?? 0
      if (left > 0) continue
      if (bucket === 0) return 0
      return Math.min(this.maxS, this.#edge(bucket) + (this.#edge(bucket + 1) - this.#edge(bucket)) / 2)
    }
    return this.maxS
  }

  #edge(bucket: number): number {
    this.#bits[0] = bucket << 16
    return this.#float[0] ?? 0
  }
}
