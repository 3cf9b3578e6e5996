/**
 * A measuring connection of HTTP/1.1, one request at a time, over a socket that it opens again when it has to.
 * `wroteUs` is read just before a request is handed to the system, `readUs` as soon as bytes have arrived.
 */

import { type Field, toRecord } from '../../http1/fields.ts'
import type { AnswerHead } from '../../http1/head.ts'
import { addressOf } from '../../http1/open-socket.ts'
import type { Sender } from '../../http1/outbox.ts'
import { buildHead, type PreparedHead } from '../../http1/request-head.ts'
import type { Clock } from '../../system/clock.ts'
import type { AnswerHandler, OutgoingRequest, RequestControl } from '../answer-handler.ts'
import { type ConnectionSpec, TargetConnection } from '../connection.ts'
import type { Inbox } from '../inbox.ts'
import type { Peer } from '../peer.ts'
import { type Route, routeTo } from '../route.ts'
import { Http1Socket, type HttpTarget, type SocketOwner } from './http1-socket.ts'

/** A connection that the server says it keeps is given up so long before: a request takes its time to get there. */
const GIVEN_UP_BEFORE_US = 2_000_000

export class Http1Connection extends TargetConnection implements Sender, SocketOwner, RequestControl {
  readonly multiplexed = false
  arrivedUs = Number.NaN
  answerBegun = false
  readonly #url: URL
  readonly #via: Route['via'] | undefined
  readonly #spec: ConnectionSpec
  readonly #inbox: Inbox
  /** Open, or being opened. */
  #socket: Http1Socket | undefined
  #isOpen = false
  /** The request that waits or is on its way, and who hears of it. */
  #request: OutgoingRequest | undefined
  #handler: AnswerHandler | undefined
  #isWritten = false
  /** It is in the outbox. */
  #isQueued = false
  #head: PreparedHead | undefined
  /** What #head was built of. */
  #headers: readonly string[] | undefined
  #path: string | undefined
  #answer: AnswerHead | undefined
  /** Idle for longer, the connection is not trusted; by the server's own word. */
  #trustedUntilUs = Number.POSITIVE_INFINITY
  /** Of TLS: opens the next connection sooner. */
  #session: Buffer | undefined

  /** All connections of a thread share one inbox, and those to one target what is known of it. */
  constructor(origin: string, clock: Clock, inbox: Inbox, spec: ConnectionSpec, peer: Peer) {
    super(clock, peer)
    this.#url = new URL(origin)
    this.#via = routeTo(origin, spec.routes)
    this.#inbox = inbox
    this.#spec = spec
  }

  dispatch(request: OutgoingRequest, handler: AnswerHandler, notBeforeUs: number): void {
    this.notBeforeUs = notBeforeUs
    this.#request = request
    this.#handler = handler
    this.#isWritten = false
    if (this.#trustedUntilUs !== Number.POSITIVE_INFINITY && this.clock() > this.#trustedUntilUs) this.#discard()
    if (!this.#socket) this.#open(request)
    else if (!this.#isQueued) {
      this.#isQueued = true
      this.#inbox.outbox.add(this)
    }
  }

  send(): void {
    this.#isQueued = false
    // What has arrived may be something that nobody asked for.
    this.#socket?.readWaiting()
    const [request, handler] = [this.#request, this.#handler]
    if (!request || !handler || this.#isWritten) return
    if (!this.#socket) this.#open(request)
    else if (this.#isOpen) this.#write(this.#socket, request, handler)
  }

  readUs(): number {
    return Number.isNaN(this.arrivedUs) ? this.clock() : this.arrivedUs
  }

  abort(reason: Error): void {
    this.drop(reason)
  }

  drop(reason: Error): void {
    this.#discard()
    this.#take()?.onResponseError(this, reason)
  }

  close(): Promise<void> {
    this.drop(new Error('closed'))
    return Promise.resolve()
  }

  ready(): void {
    this.connectedUs = this.clock()
    this.opened++
    this.#isOpen = true
    if (this.#socket && this.#request && this.#handler) this.#write(this.#socket, this.#request, this.#handler)
  }

  session(session: Buffer): void {
    this.#session = session
  }

  head(head: AnswerHead): void {
    this.#answer = head
    this.#handler?.onResponseStart(this, head.status, head.headers)
  }

  data(part: Buffer): void {
    this.#handler?.onResponseData(this, part)
  }

  end(trailers: readonly Field[], more: boolean): void {
    const { keepAlive = false, keptIdleUs = 0 } = this.#answer ?? {}
    // What is left of a request that was answered before its end is not worth being sent.
    const stays = keepAlive && !more && this.#head?.keepAlive === true && this.#socket?.drained === true
    if (!stays) this.#discard()
    else if (keptIdleUs === Number.POSITIVE_INFINITY) this.#trustedUntilUs = keptIdleUs
    else this.#trustedUntilUs = this.readUs() + keptIdleUs - Math.min(GIVEN_UP_BEFORE_US, keptIdleUs / 2)
    this.#take()?.onResponseEnd(this, toRecord(trailers))
  }

  closed(error: Error): void {
    const wasOpen = this.#isOpen
    this.#discard()
    // Another connection is opened for a request that has not been written on this one.
    if (wasOpen && !this.#isWritten) return
    this.#take()?.onResponseError(this, error)
  }

  #take(): AnswerHandler | undefined {
    const handler = this.#handler
    this.#handler = undefined
    this.#request = undefined
    return handler
  }

  #discard(): void {
    this.#socket?.discard()
    this.#socket = undefined
    this.#isOpen = false
    this.#trustedUntilUs = Number.POSITIVE_INFINITY
  }

  #open(request: OutgoingRequest): void {
    const { ca, insecure, cert, key } = this.#spec
    const address = addressOf(this.#url, this.#headOf(request).host)
    const target = { ...address, ca, insecure, cert, key, session: this.#session, ...wayOf(this.#via) }
    this.connectedUs = Number.NaN
    this.connectStartUs = this.waitUntilDue()
    this.#socket = new Http1Socket(target, this.clock, this.#inbox, this)
  }

  #write(socket: Http1Socket, request: OutgoingRequest, handler: AnswerHandler): void {
    const head = this.#headOf(request)
    handler.onRequestStart(this)
    socket.expectAnswer()
    this.answerBegun = false
    const bytes = wholeRequest(head.text, request.body)
    this.#isWritten = true
    this.wroteUs = this.waitUntilDue()
    socket.write(bytes)
    handler.onRequestSent()
  }

  #headOf({ path, headers }: OutgoingRequest): PreparedHead {
    if (this.#head && this.#headers === headers && this.#path === path) return this.#head
    this.#headers = headers
    this.#path = path
    // A proxy is asked for the whole address. Through a tunnel it sees nothing.
    const proxy = this.#via?.kind === 'proxy' && this.#url.protocol === 'http:' ? this.#via.proxy : undefined
    const asked = proxy ? `${this.#url.origin}${path}` : path
    const own = proxy?.authorization === undefined ? [] : ['proxy-authorization', proxy.authorization]
    this.#head = buildHead('POST', this.#url.host, asked, [...headers, ...own], this.#spec.keepAlive)
    return this.#head
  }
}

/** What a route changes of where a socket leads. */
function wayOf(via: Route['via'] | undefined): Partial<HttpTarget> {
  if (via === undefined) return {}
  switch (via.kind) {
    case 'unix-socket':
      return { path: via.path }
    case 'address':
      return { host: via.address }
    case 'proxy':
      return { proxy: via.proxy }
    default:
      return via satisfies never
  }
}

/** In ASCII a text is written as it is: a buffer for each request would cost more than writing it. */
function wholeRequest(head: string, body: string): string | Buffer {
  const length = Buffer.byteLength(body)
  const start = `${head}content-length: ${length}\r\n\r\n`
  return length === body.length ? start + body : Buffer.concat([Buffer.from(start, 'latin1'), Buffer.from(body)])
}
