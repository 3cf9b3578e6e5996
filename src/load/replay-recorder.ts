/** What the replay of a trace asked of one arm, beside what was counted of its answers, and how late its rows left. */
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { fields, histogram, total } from './add-up.ts'

/** The tokens are those that the rows of whole answers asked for. */
export interface ReplayRecord {
  inputTokens: number
  outputTokens: number
  /** From when a request was due to when it was handed to its socket, a wait for a slot or a connection included. */
  late: PackedHistogram
}

export class ReplayRecorder {
  readonly #late = new Histogram()
  #inputTokens = 0
  #outputTokens = 0

  /** A request was handed to its socket; NaN where it never was. */
  left(lateUs: number): void {
    if (!Number.isNaN(lateUs)) this.#late.record(Math.max(0, lateUs))
  }

  answered(inputTokens: number, outputTokens: number): void {
    this.#inputTokens += inputTokens
    this.#outputTokens += outputTokens
  }

  toRecord(): ReplayRecord {
    return { inputTokens: this.#inputTokens, outputTokens: this.#outputTokens, late: this.#late.pack() }
  }
}

export const replaySum = fields<ReplayRecord>({ inputTokens: total, outputTokens: total, late: histogram })
