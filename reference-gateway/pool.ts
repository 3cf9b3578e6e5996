/**
 * The upstream connections of all providers: one undici Client a connection, one request a connection at a time. undici's
 * own Pool knows neither a limit over all hosts nor a maximum of idle connections.
 *
 *   acquire: the connection that became idle last, else a new one while fewer than maxTotal are open, else the end of a
 *            queue (first come, first served)
 *   release: to the head of the queue, else idle; the longest idle ones above maxIdlePerHost are closed
 */
import type { Client } from 'undici'
import type { PoolConfig, UpstreamConfig } from './config.ts'
import { type Connection, PooledConnection, type RecycleReason } from './connection.ts'
import { clientFactory } from './upstream-client.ts'

export interface PoolStats {
  /** idle + busy + those that are being closed. Never above max_total. */
  open: number
  idle: number
  busy: number
  waiting: number
  /** Since the start: */
  opened: number
  waited: number
  recycled: Record<RecycleReason, number>
}

type Grant = (connection: Connection) => void

interface Waiter {
  origin: string
  grant: Grant
}

export class ConnectionPool {
  readonly #config: PoolConfig
  readonly #keepAlive: boolean
  readonly #newClient: (origin: string) => Client
  /** By origin; the connection that became idle last stands last. */
  readonly #idle = new Map<string, PooledConnection[]>()
  readonly #all = new Set<PooledConnection>()
  readonly #waiters = new Set<Waiter>()
  readonly #recycled: Record<RecycleReason, number> = {
    lifetime: 0,
    idle: 0,
    excess: 0,
    upstream: 0,
    error: 0,
    aborted: 0,
    single_use: 0,
  }
  #opened = 0
  #waited = 0
  #closing = 0

  constructor(config: PoolConfig, upstream: UpstreamConfig) {
    this.#config = config
    this.#keepAlive = upstream.keepAlive
    this.#newClient = clientFactory(config, upstream)
  }

  /** Calls `grant` with a connection to `origin`: now, or when one is free. The returned function leaves the queue. */
  acquire(origin: string, grant: Grant): () => void {
    const idle = this.#idle.get(origin)?.pop()
    if (idle) {
      idle.state = 'busy'
      grant(idle)
      return () => {}
    }
    if (this.#all.size < this.#config.maxTotal) {
      grant(this.#open(origin))
      return () => {}
    }
    const waiter = { origin, grant }
    this.#waiters.add(waiter)
    this.#waited++
    // The limit counts all hosts: an idle connection to another one makes room.
    if (this.#closing < this.#waiters.size) this.#longestIdle()?.close('excess')
    return () => this.#waiters.delete(waiter)
  }

  stats(): PoolStats {
    let idle = 0
    for (const stack of this.#idle.values()) idle += stack.length
    return {
      open: this.#all.size,
      idle,
      busy: this.#all.size - idle - this.#closing,
      waiting: this.#waiters.size,
      opened: this.#opened,
      waited: this.#waited,
      recycled: { ...this.#recycled },
    }
  }

  /** Closes every connection; what is still in flight fails. */
  async close(): Promise<void> {
    this.#waiters.clear()
    await Promise.all([...this.#all].map((connection) => connection.end()))
  }

  #open(origin: string): PooledConnection {
    const connection = new PooledConnection(origin, this.#newClient(origin), this.#config.maxLifetimeMs, {
      connected: () => this.#opened++,
      released: (which, closes) => this.#takeBack(which, closes),
      closing: (which, reason) => {
        this.#recycled[reason]++
        if (which.state === 'idle') this.#removeIdle(which)
        which.state = 'closing'
        this.#closing++
      },
      replaced: (reason) => this.#recycled[reason]++,
      closed: (which) => {
        this.#all.delete(which)
        this.#closing--
        this.#serveQueue()
      },
    })
    this.#all.add(connection)
    return connection
  }

  #takeBack(connection: PooledConnection, closes: boolean): void {
    const [next] = this.#waiters
    const unusable = this.#whyNotAgain(connection, closes, next)
    if (unusable) connection.close(unusable)
    else if (next) {
      this.#waiters.delete(next)
      next.grant(connection)
    } else this.#keepIdle(connection)
  }

  #whyNotAgain(connection: PooledConnection, closes: boolean, next: Waiter | undefined): RecycleReason | undefined {
    if (!this.#keepAlive) return 'single_use'
    if (closes) return 'upstream'
    if (connection.expired) return 'lifetime'
    return next && next.origin !== connection.origin ? 'excess' : undefined
  }

  #keepIdle(connection: PooledConnection): void {
    connection.state = 'idle'
    const stack = this.#idle.get(connection.origin) ?? []
    this.#idle.set(connection.origin, stack)
    stack.push(connection)
    if (stack.length > this.#config.maxIdlePerHost) stack[0]?.close('excess')
  }

  #serveQueue(): void {
    for (const waiter of this.#waiters) {
      if (this.#all.size >= this.#config.maxTotal) return
      this.#waiters.delete(waiter)
      waiter.grant(this.#open(waiter.origin))
    }
  }

  #removeIdle(connection: PooledConnection): void {
    const stack = this.#idle.get(connection.origin)
    const index = stack?.indexOf(connection) ?? -1
    if (index >= 0) stack?.splice(index, 1)
  }

  #longestIdle(): PooledConnection | undefined {
    for (const stack of this.#idle.values()) if (stack[0]) return stack[0]
    return undefined
  }
}
