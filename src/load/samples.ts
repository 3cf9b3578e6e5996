/**
 * One row of numbers a request, gathered in the sending thread and handed over in batches: formatting and the disk stay off the
 * hot path. Bounded: while the reader has not taken care of sixteen batches, what comes is lost and counted, never heaped up.
 */
import type { Exchange } from '../client/exchange.ts'
import { nonceOf } from '../wire/nonce.ts'
import { OUTCOME_CODES } from '../wire/outcome.ts'
import type { RunPlan } from './plan.ts'

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

  add(arm: number, block: number, index: number, intendedUs: number, result: Exchange): void {
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
      nonce: nonceOf(target?.tag ?? '', workload.seed, index),
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
