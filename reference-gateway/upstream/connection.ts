/**
 * One upstream connection of the pool: its transport, how many requests are on it, and why and when it ends. HTTP/1.1
 * carries one request at a time (more with pipelining), HTTP/2 as many as the provider allows. A connection lives at
 * most maxLifetimeMs; its transport limits how long it may be idle.
 */
import type {
  ConnectionLease,
  Transport,
  TransportEvents,
  UpstreamControl,
  UpstreamHandler,
  UpstreamRequest,
} from './types.ts'

/**
 * Why a connection was closed. `upstream`: by the other side; `error`: its request failed; `aborted`: its client left.
 */
export type RecycleReason = 'lifetime' | 'idle' | 'excess' | 'upstream' | 'error' | 'aborted' | 'single_use'

export function zeroRecycled(): Record<RecycleReason, number> {
  return { lifetime: 0, idle: 0, excess: 0, upstream: 0, error: 0, aborted: 0, single_use: 0 }
}

/** What the pool must know about its connections. */
export interface ConnectionOwner {
  connected(connection: PooledConnection): void
  released(connection: PooledConnection): void
  closing(connection: PooledConnection, reason: RecycleReason): void
  /** The socket was lost before its request was written, and another one is opened in its place. */
  replaced(reason: RecycleReason): void
  closed(connection: PooledConnection, reason: RecycleReason): void
  /** The connection could not be opened. */
  refused(connection: PooledConnection, error: Error): void
  speaksH1(connection: PooledConnection): void
}

export class PooledConnection implements ConnectionLease, TransportEvents {
  readonly origin: string
  readonly transport: Transport
  state: 'connecting' | 'open' | 'closing' = 'connecting'
  capacity = 1
  /** Requests on it now. */
  inUse = 0
  /** Set by the first response that was complete. */
  isReused = false
  /** Set when the connection takes no more requests; it is closed after the last one. */
  retiring: RecycleReason | undefined
  readonly #owner: ConnectionOwner
  readonly #maxLifetimeMs: number
  #lifetime: NodeJS.Timeout | undefined

  constructor(
    origin: string,
    maxLifetimeMs: number,
    owner: ConnectionOwner,
    transportOf: (events: TransportEvents) => Transport,
  ) {
    this.origin = origin
    this.#maxLifetimeMs = maxLifetimeMs
    this.#owner = owner
    this.transport = transportOf(this)
  }

  get hasRoom(): boolean {
    return this.inUse < this.capacity && this.retiring === undefined && this.state !== 'closing'
  }

  dispatch(request: UpstreamRequest, handler: UpstreamHandler): void {
    this.transport.dispatch(request, handler)
  }

  release(closes: boolean): void {
    if (this.state === 'closing') return
    this.inUse--
    this.isReused = true
    if (closes) this.retiring ??= 'upstream'
    this.#owner.released(this)
  }

  failed(): void {
    if (this.transport.abortsAlone) this.release(false)
    else this.#discard('error')
  }

  abort(control: UpstreamControl | undefined): void {
    control?.abort()
    if (this.transport.abortsAlone) this.release(false)
    // Before the request is written there is no control: only closing the connection takes the request back.
    else this.#discard('aborted')
  }

  /** Takes no more requests, and is closed after the last one. */
  retire(reason: RecycleReason): void {
    this.retiring ??= reason
    if (this.inUse === 0) this.close(this.retiring)
  }

  close(reason: RecycleReason): void {
    if (this.state !== 'closing') this.#close(reason, this.transport.close())
  }

  async end(): Promise<void> {
    clearTimeout(this.#lifetime)
    await this.transport.destroy()
  }

  #discard(reason: RecycleReason): void {
    if (this.state !== 'closing') this.#close(reason, this.transport.destroy())
  }

  #close(reason: RecycleReason, ended: Promise<void>): void {
    clearTimeout(this.#lifetime)
    this.#owner.closing(this, reason)
    const closed = (): void => this.#owner.closed(this, reason)
    ended.then(closed, closed)
  }

  // --- TransportEvents

  connected(capacity: number): void {
    this.capacity = capacity
    if (this.state === 'closing') return
    clearTimeout(this.#lifetime)
    this.#lifetime = setTimeout(() => this.retire('lifetime'), this.#maxLifetimeMs)
    this.#lifetime.unref()
    this.#owner.connected(this)
  }

  leaving(): void {
    this.retire('upstream')
  }

  /**
   * The socket is gone, and an idle connection ends with it. With HTTP/1.1, the transport connects again for a request
   * that was not yet written; a request that was written fails with the socket's error.
   */
  closed(reason: 'idle' | 'upstream' | 'error', error: Error): void {
    clearTimeout(this.#lifetime)
    if (this.state === 'closing') return
    if (this.state === 'connecting' && !this.transport.queues) {
      this.#owner.refused(this, error)
      this.#discard('error')
    } else if (this.inUse === 0 || !this.transport.queues) this.#discard(reason)
    else if (this.transport.unsent > 0) this.#owner.replaced(reason)
  }

  speaksH1(): void {
    this.#owner.speaksH1(this)
    this.#discard('excess')
  }
}
