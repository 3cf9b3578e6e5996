/**
 * A request slot: room for one request at a time on a connection, and the handler that times its answer (when the
 * request was handed to the socket, when its first byte, its tokens and its end came, how it ended). It is the same for
 * JSON and streams, warm-up and measurement, open and closed loops. One object serves all requests of the slot, one
 * after another: handlers and closures created for each request would cost more than the measuring.
 */

import type { ResponseHeaders } from '../http1/fields.ts'
import type { Clock } from '../system/clock.ts'
import { type AnswerContent, describeEmpty, isEmptyAnswer, missedTokens } from '../wire/answer-content.ts'
import { quotable } from '../wire/answer-error.ts'
import { plainReason } from '../wire/connection-errors.ts'
import { describeOtherAnswer, readJsonAnswer } from '../wire/json-answer.ts'
import type { Outcome } from '../wire/outcome.ts'
import { SseReader } from '../wire/sse.ts'
import type { Stamp } from '../wire/stamp.ts'
import type { TokenUsage } from '../wire/usage.ts'
import { AnswerFields } from './answer-fields.ts'
import type { AnswerHandler, OutgoingRequest, RequestControl } from './answer-handler.ts'
import { blame, isUnprocessed } from './blame.ts'
import { BufferedBody } from './buffered-body.ts'
import type { TargetConnection } from './connection.ts'
import { readContentEncoding, StreamDecoder } from './content-encoding.ts'
import { classifyError, classifyRefusal, isAbortedByClient } from './failure.ts'
import type { BodyListener, RequestHead, RequestResult } from './request-result.ts'
import { faultOfStream } from './stream-fault.ts'
import { StreamTimings } from './stream-timings.ts'

/** Hears what happens on a slot. Results are valid until the slot is started again. */
export interface SlotListener {
  /** A token-bearing event came: its time since `sent`, the gap to the one before (NaN for the first), its stamp. */
  token(sinceSentUs: number, gapUs: number, stamp: Stamp | undefined): void
  /** The request has ended, well or not; once for every start. */
  ended(result: RequestResult): void
}

const QUOTED_BYTES = 65_536
/** A target that takes no request at all must not be asked for ever. */
const MOST_RESENT = 10

export class RequestSlot extends AnswerFields implements RequestResult, AnswerHandler {
  /** How often the present request has been sent again. */
  #resent = 0
  /** The slot may not be used again: a request that was aborted may still be sent on it. */
  dead = false
  readonly connection: TargetConnection
  readonly #clock: Clock
  readonly #listener: SlotListener
  readonly #request: OutgoingRequest
  readonly #allowEmpty: boolean
  readonly #raw: boolean
  readonly #body = new BufferedBody()
  #control: RequestControl | undefined
  #settled = true
  #status = 0
  readonly #timings = new StreamTimings((atUs, gapUs, stamp) => {
    this.lastTokenUs = atUs
    if (Number.isNaN(this.firstTokenUs)) this.firstTokenUs = atUs
    this.#listener.token(atUs - this.sentUs, gapUs, stamp)
  })
  readonly #reader = new SseReader(
    (data, name) => this.#timings.event(data, this.#chunkUs, name),
    (bytes, start, end) => this.#timings.eventBytes(bytes, start, end, this.#chunkUs),
  )
  /** Of a stream that came encoded. */
  #decoder: StreamDecoder | undefined
  #decodedBytes = 0
  /** Why the stream cannot be decoded. */
  #undecodable: string | undefined
  #streamFault: string | undefined
  #sample: BodyListener | undefined
  /** When the bytes of the body that are being read arrived. */
  #chunkUs = 0
  /** When the body of an encoded stream ended; NaN before. */
  #bodyEndUs = Number.NaN

  constructor(connection: TargetConnection, head: RequestHead, clock: Clock, listener: SlotListener) {
    super()
    this.connection = connection
    this.#clock = clock
    this.#listener = listener
    this.#request = { path: head.path, method: 'POST', headers: head.headers, body: '' }
    this.#allowEmpty = head.allowEmpty ?? false
    this.#raw = head.raw ?? false
  }

  /** Sets the headers of the next requests. */
  setHeaders(headers: string[]): void {
    this.#request.headers = headers
  }

  /** Sets the address of the next requests too: some APIs name the model in it, and whether to stream. */
  setHead({ path, headers }: Pick<RequestHead, 'path' | 'headers'>): void {
    this.#request.path = path
    this.#request.headers = headers
  }

  /**
   * Sends `body` at `nowUs`, which may be a moment ahead. `sample` hears the decoded body of a good answer as it comes.
   */
  start(body: string, stream: boolean, nowUs: number, sample?: BodyListener): void {
    this.forget(nowUs)
    this.#control = undefined
    this.#resent = 0
    this.#settled = false
    this.#status = 0
    this.#decoder = undefined
    this.#decodedBytes = 0
    this.#undecodable = undefined
    this.#streamFault = undefined
    this.#body.clear()
    this.#sample = sample
    this.requestChars = body.length
    if (stream || this.streamed) this.#beginStream()
    this.streamed = stream
    this.#request.body = body
    this.connection.dispatch(this.#request, this, nowUs)
  }

  get status(): number {
    return this.#status
  }

  /** When the request was handed over, before the opening of its connection or the wait for a stream of HTTP/2. */
  get handedOverUs(): number {
    return this.reused && !this.connection.multiplexed ? this.sentUs : this.dispatchedUs
  }

  /** Whether the request was begun on a connection. */
  get begun(): boolean {
    return this.#control !== undefined
  }

  /** Aborts the request. */
  abort(reason: Error): void {
    if (this.#settled) return
    if (this.#control) this.#control.abort(reason)
    else if (!this.connection.multiplexed || Number.isNaN(this.connection.connectedUs)) this.connection.drop(reason)
    else {
      // It waits for a stream of a session that others use. It ends here; should its turn still come, it is refused.
      this.dead = true
      this.#fail(classifyError(reason, false), reason.message, this.#clock())
    }
  }

  onRequestStart(control: RequestControl): void {
    if (this.dead) {
      control.abort(new Error('aborted while it waited for a stream'))
      return
    }
    this.#control = control
    this.connectUs = this.connection.takeConnectUs()
    this.reused = Number.isNaN(this.connectUs)
    // An HTTP/1.1 request is written next, in this very turn. Over HTTP/2 its head has left already.
    if (!this.connection.multiplexed) return
    this.readyUs = this.connection.readyUs
    this.sentUs = this.#clock()
  }

  onRequestSent(): void {
    if (this.connection.multiplexed) return
    this.readyUs = this.connection.readyUs
    this.sentUs = this.connection.wroteUs
  }

  onResponseStart(_control: RequestControl, status: number, headers: ResponseHeaders): void {
    // Only the answer that counts: interim ones say nothing of it.
    if (this.dead || status < 200) return
    this.headersUs = this.connection.readUs()
    this.connection.peer.answered = true
    this.#status = status
    this.headers = headers
    const encoding = headers['content-encoding']
    if (encoding !== undefined && this.streamed && this.#isOk()) this.#startDecoder(encoding)
  }

  onResponseData(_control: RequestControl, chunk: Buffer): void {
    if (this.dead) return
    const atUs = this.connection.readUs()
    if (this.bodyBytes === 0) this.firstByteUs = atUs
    this.bodyBytes += chunk.length
    if (!this.#isOk()) this.#body.push(chunk)
    else if (this.#raw) return
    else if (!this.streamed) this.#body.push(chunk)
    else if (this.#decoder) this.#decoder.write(chunk, atUs)
    else if (this.#undecodable === undefined) this.#read(chunk, atUs)
  }

  onResponseEnd(_control: RequestControl, trailers: ResponseHeaders): void {
    if (this.dead) return
    const endUs = this.connection.readUs()
    this.trailers = trailers
    if (!this.#isOk()) {
      this.#refused(endUs)
    } else if (this.#raw) this.#settle(endUs)
    else if (!this.streamed) this.#endJson(endUs)
    else if (this.#decoder) {
      this.#bodyEndUs = endUs
      this.#decoder.end()
    } else this.#endStream(endUs)
  }

  onResponseError(_control: RequestControl | undefined, error: Error): void {
    if (this.dead) return
    const endUs = this.#clock()
    const status = this.#status
    // The connection is in the middle of clearing up here, and the listener may want to send at once.
    setImmediate(() => {
      if (!this.#isOk() && status > 0 && !isAbortedByClient(error)) this.#refused(endUs)
      else if (status > 0) this.#fail(classifyError(error, true), plainReason(error), endUs)
      else if (isUnprocessed(error, this) && this.#resent++ < MOST_RESENT) this.#sendAgain(endUs)
      else {
        const found = blame(error, this, endUs)
        if (found instanceof Promise) void found.then(({ outcome, detail }) => this.#fail(outcome, detail, endUs))
        else this.#fail(found.outcome, found.detail, endUs)
      }
    })
  }

  #sendAgain(nowUs: number): void {
    this.#control = undefined
    this.sentUs = Number.NaN
    this.connection.dispatch(this.#request, this, nowUs)
  }

  /** The answer, or what came of it, has a status that is not 2xx. */
  #refused(endUs: number): void {
    const location = this.#status < 400 ? this.headers.location : undefined
    const text = location === undefined ? this.#body.errorText(this.headers) : quotable(String(location))
    const detail = `HTTP ${this.#status}${location === undefined ? ': ' : ' to '}${text || 'no reason given'}`
    this.#fail(classifyRefusal(this.#status, text), detail, endUs)
  }

  #beginStream(): void {
    this.#timings.begin()
    this.#reader.begin()
    this.forgetTokens()
  }

  #startDecoder(encoding: string | string[]): void {
    const codings = readContentEncoding(encoding)
    if (!codings.ok) this.#undecodable = codings.why
    else if (codings.value.length > 0) {
      this.#bodyEndUs = Number.NaN
      this.#decoder = new StreamDecoder(codings.value, {
        piece: (bytes, atUs) => this.#read(bytes, atUs),
        ended: (why) => {
          this.#decoder = undefined
          this.#undecodable = why
          if (!Number.isNaN(this.#bodyEndUs)) this.#endStream(this.#bodyEndUs)
        },
      })
    }
  }

  /** Reads bytes of a stream, decoded, whose encoded ones arrived at `atUs`. */
  #read(bytes: Buffer, atUs: number): void {
    this.#chunkUs = atUs
    this.#decodedBytes += bytes.length
    this.#sample?.push(bytes)
    try {
      this.#reader.push(bytes)
    } catch (error) {
      this.#streamFault ??= String(error)
    }
    // Kept only to be quoted: a body without any event is no stream, and its beginning shows what it is instead.
    if (this.#timings.events === 0 && this.#decodedBytes <= QUOTED_BYTES) this.#body.push(bytes)
    else this.#body.clear()
  }

  #endJson(endUs: number): void {
    const body = this.#body.decoded(this.headers)
    if (!body.ok) {
      this.#fail('KT_ENCODING', body.why, endUs)
      return
    }
    const answer = readJsonAnswer(body.value)
    this.#sample?.push(body.value)
    if (!answer) {
      this.#fail('KT_BAD_BODY', this.#describeOther(body.value), endUs)
      return
    }
    this.usage = answer.usage
    this.hiddenTokens = answer.hiddenTokens
    this.stamp = answer.stamp
    this.missedTokens = missedTokens(answer.content, answer.usage?.output ?? 0, 0, 0)
    this.#succeed(answer.content, answer.usage, endUs)
  }

  /** The body of a stream has ended without an error of the connection: was it a stream, and a complete one? */
  #endStream(endUs: number): void {
    this.#chunkUs = endUs
    const readable = this.#timings.garbage === undefined
    this.#reader.end()
    const fault = faultOfStream(this.#timings, {
      readable,
      undecodable: this.#undecodable,
      threw: this.#streamFault,
      describeOther: () => this.#describeOther(this.#body.whole()),
    })
    if (fault) {
      this.#fail(fault.outcome, fault.detail, endUs)
      return
    }
    this.unmarked = !this.#timings.ended
    this.missedTokens = this.#timings.missedTokens()
    this.#succeed(this.#timings, this.#timings.usage, endUs)
  }

  /** A whole answer of the endpoint came. Where it holds nothing, that is a failure, unless the run allows it. */
  #succeed(content: AnswerContent, usage: TokenUsage | undefined, endUs: number): void {
    if (content.unknown.length > 0) this.unknownMembers = [...content.unknown]
    this.empty = isEmptyAnswer(content, usage)
    if (this.empty && !this.#allowEmpty) this.#fail('KT_EMPTY', describeEmpty(content, usage), endUs)
    else this.#settle(endUs)
  }

  #describeOther(body: Buffer): string {
    if (body.length === 0) return `HTTP ${this.#status} with an empty body`
    return describeOtherAnswer(body, this.streamed, String(this.headers['content-type']))
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
    this.#decoder?.stop()
    if (this.streamed) {
      const timings = this.#timings
      this.tpotUs = timings.tpotUs()
      this.tokenEvents = timings.tokenEvents
      this.streamedTokens = timings.streamedTokens()
      this.events = timings.events
      this.usage = timings.usageOfStream()
      this.hiddenTokens = timings.hiddenTokens()
      this.stamp = timings.stamp
    }
    this.#listener.ended(this)
  }

  #isOk(): boolean {
    return this.#status >= 200 && this.#status < 300
  }
}
