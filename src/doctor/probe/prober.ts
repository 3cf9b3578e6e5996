/**
 * Asks one target, one request after another on one connection, and keeps what came back: the request path of a bench (lanes, deadlines,
 * nonces, stamps), with every token's time kept instead of counted.
 */

import { findMissedDeadline } from '../../client/deadlines.ts'
import { AbortedByClient } from '../../client/failure.ts'
import { Inbox } from '../../client/inbox.ts'
import type { RequestResult } from '../../client/request-result.ts'
import type { RequestSlot, SlotListener } from '../../client/request-slot.ts'
import type { Target } from '../../client/target.ts'
import { UserError } from '../../errors.ts'
import { SlotPool } from '../../load/slot-pool.ts'
import type { Severity } from '../../report/doctor-schema.ts'
import { now } from '../../system/clock.ts'
import { extractAnswerText } from '../../wire/answer-text.ts'
import type { Stamp } from '../../wire/stamp.ts'
import type { Answer, TokenSeen } from './measured.ts'

const TIMEOUT_US = 15_000_000

const CHECK_MS = 10

export interface Question {
  nonce: string
  body: string
  stream: boolean
  /** Leaves at the first token, or after this long: as a user does who closes the page. */
  leaveAfterUs?: number
}

export class Prober implements SlotListener {
  requests = 0
  readonly #lanes: SlotPool
  readonly #lane: RequestSlot
  #question: Question = { nonce: '', body: '', stream: false }
  #tokens: TokenSeen[] = []
  #resolve: (answer: Answer) => void = () => {}

  constructor({ origin, path }: Target, headers: Record<string, string>) {
    this.#lanes = new SlotPool(origin, { path, headers: Object.entries(headers).flat() }, now, new Inbox(now))
    this.#lane = this.#lanes.createSlot(this)
  }

  /** Connections opened so far. */
  get opened(): number {
    return this.#lanes.opened
  }

  async ask(question: Question): Promise<Answer> {
    this.#question = question
    this.#tokens = []
    this.requests++
    const chunks: Buffer[] = []
    const answered = new Promise<Answer>((resolve) => {
      this.#resolve = resolve
    })
    const lane = this.#lane
    const watch = setInterval(() => {
      const late = findMissedDeadline(lane, now(), { totalUs: TIMEOUT_US })
      if (late) lane.abort(late)
      else if (now() - lane.dispatchedUs >= (question.leaveAfterUs ?? Number.POSITIVE_INFINITY)) this.#leave()
    }, CHECK_MS)
    lane.start(question.body, question.stream, now(), { push: (chunk) => chunks.push(Buffer.from(chunk)) })
    const answer = await answered
    clearInterval(watch)
    return { ...answer, text: extractAnswerText(Buffer.concat(chunks).toString('utf8'), question.stream) }
  }

  token(sinceSentUs: number, _gapUs: number, stamp: Stamp | undefined): void {
    this.#tokens.push({ sinceSentUs, stamp })
    // The lane is in the middle of reading a chunk.
    if (this.#question.leaveAfterUs !== undefined) setImmediate(() => this.#leave())
  }

  ended(result: RequestResult): void {
    const { outcome, detail, usage, stamp, headers, trailers, sentUs, endUs } = result
    this.#resolve({
      nonce: this.#question.nonce,
      outcome,
      detail,
      streamed: this.#question.stream,
      tookUs: endUs - sentUs,
      tokens: this.#tokens,
      usage,
      stamp,
      headers,
      trailers,
      text: '',
    })
  }

  close(): Promise<void> {
    return this.#lanes.close()
  }

  #leave(): void {
    this.#lane.abort(new AbortedByClient('KT_ABORTED_AT_DEADLINE', 'left on purpose'))
  }
}

/** What `kt doctor` may be asked, and which of it does not go together. */

/** As the command takes it; undefined where the user said nothing. */
export interface DoctorRequest {
  config?: string | undefined
  report?: string | undefined
  url?: string | undefined
  'provider-url'?: string | undefined
  'api-key'?: string | undefined
  'other-api-key'?: string | undefined
  header?: readonly string[] | undefined
  model?: string | undefined
  run?: boolean | undefined
  severity?: Severity | undefined
}

export interface DoctorHooks {
  /** Lines for a person, while it happens. */
  note(line: string): void
  interrupt: AbortSignal
}

/** Throws a UserError where a request makes no sense. */
export function refuse({ config, report, url, run, 'provider-url': provider }: DoctorRequest): void {
  if (config === undefined && report === undefined && url === undefined) {
    throw new UserError(
      'there is nothing to examine',
      'Give a config (kt doctor gateway.yaml), a report (--report r.json) or a gateway (--url http://…).',
    )
  }
  if (run && url !== undefined)
    throw new UserError('--run starts a gateway of its own: --url names another', 'Leave one of them out.')
  if (run && config === undefined)
    throw new UserError('--run needs a config to start', 'Give one: kt doctor gateway.yaml --run')
  if (provider !== undefined && url === undefined) {
    throw new UserError('--provider-url names the provider behind --url', 'Give --url too.')
  }
}
