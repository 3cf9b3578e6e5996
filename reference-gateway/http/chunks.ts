/** The pieces in which a body comes. */

export function concatChunks(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks
  return chunks.length === 1 && only ? only : Buffer.concat(chunks)
}

/** Most streams of a few tokens fit in. */
const FIRST_BYTES = 4 * 1024
const NONE = Buffer.alloc(0)

/**
 * The last bytes of a body that passes; with Infinity all of them. They are copied together: thousands of small pieces
 * that outlive their turn of the event loop would be moved about by the garbage collector, while tokens wait for it.
 */
export class Tail {
  readonly #most: number
  #bytes = NONE
  #length = 0
  #passed = 0

  constructor(most: number) {
    this.#most = most
  }

  /** The body's beginning is not among them. */
  get isCut(): boolean {
    return this.#passed > this.#most
  }

  push(chunk: Buffer): void {
    this.#passed += chunk.length
    const kept = chunk.length > this.#most ? chunk.subarray(-this.#most) : chunk
    if (this.#length + kept.length > this.#bytes.length) this.#makeRoom(kept.length)
    this.#bytes.set(kept, this.#length)
    this.#length += kept.length
  }

  /** Valid until the next piece. */
  read(): Buffer {
    return this.#bytes.subarray(Math.max(0, this.#length - this.#most), this.#length)
  }

  /** Room for twice what is asked for, so that bytes are moved seldom. */
  #makeRoom(count: number): void {
    const limit = 2 * this.#most
    const keep = this.#length + count > limit ? this.#most : this.#length
    const size = Math.min(limit, Math.max(FIRST_BYTES, 2 * (keep + count)))
    const target = size > this.#bytes.length ? Buffer.allocUnsafeSlow(size) : this.#bytes
    target.set(this.#bytes.subarray(this.#length - keep, this.#length))
    this.#bytes = target
    this.#length = keep
  }
}
