/**
 * The waits that a target tells in `Retry-After` of a 429 or 503. They are counted in any case. Where they are obeyed,
 * nothing is sent to the arm until the wait is over: a limit is one of a key, and not of a connection.
 */
import type { RequestResult } from '../client/request-result.ts'
import type { ResponseHeaders } from '../http1/fields.ts'
import { readRetryAfterMs } from '../wire/retry-after.ts'
import { fields, largest, total } from './add-up.ts'

/** Of one arm. */
export interface ToldWaits {
  /** Answers that told a wait, and the longest that was told. */
  answers: number
  longestUs: number
  /** The waits that were obeyed, and how long they took together. */
  waits: number
  waitedUs: number
  /** Open loop: requests that were due meanwhile. They were not sent, and are in no figure. */
  heldBack: number
}

/** Threads that share a run tell each other what they hear, so each of them waits as long. */
export const toldWaitsSum = fields<ToldWaits>({
  answers: total,
  longestUs: largest,
  waits: largest,
  waitedUs: largest,
  heldBack: total,
})

/** Until when an arm is not sent to. */
export class Hold {
  readonly told: ToldWaits = { answers: 0, longestUs: 0, waits: 0, waitedUs: 0, heldBack: 0 }
  /** On the host's clock; in the past where the wait is over. */
  untilUs = Number.NEGATIVE_INFINITY

  /** A request failed. Returns until when its answer tells to wait; undefined where it tells nothing. */
  hear({ status, headers, endUs }: RequestResult): number | undefined {
    if (status !== 429 && status !== 503) return undefined
    const ms = readRetryAfterMs(first(headers, 'retry-after'), first(headers, 'date'))
    if (ms === undefined) return undefined
    this.told.answers++
    this.told.longestUs = Math.max(this.told.longestUs, ms * 1_000)
    return endUs + ms * 1_000
  }

  /** A shorter wait than the present one changes nothing, a longer one makes it longer. */
  extend(untilUs: number, nowUs: number): void {
    if (untilUs <= this.untilUs || untilUs <= nowUs) return
    if (this.untilUs < nowUs) this.told.waits++
    this.told.waitedUs += untilUs - Math.max(this.untilUs, nowUs)
    this.untilUs = untilUs
  }

  /** The run is over, whatever was told. */
  end(nowUs: number): void {
    this.told.waitedUs -= Math.max(0, this.untilUs - nowUs)
    this.untilUs = Math.min(this.untilUs, nowUs)
  }
}

function first(headers: ResponseHeaders, name: string): string | undefined {
  return [headers[name]].flat()[0]
}
