/**
 * A few answers of a run, kept as they came, so that tokens can be counted after it where the provider tells none. Bounded:
 * at most 64 answers of at most 128 KiB; when there are more, every second is dropped and half as many are taken from then
 * on. Nothing is kept of a provider that tells its usage, but for what is in flight when the first answer comes.
 */

const MOST_SAMPLES = 64
const MOST_BYTES = 128 * 1024

/** What was kept of an answer; plain data. */
export interface KeptAnswer {
  /** Of the request in its arm: what was asked can be made again. */
  index: number
  streamed: boolean
  /** The beginning of the body, decoded. */
  text: string
  /** The part of the body that `text` is. */
  share: number
  bodyBytes: number
  requestChars: number
}

/** Listens to one answer. */
export class AnswerSample {
  readonly index: number
  #chunks: Buffer[] = []
  #bytes = 0
  #keptBytes = 0

  constructor(index: number) {
    this.index = index
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#keptBytes >= MOST_BYTES) return
    const kept = chunk.subarray(0, MOST_BYTES - this.#keptBytes)
    this.#chunks.push(kept)
    this.#keptBytes += kept.length
  }

  kept(of: Pick<KeptAnswer, 'streamed' | 'bodyBytes' | 'requestChars'>): KeptAnswer | undefined {
    // The beginning of a stream is whole events; the beginning of a JSON answer is nothing.
    if (this.#bytes === 0 || (!of.streamed && this.#keptBytes < this.#bytes)) return undefined
    const text = Buffer.concat(this.#chunks).toString('utf8')
    return { index: this.index, text, share: this.#keptBytes / this.#bytes, ...of }
  }
}

export class AnswerSampler {
  readonly samples: KeptAnswer[] = []
  #asked = 0
  #every = 1
  #told = false
  #untold = false

  /** For the request `index`, when its turn has come to be kept. */
  next(index: number): AnswerSample | undefined {
    if ((this.#told && !this.#untold) || this.#asked++ % this.#every !== 0) return undefined
    return new AnswerSample(index)
  }

  /** An answer told its usage. */
  told(): void {
    this.#told = true
  }

  /** An answer did not. */
  keep(answer: KeptAnswer | undefined): void {
    this.#untold = true
    if (!answer) return
    this.samples.push(answer)
    if (this.samples.length < MOST_SAMPLES) return
    const half = this.samples.filter((_, position) => position % 2 === 0)
    this.samples.splice(0, this.samples.length, ...half)
    this.#every *= 2
  }
}
