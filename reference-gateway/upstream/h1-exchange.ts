/**
 * One request on a connection of HTTP/1.1. After `pause` its handler hears nothing until `resume`: what has been read
 * by then, at most a piece of the socket's, waits here in its order.
 */
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamControl, UpstreamHandler, UpstreamRequest } from './types.ts'

/** What an exchange needs of its connection. */
interface H1Line {
  /** An exchange reads again, or does not. */
  flow(): void
  /** Ends the connection, since the rest of an answer is not wanted. */
  break(): void
}

/** A part of the body, the trailers at its end, or why there is no end. */
type Waiting = Buffer | RawHeaders | Error

export class H1Exchange implements UpstreamControl {
  readonly request: UpstreamRequest
  /** As it is written: whole lines. */
  readonly head: string
  readonly #handler: UpstreamHandler
  readonly #line: H1Line
  paused = false
  /** Its handler hears nothing more. */
  over = false
  readonly #waiting: Waiting[] = []
  #isTelling = false

  constructor(request: UpstreamRequest, head: string, handler: UpstreamHandler, line: H1Line) {
    this.request = request
    this.head = head
    this.#handler = handler
    this.#line = line
  }

  /** The request is written next. */
  start(): void {
    this.#handler.onRequestStart(this)
  }

  answered(status: number, headers: RawHeaders): void {
    if (!this.over) this.#handler.onResponseStart(status, headers)
  }

  data(part: Buffer): void {
    if (this.over) return
    if (this.paused || this.#waiting.length > 0) this.#waiting.push(part)
    else this.#handler.onResponseData(part)
  }

  end(trailers: RawHeaders): void {
    this.#last(trailers)
  }

  fail(error: Error): void {
    this.#last(error)
  }

  pause(): void {
    this.paused = true
    this.#line.flow()
  }

  resume(): void {
    this.paused = false
    if (this.#isTelling) return
    this.#isTelling = true
    while (!this.paused && !this.over) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#tell(next)
    }
    this.#isTelling = false
    this.#line.flow()
  }

  abort(): void {
    if (this.over) return
    this.over = true
    this.#waiting.length = 0
    this.#line.break()
  }

  #last(what: RawHeaders | Error): void {
    if (this.over) return
    if (this.paused || this.#waiting.length > 0) this.#waiting.push(what)
    else this.#tell(what)
  }

  #tell(what: Waiting): void {
    if (Buffer.isBuffer(what)) {
      this.#handler.onResponseData(what)
      return
    }
    this.over = true
    if (what instanceof Error) this.#handler.onResponseError(what)
    else this.#handler.onResponseEnd(what)
  }
}
