/** The bytes of an answer that are kept to be read whole at its end: bounded, and nothing is copied where it came in one piece. */
import { gunzipSync } from 'node:zlib'

const MAX_KEPT_BYTES = 64 * 1024 * 1024
const NOTHING = Buffer.alloc(0)

export class KeptBody {
  #first: Buffer | undefined
  #more: Buffer[] = []
  #bytes = 0

  clear(): void {
    if (this.#first === undefined) return
    this.#first = undefined
    if (this.#more.length > 0) this.#more = []
    this.#bytes = 0
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#bytes > MAX_KEPT_BYTES) return
    if (this.#first === undefined) this.#first = chunk
    else this.#more.push(chunk)
  }

  /** All of it, unpacked when `gzip`; nothing when it cannot be. */
  whole(gzip: boolean): Buffer {
    if (!this.#first) return NOTHING
    const whole = this.#more.length === 0 ? this.#first : Buffer.concat([this.#first, ...this.#more])
    try {
      return gzip ? gunzipSync(whole) : whole
    } catch {
      return NOTHING
    }
  }
}
