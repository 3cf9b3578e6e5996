/**
 * What a request is sent with and what is known of it once it has ended. Times are host microseconds; NaN means "did
 * not happen".
 */
import type { ResponseHeaders } from '../http1/fields.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { Stamp } from '../wire/stamp.ts'
import type { TokenUsage } from '../wire/usage.ts'

/** The part of a request that is the same for all requests of an arm. */
export interface RequestHead {
  path: string
  /** Name, value, name, value: the form in which undici needs no conversion. */
  headers: string[]
  /** An answer that holds nothing is a success. */
  allowEmpty?: boolean
  /** Answers are counted by their status and their first and last byte, whatever they hold. */
  raw?: boolean
}

/** Hears the decoded bytes of an answer. They are valid until the request has ended. */
export interface BodyListener {
  push(chunk: Buffer): void
}

export interface RequestResult {
  outcome: Outcome
  /** Of HTTP; 0 before there was one. */
  readonly status: number
  /** Whether a stream was asked for. */
  streamed: boolean
  /** Why the request failed, in the words of the system or the provider; '' when it did not fail. */
  detail: string
  connectUs: number
  sentUs: number
  /** When the response headers came. */
  headersUs: number
  firstByteUs: number
  firstTokenUs: number
  lastTokenUs: number
  endUs: number
  tpotUs: number
  tokenEvents: number
  streamedTokens: number
  events: number
  bodyBytes: number
  /** Length of the request body. */
  requestChars: number
  /** Whether the connection was already open. */
  reused: boolean
  /** As the answer tells it; undefined where it tells nothing. */
  usage: TokenUsage | undefined
  /** The part of the output of `usage` that is reasoning whose text was not sent. */
  hiddenTokens: number
  stamp: Stamp | undefined
  headers: ResponseHeaders
  trailers: ResponseHeaders
  /** It held no output. A success only where the run allows that. */
  empty: boolean
  /** A stream that came to its end without its protocol's end mark. */
  unmarked: boolean
  /** Members that kt does not know, of events without any output that it knows. */
  unknownMembers: readonly string[]
  /** Output tokens that its usage tells and that may have come in these members: its token times are suspect. */
  missedTokens: number
}

export const NO_MEMBERS: readonly string[] = []

/** The result of a request that was due and never sent. */
export function createNeverSentResult(endUs: number): RequestResult {
  return {
    outcome: 'KT_ABORTED_AT_DEADLINE',
    status: 0,
    streamed: false,
    requestChars: 0,
    detail: 'due, but no slot became free before the run was over',
    connectUs: Number.NaN,
    sentUs: Number.NaN,
    headersUs: Number.NaN,
    firstByteUs: Number.NaN,
    firstTokenUs: Number.NaN,
    lastTokenUs: Number.NaN,
    endUs,
    tpotUs: Number.NaN,
    tokenEvents: 0,
    streamedTokens: 0,
    events: 0,
    bodyBytes: 0,
    reused: false,
    usage: undefined,
    hiddenTokens: 0,
    stamp: undefined,
    headers: {},
    trailers: {},
    empty: false,
    unmarked: false,
    unknownMembers: NO_MEMBERS,
    missedTokens: 0,
  }
}
