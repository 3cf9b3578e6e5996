/**
 * One request and its answer, watched: when it was handed to the socket, when its first byte, its tokens and its end came, and
 * how it ended. HOW a request is watched is the same for JSON and streams, warm-up and measurement, open and closed loops.
 * Times are host microseconds; NaN is "did not happen".
 */
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Stamp } from '../overhead/stamp.ts'
import type { Clock } from '../system/clock.ts'
import type { Connection } from './connection.ts'
import { isInterrupted, outcomeOfError } from './failure.ts'
import { type JsonAnswer, readErrorAnswer, readJsonAnswer } from './json-answer.ts'
import { type Outcome, outcomeOfStatus } from './outcome.ts'
import { SseReader } from './sse.ts'
import type { Usage } from './stream-event.ts'
import { StreamWatch } from './stream-watch.ts'

export interface Ask {
  path: string
  headers: Record<string, string>
  body: string
  stream: boolean
  /** Hears the decoded body of a good answer as it comes. */
  sample?: AnswerListener | undefined
}

/** Takes the answer's decoded bytes. */
export interface AnswerListener {
  push(chunk: Buffer): void
}

/** What is known of a request once it has ended. */
export interface Exchange {
  outcome: Outcome
  /** Asked for as a stream. */
  streamed: boolean
  /** Why it failed, in the words of the system or the provider; '' when it did not. */
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
  /** Length of the request's body. */
  requestChars: number
  /** On a connection that was already open. */
  reused: boolean
  usage: Usage | undefined
  stamp: Stamp | undefined
  headers: Headers
  trailers: Headers
}

export type Headers = Record<string, string | string[] | undefined>

/** Hears of every token-bearing event: how long after `sent` it came, the gap to the one before (NaN for the first), its stamp. */
export type TokenListener = (sinceSentUs: number, gapUs: number, stamp: Stamp | undefined) => void

/** A running request that can be given up. */
export interface Running {
  abort(reason: Error): void
}

const NONE: Headers = {}
const MAX_KEPT_BYTES = 64 * 1024 * 1024

/** Sends `ask` on `connection` and calls `done` once, whatever happens. */
export function exchange(
  connection: Connection,
  ask: Ask,
  clock: Clock,
  onToken: TokenListener,
  done: (result: Exchange) => void,
): Running {
  const openedBefore = connection.opened
  const watch = new StreamWatch((atUs, gapUs, stamp) => onToken(atUs - sentUs, gapUs, stamp))
  const reader = ask.stream ? new SseReader((data) => watch.event(data, clock())) : undefined
  let controller: Dispatcher.DispatchController | undefined
  let status = 0
  let headers = NONE
  let trailers = NONE
  let sentUs = Number.NaN
  let headersUs = Number.NaN
  let firstByteUs = Number.NaN
  let bodyBytes = 0
  let kept: Buffer[] = []
  let gunzip: ReturnType<typeof createGunzip> | undefined
  let streamFault: string | undefined
  let settled = false

  const finish = (outcome: Outcome, detail: string, endUs: number): void => {
    if (settled) return
    settled = true
    const opened = connection.opened > openedBefore
    let answer: JsonAnswer | undefined
    if (outcome === 'OK' && !reader) {
      const body = text()
      answer = readJsonAnswer(body)
      ask.sample?.push(Buffer.from(body))
      if (!answer) {
        outcome = 'KT_BAD_BODY'
        detail = readErrorAnswer(body)
      }
    }
    done({
      outcome,
      streamed: ask.stream,
      detail,
      connectUs: opened ? connection.connectedUs - connection.connectStartUs : Number.NaN,
      sentUs,
      headersUs,
      firstByteUs,
      firstTokenUs: watch.firstTokenUs,
      lastTokenUs: watch.lastTokenUs,
      endUs,
      tpotUs: watch.tpotUs(),
      tokenEvents: watch.tokenEvents,
      streamedTokens: watch.streamedTokens(),
      events: watch.events,
      bodyBytes,
      requestChars: ask.body.length,
      reused: !opened && !Number.isNaN(sentUs),
      usage: answer?.usage ?? watch.usage,
      stamp: answer?.stamp ?? watch.stamp,
      headers,
      trailers,
    })
  }

  const text = (): string => {
    const whole = kept.length === 1 && kept[0] ? kept[0] : Buffer.concat(kept)
    try {
      return (isGzip(headers) && !reader ? gunzipSync(whole) : whole).toString('utf8')
    } catch {
      return ''
    }
  }

  const read = (chunk: Buffer): void => {
    ask.sample?.push(chunk)
    try {
      reader?.push(chunk)
    } catch (error) {
      streamFault ??= String(error)
    }
  }

  const ok = (): boolean => status >= 200 && status < 300

  /** A stream has ended with its connection in order: was it a stream, and a whole one? */
  const endStream = (endUs: number): void => {
    reader?.end()
    if (watch.error !== undefined) finish('KT_STREAM_ERROR', watch.error, endUs)
    else if (streamFault !== undefined || watch.garbage !== undefined)
      finish('KT_BAD_STREAM', streamFault ?? `not an event of a known protocol: ${watch.garbage}`, endUs)
    else if (watch.events === 0) finish('KT_BAD_STREAM', readErrorAnswer(text()) || 'no events', endUs)
    else if (!watch.ended) finish('KT_TRUNCATED', 'the stream ended without its end mark', endUs)
    else finish('OK', '', endUs)
  }

  connection.dispatch(
    { path: ask.path, method: 'POST', headers: ask.headers, body: ask.body },
    {
      onRequestStart(started) {
        controller = started
        sentUs = clock()
      },
      onResponseStart(_controller, statusCode, received) {
        headersUs = clock()
        status = statusCode
        headers = received
        if (reader && ok() && isGzip(headers)) {
          gunzip = createGunzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })
          gunzip.on('data', read)
          gunzip.on('error', (error) => finish('KT_BAD_STREAM', error.message, clock()))
          gunzip.on('end', () => endStream(clock()))
        }
      },
      onResponseData(_controller, chunk) {
        if (bodyBytes === 0) firstByteUs = clock()
        bodyBytes += chunk.length
        if (reader && ok()) {
          if (gunzip) gunzip.write(chunk)
          else read(chunk)
          // Kept only to be quoted: a body without any event is no stream, and its beginning says what it is.
          if (watch.events === 0 && bodyBytes <= 65_536) kept.push(chunk)
          else if (kept.length > 0) kept = []
        } else if (bodyBytes <= MAX_KEPT_BYTES) {
          kept.push(chunk)
        }
      },
      onResponseEnd(_controller, received) {
        const endUs = clock()
        trailers = received ?? NONE
        if (!ok()) finish(outcomeOfStatus(status), `HTTP ${status}: ${readErrorAnswer(text())}`, endUs)
        else if (gunzip) gunzip.end()
        else if (reader) endStream(endUs)
        else finish('OK', '', endUs)
      },
      onResponseError(_controller, error) {
        const endUs = clock()
        // undici is in the middle of clearing its queue here: whoever hears of the end may want to send at once.
        setImmediate(() => {
          if (!ok() && status > 0 && !isInterrupted(error)) finish(outcomeOfStatus(status), `HTTP ${status}`, endUs)
          else finish(outcomeOfError(error, status > 0), error.message, endUs)
        })
      },
    },
  )

  return {
    abort(reason) {
      if (controller) controller.abort(reason)
      else connection.drop(reason)
    },
  }
}

function isGzip(headers: Headers): boolean {
  return headers['content-encoding'] === 'gzip'
}
