/**
 * Sends one request after another to one target on one connection, on the request path of a bench (slots, deadlines,
 * nonces, stamps), and keeps what came back, every token with its time.
 */

import { type ConnectionSpec, ONE_AT_A_TIME } from '../../client/connection.ts'
import { findMissedDeadline } from '../../client/deadlines.ts'
import { AbortedByClient } from '../../client/failure.ts'
import { Inbox } from '../../client/inbox.ts'
import type { RequestHead, RequestResult } from '../../client/request-result.ts'
import type { RequestSlot, SlotListener } from '../../client/request-slot.ts'
import type { Target } from '../../client/target.ts'
import { SlotPool } from '../../load/slot-pool.ts'
import { now } from '../../system/clock.ts'
import { extractAnswerText } from '../../wire/answer-text.ts'
import type { Stamp } from '../../wire/stamp.ts'
import type { ProbeAnswer, TokenSeen } from './measured.ts'

const TIMEOUT_US = 15_000_000
const CHECK_MS = 10

export interface ProbeRequest {
  nonce: string
  body: string
  stream: boolean
  /** Leaves at the first token, or after this long: as a user does who closes the page. */
  leaveAfterUs?: number
}

export class Prober implements SlotListener {
  requests = 0
  readonly #slots: SlotPool
  readonly #slot: RequestSlot
  readonly #heads: { whole: RequestHead; stream: RequestHead }
  #probe: ProbeRequest = { nonce: '', body: '', stream: false }
  #tokens: TokenSeen[] = []
  #resolve: (answer: ProbeAnswer) => void = () => {}

  constructor(
    target: { whole: Target; stream: Target },
    headers: Record<string, string>,
    connection: ConnectionSpec = ONE_AT_A_TIME,
  ) {
    const { origin, path } = target.whole
    const whole = { path, headers: Object.entries(headers).flat() }
    this.#heads = { whole, stream: { ...whole, path: target.stream.path } }
    this.#slots = new SlotPool(origin, whole, now, new Inbox(now), connection)
    this.#slot = this.#slots.createSlot(this)
  }

  /** Connections opened so far. */
  get opened(): number {
    return this.#slots.opened
  }

  async send(probe: ProbeRequest): Promise<ProbeAnswer> {
    this.#probe = probe
    this.#tokens = []
    this.requests++
    const chunks: Buffer[] = []
    const answered = new Promise<ProbeAnswer>((resolve) => {
      this.#resolve = resolve
    })
    const slot = this.#slot
    const watch = setInterval(() => {
      const late = findMissedDeadline(slot, now(), { totalUs: TIMEOUT_US })
      if (late) slot.abort(late)
      else if (now() - slot.dispatchedUs >= (probe.leaveAfterUs ?? Number.POSITIVE_INFINITY)) this.#leave()
    }, CHECK_MS)
    slot.setHead(probe.stream ? this.#heads.stream : this.#heads.whole)
    slot.start(probe.body, probe.stream, now(), { push: (chunk) => chunks.push(Buffer.from(chunk)) })
    const answer = await answered
    clearInterval(watch)
    return { ...answer, text: extractAnswerText(Buffer.concat(chunks).toString('utf8'), probe.stream) }
  }

  token(sinceSentUs: number, _gapUs: number, stamp: Stamp | undefined): void {
    this.#tokens.push({ sinceSentUs, stamp })
    // The slot is in the middle of reading a chunk.
    if (this.#probe.leaveAfterUs !== undefined) setImmediate(() => this.#leave())
  }

  ended(result: RequestResult): void {
    const { outcome, detail, usage, stamp, headers, trailers, sentUs, endUs, unmarked } = result
    this.#resolve({
      nonce: this.#probe.nonce,
      outcome,
      detail,
      streamed: this.#probe.stream,
      tookUs: endUs - sentUs,
      tokens: this.#tokens,
      usage,
      stamp,
      headers,
      trailers,
      text: '',
      unmarked,
    })
  }

  close(): Promise<void> {
    return this.#slots.close()
  }

  #leave(): void {
    this.#slot.abort(new AbortedByClient('KT_ABORTED_AT_DEADLINE', 'left on purpose'))
  }
}
