/**
 * What is kept of single requests, as rows of numbers gathered in the sending thread, so that formatting and the disk
 * stay off the hot path. `SampleBatches` hands over one row for every request. `RecentRequestTimes` keeps the latest
 * requests of an arm, for joining with the provider's own record after the run. Both are bounded.
 */
import type { RequestResult } from '../client/request-result.ts'
import type { Sample } from '../report/sample-schema.ts'
import { buildNonce } from '../wire/nonce.ts'
import { OUTCOME_CODES, type Outcome } from '../wire/outcome.ts'
import type { RunPlan } from './plan.ts'

const ROWS = 2_048
export const SAMPLE_COLUMNS = 11
/** The first and the last of the columns that hold an instant. */
export const SAMPLE_TIMES = [3, 8] as const
/** While the reader has this many batches to take care of, further rows are lost and counted instead of piling up. */
const MOST_UNTAKEN = 16
const RECENT_ROWS = 20_000
const RECENT_COLUMNS = 3

const OUTCOME_NUMBER = new Map<string, number>(OUTCOME_CODES.map((code, number) => [code, number]))

export class SampleBatches {
  readonly #hand: (rows: Float64Array, lost: number) => void
  #rows = new Float64Array(ROWS * SAMPLE_COLUMNS)
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
    let at = this.#count++ * SAMPLE_COLUMNS
    rows[at++] = arm
    rows[at++] = block
    rows[at++] = index
    rows[at++] = intendedUs
    rows[at++] = result.sentUs
    rows[at++] = result.firstByteUs
    rows[at++] = result.firstTokenUs
    rows[at++] = result.lastTokenUs
    rows[at++] = result.endUs
    rows[at++] = result.usage?.output ?? (result.streamed ? result.tokenEvents : Number.NaN)
    rows[at] = OUTCOME_NUMBER.get(result.outcome) ?? 0
    if (this.#count === ROWS) this.flush()
  }

  /** Hands over the rows so far, unless too many batches are untaken; at the end in any case. */
  flush(atEnd = false): void {
    if ((this.#count === 0 && this.#lost === 0) || (this.#untaken >= MOST_UNTAKEN && !atEnd)) return
    this.#untaken++
    this.#hand(this.#rows.slice(0, this.#count * SAMPLE_COLUMNS), this.#lost)
    this.#count = 0
    this.#lost = 0
  }

  /** The reader has taken care of a batch. */
  taken(): void {
    this.#untaken--
    if (this.#count === ROWS) this.flush()
  }
}

export class RecentRequestTimes {
  readonly #rows = new Float64Array(RECENT_ROWS * RECENT_COLUMNS)
  #count = 0

  add(index: number, sentUs: number, endUs: number): void {
    const at = (this.#count++ % RECENT_ROWS) * RECENT_COLUMNS
    this.#rows[at] = index
    this.#rows[at + 1] = sentUs
    this.#rows[at + 2] = endUs
  }

  /** Index, sent and end of each request, one after another. */
  rows(): Float64Array {
    return this.#rows.slice(0, Math.min(this.#count, RECENT_ROWS) * RECENT_COLUMNS)
  }
}

/** The number of requests in a batch. */
export function sampleCount(rows: Float64Array): number {
  return rows.length / SAMPLE_COLUMNS
}

/** The requests of a batch, without a copy. */
export function* rowsOf(rows: Float64Array): Generator<Float64Array> {
  for (let at = 0; at < rows.length; at += SAMPLE_COLUMNS) yield rows.subarray(at, at + SAMPLE_COLUMNS)
}

/** From the intended time to the end. */
export function rowLatencyUs(row: Float64Array): number {
  return (row[8] ?? Number.NaN) - (row[3] ?? Number.NaN)
}

/** What of a request is counted while the run goes on; NaN for a time that there is not. */
export function rowFacts(row: Float64Array): { arm: number; outcome: Outcome; latencyUs: number; ttftUs: number } {
  const [arm = 0, , , , sentUs = Number.NaN, , firstTokenUs = Number.NaN] = row
  const outcome = OUTCOME_CODES[row[10] ?? 0] ?? 'KT_OTHER'
  return { arm, outcome, latencyUs: rowLatencyUs(row), ttftUs: firstTokenUs - sentUs }
}

/** Times are microseconds after the start of the measurement, null for what did not happen. */
export function toSample(row: Float64Array, { arms, workload }: RunPlan, startUs: number): Sample {
  const [arm = 0, block = 0, index = 0, ...rest] = row
  const [intendedUs, sentUs, firstByteUs, firstTokenUs, lastTokenUs, endUs] = rest
    .map((us) => us - startUs)
    .map(rounded)
  const target = arms[arm]
  return {
    arm: target?.name ?? '',
    block,
    nonce: buildNonce(target?.tag ?? '', workload.seed, index),
    intendedUs: intendedUs ?? null,
    sentUs: sentUs ?? null,
    firstByteUs: firstByteUs ?? null,
    firstTokenUs: firstTokenUs ?? null,
    lastTokenUs: lastTokenUs ?? null,
    endUs: endUs ?? null,
    tokens: rounded(rest[6]),
    outcome: OUTCOME_CODES[rest[7] ?? 0] ?? 'KT_OTHER',
  }
}

function rounded(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : Math.round(value)
}
