/**
 * A few answers of a run, kept as they came, so that tokens can be counted after the run where the provider reports no
 * usage. Bounded: at most 64 answers of at most 128 KiB. When there are more, every second one is dropped, and half as
 * many are taken from then on. Of a provider that reports usage nothing is kept, except what is in flight when its
 * first answer comes.
 */

const MOST_SAMPLES = 64
const MOST_BYTES = 128 * 1024

/** What was kept of an answer; plain data. */
export interface KeptAnswer {
  /** The number of the request in its arm, from which its body can be built again. */
  index: number
  streamed: boolean
  /** The beginning of the body, decoded. */
  text: string
  /** The share of the body that `text` is. */
  share: number
  bodyBytes: number
  requestChars: number
}

/** Collects the body of one answer. */
export class AnswerSample {
  readonly index: number
  /** Kept for its tokens. */
  readonly forTokens: boolean
  #chunks: Buffer[] = []
  #bytes = 0
  #keptBytes = 0

  constructor(index: number, forTokens = true) {
    this.index = index
    this.forTokens = forTokens
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length
    if (this.#keptBytes >= MOST_BYTES) return
    const kept = chunk.subarray(0, MOST_BYTES - this.#keptBytes)
    this.#chunks.push(kept)
    this.#keptBytes += kept.length
  }

  kept(of: Pick<KeptAnswer, 'streamed' | 'bodyBytes' | 'requestChars'>): KeptAnswer | undefined {
    // The beginning of a stream holds whole events; the beginning of a JSON answer cannot be parsed.
    if (this.#bytes === 0 || (!of.streamed && this.#keptBytes < this.#bytes)) return undefined
    const text = Buffer.concat(this.#chunks).toString('utf8')
    return { index: this.index, text, share: this.#keptBytes / this.#bytes, ...of }
  }
}

export class AnswerSampler {
  readonly samples: KeptAnswer[] = []
  #asked = 0
  #every = 1
  #usageSeen = false
  #usageMissing = false

  /** A sample for request `index`, if this request is one of those to be kept. */
  next(index: number): AnswerSample | undefined {
    if ((this.#usageSeen && !this.#usageMissing) || this.#asked++ % this.#every !== 0) return undefined
    return new AnswerSample(index)
  }

  /** An answer reported its usage. */
  usageReported(): void {
    this.#usageSeen = true
  }

  /** An answer reported no usage; `answer` is undefined where nothing of it was kept. */
  keep(answer: KeptAnswer | undefined): void {
    this.#usageMissing = true
    if (!answer) return
    this.samples.push(answer)
    if (this.samples.length < MOST_SAMPLES) return
    const half = this.samples.filter((_, position) => position % 2 === 0)
    this.samples.splice(0, this.samples.length, ...half)
    this.#every *= 2
  }
}
