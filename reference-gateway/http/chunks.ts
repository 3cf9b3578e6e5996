/** The pieces in which a body comes. */

export function concatChunks(chunks: readonly Buffer[]): Buffer {
  const [only] = chunks
  return chunks.length === 1 && only ? only : Buffer.concat(chunks)
}

/** The last bytes of a body that passes. */
export class Tail {
  readonly #most: number
  readonly #pieces: Buffer[] = []
  #kept = 0
  #passed = 0

  constructor(most: number) {
    this.#most = most
  }

  /** The body's beginning is not among them. */
  get isCut(): boolean {
    return this.#passed > this.#most
  }

  push(chunk: Buffer): void {
    this.#pieces.push(chunk)
    this.#passed += chunk.length
    this.#kept += chunk.length
    for (let [first] = this.#pieces; first && this.#kept - first.length >= this.#most; [first] = this.#pieces) {
      this.#pieces.shift()
      this.#kept -= first.length
    }
  }

  read(): Buffer {
    return concatChunks(this.#pieces).subarray(-this.#most)
  }
}
