/**
 * One request to one provider: acquires a connection, hands the request to it, and reports the response to its owner.
 * It is the handler that undici calls back; the HTTP/2 session calls it the same way.
 */
import type { Dispatcher } from 'undici'
import type { RawHeaders } from '../http/headers.ts'
import type { UpstreamFlow } from '../http/hooks.ts'
import { RefusedStream } from './h2-stream.ts'
import type { ConnectionPool } from './pool.ts'
import type { ConnectionLease, UpstreamRequest } from './types.ts'
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
const CLOSED = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])
const ABORTED = new Error('the request was given up')

export class Attempt implements Dispatcher.DispatchHandler, UpstreamFlow {
  readonly #owner: AttemptOwner
  readonly #pool: ConnectionPool
  #leaveQueue: (() => void) | undefined
  #connection: ConnectionLease | undefined
  #controller: Dispatcher.DispatchController | undefined
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
    this.#controller?.pause()
  }

  resume(): void {
    this.#controller?.resume()
  }

  abort(): void {
    if (this.#over) return
    this.#over = true
    this.#leaveQueue?.()
    this.#connection?.abort(this.#controller, ABORTED)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(ABORTED)
    else {
      this.#sentMs = performance.now()
      this.#owner.run(() => this.#owner.onSent())
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Informational responses concern only the upstream and the gateway.
    if (status < 200 || this.#over) return
    this.#headed = true
    this.#unwanted = true
    this.#owner.run(() => {
      this.#unwanted = !this.#owner.onHead(status, rawPairs(controller.rawHeaders))
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    if (!this.#unwanted) {
      this.#owner.run(() => this.#owner.onData(chunk))
      return
    }
    this.#drained += chunk.length
    if (this.#drained > DRAIN_BYTES) this.abort()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over || !this.#headed) return
    this.#over = true
    if (!this.#unwanted) this.#owner.run(() => this.#owner.onEnd(rawPairs(controller.rawTrailers)))
    this.#connection?.release(this.#closes)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
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
    // undici did not send the request, so the connection is intact.
    if ('code' in error && error.code === 'UND_ERR_INVALID_ARG') this.#connection?.release(false)
    else this.#connection?.failed()
    this.#fail(error)
  }

  #wasClosedIdle(error: Error): boolean {
    if (this.#headed || !this.#connection?.isReused || !this.#controller) return false
    if (!('code' in error) || !CLOSED.has(String(error.code))) return false
    return performance.now() - this.#sentMs < CLOSED_IDLE_WITHIN_MS
  }

  #askAgain(onNew: boolean): void {
    this.#connection?.failed()
    this.#connection = undefined
    if (this.#controller) this.#owner.run(() => this.#owner.onUnread())
    this.#controller = undefined
    this.#again?.(onNew)
  }

  #fail(error: Error): void {
    if (this.#over) return
    this.#over = true
    const sent = this.#controller !== undefined
    if (!this.#unwanted) this.#owner.run(() => this.#owner.onFailure(error, sent))
  }
}

function rawPairs(raw: Dispatcher.DispatchController['rawHeaders']): RawHeaders {
  if (Array.isArray(raw)) return raw
  return Object.entries(raw ?? {}).flatMap(([name, value]) => [value ?? ''].flat().flatMap((one) => [name, one]))
}
