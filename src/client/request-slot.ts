/**
 * A lane: room for one request at a time on a connection, and the handler that watches its answer (when it was handed to the
 * socket, when its first byte, its tokens and its end came, how it ended). HOW a request is watched is the same for JSON and
 * streams, warm-up and measurement, open and closed loops. One object serves all requests of the lane, one after another: made
 * anew for each, handlers and closures would cost more than the measuring.
 */
import { constants, createGunzip, type Gunzip } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Clock } from '../system/clock.ts'
import { quotable } from '../wire/answer-error.ts'
import { readErrorAnswer, readJsonAnswer } from '../wire/json-answer.ts'
import { classifyStatus, type Outcome } from '../wire/outcome.ts'
import { SseReader } from '../wire/sse.ts'
import type { Stamp } from '../wire/stamp.ts'
import type { TokenUsage } from '../wire/stream-event.ts'
import type { TargetConnection } from './connection.ts'
import { BufferedBody, classifyError, isAbortedByClient } from './failure.ts'
import type { BodyListener, RequestHead, RequestResult, ResponseHeaders } from './request-result.ts'
import { StreamTimings } from './stream-timings.ts'

/** Hears what happens on a lane. What it is told holds until the lane is started again. */
export interface SlotListener {
  /** A token-bearing event came: how long after `sent`, the gap to the one before (NaN for the first), its stamp. */
  token(sinceSentUs: number, gapUs: number, stamp: Stamp | undefined): void
  /** The request has ended, whatever happened; once for every start. */
  ended(result: RequestResult): void
}

const NONE: ResponseHeaders = {}
const QUOTED_BYTES = 65_536

export class RequestSlot implements RequestResult, Dispatcher.DispatchHandler {
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
  stamp: Stamp | undefined
  headers = NONE
  trailers = NONE
  dispatchedUs = Number.NaN
  /** When it was ready to be sent, which may be before it was to be. */
  readyUs = Number.NaN
  /** It may not be used again: a request that was given up may still come to life on it. */
  dead = false
  readonly connection: TargetConnection
  readonly #clock: Clock
  readonly #user: SlotListener
  readonly #options: Dispatcher.DispatchOptions
  readonly #kept = new BufferedBody()
  #controller: Dispatcher.DispatchController | undefined
  #settled = true
  #status = 0
  readonly #watch = new StreamTimings((atUs, gapUs, stamp) => {
    this.lastTokenUs = atUs
    if (Number.isNaN(this.firstTokenUs)) this.firstTokenUs = atUs
    this.#user.token(atUs - this.sentUs, gapUs, stamp)
  })
  readonly #reader = new SseReader(
    (data, name) => this.#watch.event(data, this.#chunkUs, name),
    (bytes, start, end) => this.#watch.eventBytes(bytes, start, end, this.#chunkUs),
  )
  #gunzip: Gunzip | undefined
  #streamFault: string | undefined
  #sample: BodyListener | undefined
  /** When the piece of a body that is being read came in. */
  #chunkUs = 0

  constructor(connection: TargetConnection, ask: RequestHead, clock: Clock, user: SlotListener) {
    this.connection = connection
    this.#clock = clock
    this.#user = user
    this.#options = { path: ask.path, method: 'POST', headers: ask.headers, body: null }
  }

  /** What the next request is sent with, until it is called again. */
  setHeaders(headers: string[]): void {
    this.#options.headers = headers
  }

  /** Sends `body` at `nowUs`, which may be a moment ahead; `sample` hears the decoded body of a good answer as it comes. */
  start(body: string, stream: boolean, nowUs: number, sample?: BodyListener): void {
    this.dispatchedUs = nowUs
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
    this.stamp = undefined
    this.headers = NONE
    this.trailers = NONE
    this.#controller = undefined
    this.#settled = false
    this.#status = 0
    this.#gunzip = undefined
    this.#streamFault = undefined
    this.#kept.clear()
    this.#sample = sample
    this.requestChars = body.length
    if (stream || this.streamed) this.#beginStream()
    this.streamed = stream
    this.#options.body = body
    this.connection.dispatch(this.#options, this, nowUs)
  }

  /** When the request was handed over, the opening of its connection and the wait for a stream of HTTP/2 not counted. */
  get handedOverUs(): number {
    return this.reused && !this.connection.multiplexed ? this.sentUs : this.dispatchedUs
  }

  /** Gives the request up. */
  abort(reason: Error): void {
    if (this.#settled) return
    if (this.#controller) this.#controller.abort(reason)
    else if (!this.connection.multiplexed || Number.isNaN(this.connection.connectedUs)) this.connection.drop(reason)
    else {
      // It waits for a stream of a session that others use: it is ended here, and refused should its turn still come.
      this.dead = true
      this.#fail(classifyError(reason, false), reason.message, this.#clock())
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.dead) {
      controller.abort(new Error('given up while it waited for a stream'))
      return
    }
    this.#controller = controller
    this.connectUs = this.connection.takeConnectUs()
    this.reused = Number.isNaN(this.connectUs)
    // An HTTP/1.1 request is written next, in this very turn; over HTTP/2 its head has left.
    if (!this.connection.multiplexed) return
    this.readyUs = this.connection.readyUs()
    this.sentUs = this.#clock()
  }

  onRequestSent(): void {
    if (this.connection.multiplexed) return
    this.readyUs = this.connection.readyUs()
    this.sentUs = this.connection.wroteUs()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ResponseHeaders): void {
    if (this.dead) return
    this.headersUs = this.connection.readUs()
    this.#status = status
    this.headers = headers
    if (this.streamed && this.#isOk() && isGzip(headers)) this.#unpack()
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.dead) return
    this.#chunkUs = this.connection.readUs()
    if (this.bodyBytes === 0) this.firstByteUs = this.#chunkUs
    this.bodyBytes += chunk.length
    if (!this.streamed || !this.#isOk()) {
      this.#kept.push(chunk)
      return
    }
    if (this.#gunzip) this.#gunzip.write(chunk)
    else this.#read(chunk)
    // Kept only to be quoted: a body without any event is no stream, and its beginning says what it is.
    if (this.#watch.events === 0 && this.bodyBytes <= QUOTED_BYTES) this.#kept.push(chunk)
    else this.#kept.clear()
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: ResponseHeaders | undefined): void {
    if (this.dead) return
    const endUs = this.connection.readUs()
    if (trailers) this.trailers = trailers
    if (!this.#isOk()) {
      this.#fail(classifyStatus(this.#status), `HTTP ${this.#status}: ${readErrorAnswer(this.#text())}`, endUs)
    } else if (!this.streamed) this.#endJson(endUs)
    else if (this.#gunzip && this.#streamFault === undefined) this.#gunzip.end()
    else this.#endStream(endUs)
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    if (this.dead) return
    const endUs = this.#clock()
    const status = this.#status
    // undici is in the middle of clearing its queue here: whoever hears of the end may want to send at once.
    setImmediate(() => {
      if (!this.#isOk() && status > 0 && !isAbortedByClient(error)) {
        this.#fail(classifyStatus(status), `HTTP ${status}`, endUs)
      } else this.#fail(classifyError(error, status > 0), error.message, endUs)
    })
  }

  #beginStream(): void {
    this.#watch.begin()
    this.#reader.begin()
    this.tpotUs = Number.NaN
    this.tokenEvents = 0
    this.streamedTokens = 0
    this.events = 0
  }

  #unpack(): void {
    const gunzip = createGunzip({ flush: constants.Z_SYNC_FLUSH, finishFlush: constants.Z_SYNC_FLUSH })
    this.#gunzip = gunzip
    const isCurrent = (): boolean => this.#gunzip === gunzip && !this.#settled
    gunzip.on('data', (piece: Buffer) => {
      if (isCurrent()) this.#read(piece)
    })
    gunzip.on('error', (error) => {
      if (!isCurrent()) return
      this.#streamFault ??= error.message
      if (gunzip.writableEnded) this.#endStream(this.#clock())
    })
    gunzip.on('end', () => {
      if (isCurrent()) this.#endStream(this.#clock())
    })
  }

  #read(chunk: Buffer): void {
    this.#sample?.push(chunk)
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#streamFault ??= String(error)
    }
  }

  #endJson(endUs: number): void {
    const body = this.#body()
    const answer = readJsonAnswer(body)
    this.#sample?.push(body)
    if (!answer) {
      this.#fail('KT_BAD_BODY', readErrorAnswer(body.toString('utf8')), endUs)
      return
    }
    this.usage = answer.usage
    this.stamp = answer.stamp
    this.#settle(endUs)
  }

  /** A stream has ended with its connection in order: was it a stream, and a whole one? */
  #endStream(endUs: number): void {
    this.#chunkUs = endUs
    const readable = this.#watch.garbage === undefined
    this.#reader.end()
    const { error, garbage, events, ended } = this.#watch
    // What the end of the body cut off in the middle is no garbage: it is the part that is there.
    const cutOff = readable && garbage !== undefined && (events > 1 || garbage.startsWith('{'))
    if (error !== undefined) this.#fail('KT_STREAM_ERROR', quotable(error), endUs)
    else if (this.#streamFault !== undefined || (garbage !== undefined && !cutOff)) {
      this.#fail('KT_BAD_STREAM', this.#streamFault ?? `not an event of a known protocol: ${garbage}`, endUs)
    } else if (events === 0) this.#fail('KT_BAD_STREAM', readErrorAnswer(this.#text()) || 'no events', endUs)
    else if (!ended) this.#fail('KT_TRUNCATED', 'the stream ended without its end mark', endUs)
    else this.#settle(endUs)
  }

  #fail(outcome: Outcome, detail: string, endUs: number): void {
    this.outcome = outcome
    this.detail = detail
    this.#settle(endUs)
  }

  #settle(endUs: number): void {
    if (this.#settled) return
    this.#settled = true
    this.endUs = endUs
    if (this.streamed) {
      const watch = this.#watch
      this.tpotUs = watch.tpotUs()
      this.tokenEvents = watch.tokenEvents
      this.streamedTokens = watch.streamedTokens()
      this.events = watch.events
      this.usage = watch.usage
      this.stamp = watch.stamp
    }
    this.#user.ended(this)
  }

  #isOk(): boolean {
    return this.#status >= 200 && this.#status < 300
  }

  #body(): Buffer {
    return this.#kept.whole(isGzip(this.headers) && !this.streamed)
  }

  #text(): string {
    return this.#body().toString('utf8')
  }
}

function isGzip(headers: ResponseHeaders): boolean {
  return headers['content-encoding'] === 'gzip'
}
