/**
 * One request to one provider: acquires a connection, hands the request to it, and reports the response to its owner.
 */
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamFlow } from '../http/hooks.ts'
import { RefusedStream } from './h2-stream.ts'
import type { ConnectionPool } from './pool.ts'
import type { ConnectionLease, UpstreamControl, UpstreamHandler, UpstreamRequest } from './types.ts'
import type { Asker } from './waiting-line.ts'

export interface AttemptOwner extends Asker {
  /** Runs every callback of a connection or of the pool, all of the following included: an error ends the request. */
  run(step: () => void): void
  /** The request is being written. */
  onSent(): void
  /** The provider did not read the request: it will be sent again, over another connection. */
  onUnread(): void
  /** The response's head. False: the response is not wanted, and the rest of it is read and thrown away. */
  onHead(status: number, headers: RawHeaders): boolean
  onData(chunk: Buffer): void
  onEnd(trailers: RawHeaders): void
  /** `sent`: the provider may have acted on the request. Not called after `abort`. */
  onFailure(error: Error, sent: boolean): void
}

/** How much of an unwanted response is read to save its connection. */
const DRAIN_BYTES = 64 * 1024
/** How often a request that was refused unread is sent again. */
const RESENDS = 2
/**
 * A connection that was idle, and is lost without a byte this soon after it got its request, was closed before the
 * request came: a provider that reads a request takes longer to fail.
 */
const CLOSED_IDLE_WITHIN_MS = 1_000
const CLOSED = new Set(['KT_CLOSED', 'ECONNRESET', 'EPIPE'])

export class Attempt implements UpstreamHandler, UpstreamFlow {
  readonly #owner: AttemptOwner
  readonly #pool: ConnectionPool
  #leaveQueue: (() => void) | undefined
  #connection: ConnectionLease | undefined
  #control: UpstreamControl | undefined
  #headed = false
  #unwanted = false
  #drained = 0
  #closes = false
  #over = false
  #resent = 0
  #again: ((onNew: boolean) => void) | undefined
  #sentMs = 0
  #askedAgain = false

  constructor(pool: ConnectionPool, owner: AttemptOwner) {
    this.#pool = pool
    this.#owner = owner
  }

  start(origin: string, request: UpstreamRequest): void {
    const grant = (connection: ConnectionLease): void =>
      this.#owner.run(() => {
        this.#connection = connection
        connection.dispatch(request, this)
      })
    const failed = (error: Error): void => this.#fail(error)
    const acquire = (): void => {
      this.#leaveQueue = this.#pool.acquire(origin, this.#owner, grant, failed)
    }
    this.#again = (onNew) => {
      // Other idle connections may have been closed as well.
      if (!onNew || !this.#pool.acquireNew(origin, this.#owner, grant, failed)) acquire()
    }
    acquire()
  }

  /** The response says that its connection closes after it. */
  closes(): void {
    this.#closes = true
  }

  pause(): void {
    this.#control?.pause()
  }

  resume(): void {
    this.#control?.resume()
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#leaveQueue?.()
    this.#connection?.abort(this.#control)
  }

  onRequestStart(control: UpstreamControl): void {
    this.#control = control
    if (this.#over) control.abort()
    else {
      this.#sentMs = performance.now()
      this.#owner.run(() => this.#owner.onSent())
    }
  }

  onResponseStart(status: number, headers: RawHeaders): void {
    if (this.#over) return
    this.#headed = true
    this.#unwanted = true
    this.#owner.run(() => {
      this.#unwanted = !this.#owner.onHead(status, headers)
    })
  }

  onResponseData(chunk: Buffer): void {
    if (this.#over) return
    if (!this.#unwanted) {
      this.#owner.run(() => this.#owner.onData(chunk))
      return
    }
    this.#drained += chunk.length
    if (this.#drained > DRAIN_BYTES) this.abort()
  }

  onResponseEnd(trailers: RawHeaders): void {
    if (this.#over || !this.#headed) return
    this.#over = true
    if (!this.#unwanted) this.#owner.run(() => this.#owner.onEnd(trailers))
    this.#connection?.release(this.#closes)
  }

  onResponseError(error: Error): void {
    if (this.#over) return
    if (error instanceof RefusedStream && this.#resent < RESENDS) {
      this.#resent++
      this.#askAgain(false)
      return
    }
    if (!this.#askedAgain && this.#wasClosedIdle(error)) {
      this.#askedAgain = true
      this.#askAgain(true)
      return
    }
    // Nothing was written, so the connection is intact.
    if ('code' in error && error.code === 'KT_NOT_SENDABLE') this.#connection?.release(false)
    else this.#connection?.failed()
    this.#fail(error)
  }

  #wasClosedIdle(error: Error): boolean {
    if (this.#headed || !this.#connection?.isReused || !this.#control) return false
    if (!('code' in error) || !CLOSED.has(String(error.code))) return false
    return performance.now() - this.#sentMs < CLOSED_IDLE_WITHIN_MS
  }

  #askAgain(onNew: boolean): void {
    this.#connection?.failed()
    this.#connection = undefined
    if (this.#control) this.#owner.run(() => this.#owner.onUnread())
    this.#control = undefined
    this.#again?.(onNew)
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    const sent = this.#control !== undefined
    if (!this.#unwanted) this.#owner.run(() => this.#owner.onFailure(error, sent))
  }
}
