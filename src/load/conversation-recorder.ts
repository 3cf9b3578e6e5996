/** What the conversations of one arm came to: its requests by the number of their turn, and its sessions. */
import type { RequestResult } from '../client/request-result.ts'
import { stampedOverhead } from '../overhead/stamped.ts'
import { METRICS } from '../slo/metrics.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { fields, histogram, places, total } from './add-up.ts'

/** Later turns are counted together. */
const MOST_TURNS_TOLD = 50

export interface TurnRecord {
  sent: number
  successful: number
  /** Sessions that ended with a failure of this turn. */
  failed: number
  latency: PackedHistogram
  ttft: PackedHistogram
  overhead: PackedHistogram
}

/** Plain data. */
export interface ConversationRecord {
  /** By turn; the last one holds all later turns too. */
  turns: TurnRecord[]
  started: number
  /** Sessions of which every turn was answered, and those of which one failed. */
  finished: number
  failed: number
  /** From the first request to the end of the last answer, of finished sessions. */
  durations: PackedHistogram
}

interface LiveTurn {
  sent: number
  successful: number
  failed: number
  latency: Histogram
  ttft: Histogram
  overhead: Histogram
}

export class ConversationRecorder {
  readonly #turns: LiveTurn[] = []
  readonly #durations = new Histogram(METRICS.latency.digits)
  started = 0
  #finished = 0
  #failed = 0

  /** A request of turn `turn`, from 0, has ended. */
  turnEnded(turn: number, result: RequestResult, intendedUs: number, nonce: string): void {
    const at = this.#at(turn)
    at.sent++
    if (result.outcome !== 'OK') return
    at.successful++
    at.latency.record(result.endUs - intendedUs)
    if (!Number.isNaN(result.firstTokenUs)) at.ttft.record(result.firstTokenUs - intendedUs)
    const stamped = stampedOverhead(result, nonce)
    if (stamped.kind === 'overhead') at.overhead.record(stamped.us)
  }

  finished(tookUs: number): void {
    this.#finished++
    this.#durations.record(tookUs)
  }

  failedAt(turn: number): void {
    this.#failed++
    this.#at(turn).failed++
  }

  toRecord(): ConversationRecord {
    return {
      turns: this.#turns.map(({ latency, ttft, overhead, ...counts }) => ({
        ...counts,
        latency: latency.pack(),
        ttft: ttft.pack(),
        overhead: overhead.pack(),
      })),
      started: this.started,
      finished: this.#finished,
      failed: this.#failed,
      durations: this.#durations.pack(),
    }
  }

  #at(turn: number): LiveTurn {
    const place = Math.min(turn, MOST_TURNS_TOLD - 1)
    const known = this.#turns[place]
    if (known) return known
    const added: LiveTurn = {
      ...{ sent: 0, successful: 0, failed: 0 },
      latency: new Histogram(METRICS.latency.digits),
      ttft: new Histogram(METRICS.ttft.digits),
      overhead: new Histogram(),
    }
    this.#turns[place] = added
    return added
  }
}

export const conversationsSum = fields<ConversationRecord>({
  turns: places(
    fields<TurnRecord>({
      ...{ sent: total, successful: total, failed: total },
      ...{ latency: histogram, ttft: histogram, overhead: histogram },
    }),
  ),
  ...{ started: total, finished: total, failed: total },
  durations: histogram,
})
