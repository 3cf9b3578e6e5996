/**
 * What a request slot knows of the answer that it reads, as fields that are set anew for each request: an object for
 * each request would cost more than the measuring.
 */

import type { ResponseHeaders } from '../http1/fields.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { Stamp } from '../wire/stamp.ts'
import type { TokenUsage } from '../wire/usage.ts'
import { NO_MEMBERS } from './request-result.ts'

const NO_HEADERS: ResponseHeaders = {}

export class AnswerFields {
  outcome: Outcome = 'OK'
  streamed = false
  detail = ''
  connectUs = Number.NaN
  sentUs = Number.NaN
  headersUs = Number.NaN
  firstByteUs = Number.NaN
  firstTokenUs = Number.NaN
  lastTokenUs = Number.NaN
  endUs = Number.NaN
  tpotUs = Number.NaN
  tokenEvents = 0
  streamedTokens = 0
  events = 0
  bodyBytes = 0
  requestChars = 0
  reused = false
  usage: TokenUsage | undefined
  hiddenTokens = 0
  stamp: Stamp | undefined
  headers = NO_HEADERS
  trailers = NO_HEADERS
  empty = false
  unmarked = false
  unknownMembers = NO_MEMBERS
  missedTokens = 0
  dispatchedUs = Number.NaN
  /** When the request was ready to be sent, which may be before it was due. */
  readyUs = Number.NaN
  /** When the answer before this one ended; NaN for the first. */
  idleSinceUs = Number.NaN

  /** Another request is handed over at `nowUs`: forgets the answer before. */
  protected forget(nowUs: number): void {
    this.dispatchedUs = nowUs
    this.idleSinceUs = this.endUs
    this.outcome = 'OK'
    this.detail = ''
    this.connectUs = Number.NaN
    this.readyUs = Number.NaN
    this.sentUs = Number.NaN
    this.headersUs = Number.NaN
    this.firstByteUs = Number.NaN
    this.firstTokenUs = Number.NaN
    this.lastTokenUs = Number.NaN
    this.bodyBytes = 0
    this.reused = false
    this.usage = undefined
    this.hiddenTokens = 0
    this.stamp = undefined
    this.headers = NO_HEADERS
    this.trailers = NO_HEADERS
    this.empty = false
    this.unmarked = false
    this.unknownMembers = NO_MEMBERS
    this.missedTokens = 0
  }

  /** The same of what only streams have. */
  protected forgetTokens(): void {
    this.tpotUs = Number.NaN
    this.tokenEvents = 0
    this.streamedTokens = 0
    this.events = 0
  }
}
