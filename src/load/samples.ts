/**
 * One row of numbers a request, gathered in the sending thread and handed over in batches: formatting and the disk stay off the
 * hot path. Bounded: while the reader has not taken care of sixteen batches, what comes is lost and counted, never heaped up.
 */
import type { RequestResult } from '../client/request-result.ts'
import { OUTCOME_CODES } from '../wire/outcome.ts'
import { buildNonce } from '../wire/stamp.ts'
import type { RunPlan } from './plan.ts'

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
  usageReported(): void {
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

const ROWS = 2_048

const COLUMNS = 11

const MOST_UNTAKEN = 16

const OUTCOME_NUMBER = new Map<string, number>(OUTCOME_CODES.map((code, number) => [code, number]))

export class SampleBatches {
  readonly #hand: (rows: Float64Array, lost: number) => void
  #rows = new Float64Array(ROWS * COLUMNS)
  #count = 0
  #untaken = 0
  #lost = 0

  constructor(hand: (rows: Float64Array, lost: number) => void) {
    this.#hand = hand
  }

  add(arm: number, block: number, index: number, intendedUs: number, result: RequestResult): void {
    if (this.#count === ROWS) {
      this.#lost++
      return
    }
    const rows = this.#rows
    let at = this.#count++ * COLUMNS
    rows[at++] = arm
    rows[at++] = block
    rows[at++] = index
    rows[at++] = intendedUs
    rows[at++] = result.sentUs
    rows[at++] = result.firstByteUs
    rows[at++] = result.firstTokenUs
    rows[at++] = result.lastTokenUs
    rows[at++] = result.endUs
    rows[at++] = result.streamed ? result.streamedTokens : (result.usage?.output ?? Number.NaN)
    rows[at] = OUTCOME_NUMBER.get(result.outcome) ?? 0
    if (this.#count === ROWS) this.flush()
  }

  /** Hands over what there is; at the end however much is untaken. */
  flush(atEnd = false): void {
    if ((this.#count === 0 && this.#lost === 0) || (this.#untaken >= MOST_UNTAKEN && !atEnd)) return
    this.#untaken++
    this.#hand(this.#rows.slice(0, this.#count * COLUMNS), this.#lost)
    this.#count = 0
    this.#lost = 0
  }

  /** A batch was taken care of. */
  taken(): void {
    this.#untaken--
    if (this.#count === ROWS) this.flush()
  }
}

/** How many requests a batch holds. */
export function sampleCount(rows: Float64Array): number {
  return rows.length / COLUMNS
}

/** The lines of a batch: times in microseconds after the start of the measurement, null for what did not happen. */
export function sampleLines(rows: Float64Array, { arms, workload }: RunPlan, startUs: number): string {
  let text = ''
  for (let at = 0; at < rows.length; at += COLUMNS) {
    const [arm = 0, block, index = 0, ...rest] = rows.subarray(at, at + COLUMNS)
    const [intendedUs, sentUs, firstByteUs, firstTokenUs, lastTokenUs, endUs] = rest
      .map((us) => us - startUs)
      .map(rounded)
    const target = arms[arm]
    text += `${JSON.stringify({
      arm: target?.name,
      block,
      nonce: buildNonce(target?.tag ?? '', workload.seed, index),
      intendedUs,
      sentUs,
      firstByteUs,
      firstTokenUs,
      lastTokenUs,
      endUs,
      tokens: rounded(rest[6]),
      outcome: OUTCOME_CODES[rest[7] ?? 0],
    })}\n`
  }
  return text
}

function rounded(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : Math.round(value)
}
