/**
 * Clients that leave before the end of their answer, as a part of the load: a seeded share of the requests, the same in
 * every arm. Whether a request is one of them is known before it is sent, and it is in no figure of the target however
 * it ends: if those that were answered in time counted, the figures would hold the quick ones alone. What the provider
 * wrote for them is known after the run (src/bench/wasted-tokens.ts).
 */
import { AbortedByClient } from '../client/failure.ts'
import type { RequestResult } from '../client/request-result.ts'
import { hash32 } from '../stats/random.ts'
import type { Clock } from '../system/clock.ts'
import { fields, joined, total } from './add-up.ts'

export interface CancelPlan {
  /** Of the requests, from 0 to 1. */
  share: number
  /** When the client leaves: so long after the request was sent, or after so many token-bearing events. */
  after: { us: number } | { tokens: number }
}

/** What is used of a request that is in flight. */
export interface CancelableRequest {
  readonly requestIndex: number
  readonly active: boolean
  leave: Leave | undefined
  readonly slot: { readonly sentUs: number; readonly dispatchedUs: number; abort(reason: Error): void }
}

/** Whether the client of request `index` leaves before the end. */
export function isDrawnToLeave({ share }: CancelPlan, seed: number, index: number): boolean {
  return hash32(`${seed}/${index}/cancel`) < share * 2 ** 32
}

/** What came of the requests that were drawn to be left. */
export interface CancelRecord {
  /** The client left them. */
  left: number
  /** They were answered before the client left. */
  answered: number
  /** They failed before that. */
  failed: number
  /** Those that were left, some thousands of them: the number of the request, and the token-bearing events it saw. */
  rows: number[]
}

/** Fields of a row of `CancelRecord.rows`. */
export const CANCEL_COLUMNS = 2
/** The simulated provider remembers 200,000 requests, of all arms and of the others too. */
const MOST_ROWS = 20_000
/** A request whose connection is still being opened is looked at again after this long. */
const UNSENT_MS = 5

export class CancelRecorder {
  readonly #counts = { left: 0, answered: 0, failed: 0 }
  readonly #rows: number[] = []

  /** The request was sent: its client leaves when the time has come. */
  watch(request: CancelableRequest, plan: CancelPlan, clock: Clock): void {
    request.leave = new Leave(request, plan, clock)
  }

  /** The request has ended, because its client left or before that. */
  ended(request: CancelableRequest, result: RequestResult): void {
    const left = request.leave?.left ?? false
    request.leave?.stop()
    request.leave = undefined
    if (left && result.outcome !== 'OK') {
      this.#counts.left++
      if (this.#rows.length < MOST_ROWS * CANCEL_COLUMNS) this.#rows.push(request.requestIndex, result.tokenEvents)
    } else if (result.outcome === 'OK') this.#counts.answered++
    else this.#counts.failed++
  }

  toRecord(): CancelRecord {
    return { ...this.#counts, rows: this.#rows }
  }
}

/** One client that will leave. */
export class Leave {
  left = false
  readonly #request: CancelableRequest
  readonly #clock: Clock
  readonly #afterUs: number
  #tokensLeft: number
  #timer: NodeJS.Timeout | undefined

  constructor(request: CancelableRequest, { after }: CancelPlan, clock: Clock) {
    this.#request = request
    this.#clock = clock
    this.#afterUs = 'us' in after ? after.us : Number.POSITIVE_INFINITY
    this.#tokensLeft = 'tokens' in after ? after.tokens : Number.POSITIVE_INFINITY
    if ('us' in after) this.#timer = setTimeout(() => this.#look(), after.us / 1_000)
  }

  /** A token-bearing event came. */
  token(): void {
    // The answer is being read at this moment, and its connection cannot be closed under it.
    if (--this.#tokensLeft === 0) setImmediate(() => this.#abort())
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const { sentUs } = this.#request.slot
    const leftMs = Number.isNaN(sentUs) ? UNSENT_MS : (sentUs + this.#afterUs - this.#clock()) / 1_000
    if (leftMs > 0) this.#timer = setTimeout(() => this.#look(), Math.max(1, leftMs))
    else this.#abort()
  }

  #abort(): void {
    // The same object may carry another request by now.
    if (this.#request.leave !== this || !this.#request.active) return
    this.left = true
    this.#request.slot.abort(new AbortedByClient('KT_ABORTED_AT_DEADLINE', 'the client left, as --cancel-share asks'))
  }
}

export const cancelSum = fields<CancelRecord>({ left: total, answered: total, failed: total, rows: joined() })
