/**
 * The upstream connections of all providers. There is a limit over all hosts, and one of
 * idle connections to each.
 *   acquire: the connection that became idle last; else (HTTP/2) the one with the fewest streams; else a new one while
 *            fewer than maxTotal are open; else (pipelining) the one with the shortest line; else a queue in which
 *            tenants take turns
 *   release: to the queue, else idle; above maxIdlePerHost the connections that were idle longest are closed
 */

import { type ConnectionOwner, PooledConnection, type RecycleReason, zeroRecycled } from './connection.ts'
import { h1Transports } from './h1-transport.ts'
import { ASSUMED_STREAMS, h2Transports } from './h2-transport.ts'
import type { PoolConfig, TransportFactory, UpstreamConfig } from './types.ts'
import { type Asker, type Waiter, WaitingLine } from './waiting-line.ts'

export interface PoolStats {
  /** idle + busy + connections that are being opened or closed. Never above max_total. */
  open: number
  idle: number
  busy: number
  /** Requests on the connections now. */
  inFlight: number
  waiting: number
  /** Since the start: */
  opened: number
  waited: number
  recycled: Record<RecycleReason, number>
}

export class ConnectionPool implements ConnectionOwner {
  readonly #config: PoolConfig
  readonly #keepAlive: boolean
  readonly #httpVersion: UpstreamConfig['httpVersion']
  readonly #h1: TransportFactory
  readonly #h2: TransportFactory
  /** Origins that do not speak HTTP/2, although it was wanted. */
  readonly #h1Origins = new Set<string>()
  /** By origin: how many streams at the same time the provider allows. */
  readonly #streams = new Map<string, number>()
  /** By origin; the connection that became idle last stands last. */
  readonly #idle = new Map<string, PooledConnection[]>()
  readonly #all = new Set<PooledConnection>()
  /** HTTP/2 connections that were opened for one particular request. */
  readonly #awaited = new Map<PooledConnection, Waiter>()
  readonly #line: WaitingLine
  readonly #recycled = zeroRecycled()
  #opened = 0
  #waited = 0
  #closing = 0
  #ended = false
  /** Called for every connection that is gone. */
  onClosed: ((origin: string, reason: RecycleReason) => void) | undefined
  /** Called when a provider turns out not to speak HTTP/2, which the config asks for. */
  onFallbackToH1: ((origin: string) => void) | undefined

  constructor(config: PoolConfig, upstream: UpstreamConfig) {
    this.#config = config
    this.#line = new WaitingLine(config.maxWaitMs)
    this.#keepAlive = upstream.keepAlive
    this.#httpVersion = upstream.httpVersion
    this.#h1 = h1Transports(config, upstream)
    this.#h2 = h2Transports(config, upstream)
  }

  /**
   * Calls `grant` with a connection to `origin`, now or when one is free, or `failed` where none can be opened. The
   * returned function leaves the queue.
   */
  acquire(origin: string, asker: Asker, grant: Waiter['grant'], failed: Waiter['failed']): () => void {
    const connection = this.#idle.get(origin)?.pop() ?? (this.#isH2(origin) ? this.#leastUsed(origin) : undefined)
    if (connection) {
      connection.inUse++
      grant(connection)
      return () => {}
    }
    if (this.#all.size < this.#config.maxTotal && !this.#isH2(origin)) {
      grant(this.#take(this.#open(origin)))
      return () => {}
    }
    const waiter: Waiter = { origin, asker, grant, failed, sinceMs: performance.now() }
    this.#line.join(waiter)
    if (this.#all.size < this.#config.maxTotal) this.#openForQueue(origin)
    else this.#queueUp(waiter)
    return () => this.#line.leave(waiter)
  }

  /** A request has waited half as long as it may. */
  get isStarved(): boolean {
    return this.#line.isStarved
  }

  /** Like `acquire`, but always with a new connection; false where there is no room for one. */
  acquireNew(origin: string, asker: Asker, grant: Waiter['grant'], failed: Waiter['failed']): boolean {
    if (this.#all.size >= this.#config.maxTotal) return false
    const connection = this.#open(origin)
    if (connection.transport.queues) grant(this.#take(connection))
    else this.#awaited.set(connection, { origin, asker, grant, failed, sinceMs: performance.now() })
    return true
  }

  /** Connections to `origin` that can be used or are being opened. */
  openTo(origin: string): number {
    let count = 0
    for (const one of this.#all) if (one.origin === origin && one.state !== 'closing' && !one.retiring) count++
    return count
  }

  stats(): PoolStats {
    let idle = 0
    let inFlight = 0
    for (const stack of this.#idle.values()) idle += stack.length
    let connecting = 0
    for (const one of this.#all) {
      if (one.state === 'closing') continue
      inFlight += one.inUse
      if (one.inUse === 0 && one.state === 'connecting') connecting++
    }
    return {
      open: this.#all.size,
      idle,
      busy: this.#all.size - idle - this.#closing - connecting,
      inFlight,
      waiting: this.#line.size,
      opened: this.#opened,
      waited: this.#waited,
      recycled: { ...this.#recycled },
    }
  }

  /** Closes every connection; requests in flight fail. */
  async close(): Promise<void> {
    this.#ended = true
    for (const waiter of [...this.#line]) this.#line.leave(waiter)
    await Promise.all([...this.#all].map((connection) => connection.end()))
  }

  // --- Owner

  connected(connection: PooledConnection): void {
    const first = connection.state === 'connecting'
    connection.state = 'open'
    this.#opened++
    if (connection.transport.queues) return
    this.#streams.set(connection.origin, Math.max(1, connection.capacity))
    if (!first) this.#opened--
    const awaited = this.#awaited.get(connection)
    this.#awaited.delete(connection)
    if (awaited) awaited.grant(this.#take(connection))
    this.#serve(connection)
    if (first && connection.inUse === 0) this.#keepIdle(connection)
    else if (this.#line.countTo(connection.origin) > 0) this.#openForQueue(connection.origin)
  }

  released(connection: PooledConnection): void {
    if (!this.#keepAlive) connection.retiring = 'single_use'
    const next = this.#line.first
    if (next && next.origin !== connection.origin && this.#closing < this.#line.size) connection.retiring ??= 'excess'
    if (connection.retiring) {
      if (connection.inUse === 0) connection.close(connection.retiring)
      return
    }
    this.#serve(connection)
    if (connection.inUse === 0) this.#keepIdle(connection)
  }

  closing(connection: PooledConnection, reason: RecycleReason): void {
    this.#recycled[reason]++
    this.#removeIdle(connection)
    connection.state = 'closing'
    this.#closing++
  }

  replaced(reason: RecycleReason): void {
    this.#recycled[reason]++
  }

  closed(connection: PooledConnection, reason: RecycleReason): void {
    this.#all.delete(connection)
    this.#closing--
    if (this.#ended) return
    // What is served leaves the queue meanwhile.
    for (const { origin } of [...this.#line]) {
      if (this.#all.size >= this.#config.maxTotal) break
      if (this.#isH2(origin)) this.#openForQueue(origin)
      else this.#serve(this.#open(origin))
    }
    this.onClosed?.(connection.origin, reason)
  }

  refused(connection: PooledConnection, error: Error): void {
    const awaited = this.#awaited.get(connection)
    this.#awaited.delete(connection)
    awaited?.failed(error)
    const { origin } = connection
    // Another connection, if there is one, serves the requests that wait.
    for (const one of this.#all) if (one !== connection && one.origin === origin && one.state !== 'closing') return
    for (const waiter of [...this.#line].filter((one) => one.origin === origin)) {
      this.#line.leave(waiter)
      waiter.failed(error)
    }
  }

  speaksH1(connection: PooledConnection): void {
    const { origin } = connection
    if (this.#httpVersion === 'h2' && !this.#h1Origins.has(origin)) this.onFallbackToH1?.(origin)
    this.#h1Origins.add(origin)
    const awaited = this.#awaited.get(connection)
    this.#awaited.delete(connection)
    if (awaited) this.#line.join(awaited)
    // They are served in `closed`, when this connection has made room.
  }

  // --- Parts

  #isH2(origin: string): boolean {
    const isWanted = this.#httpVersion === 'h2' || (this.#httpVersion === 'auto' && origin.startsWith('https:'))
    return isWanted && !this.#h1Origins.has(origin)
  }

  #take(connection: PooledConnection): PooledConnection {
    connection.inUse++
    return connection
  }

  #open(origin: string): PooledConnection {
    const maker = this.#isH2(origin) ? this.#h2 : this.#h1
    const { maxLifetimeMs } = this.#config
    const connection = new PooledConnection(origin, maxLifetimeMs, this, (events) => maker(origin, events))
    this.#all.add(connection)
    return connection
  }

  /** Opens as many HTTP/2 connections as the queue needs, counting what the connections being opened will carry. */
  #openForQueue(origin: string): void {
    let opening = 0
    for (const one of this.#all) if (one.origin === origin && one.state === 'connecting') opening++
    const perConnection = this.#keepAlive ? (this.#streams.get(origin) ?? ASSUMED_STREAMS) : 1
    let missing = this.#line.countTo(origin) - (opening - this.#awaited.size) * perConnection
    for (; missing > 0 && this.#all.size < this.#config.maxTotal; missing -= perConnection) this.#open(origin)
  }

  #leastUsed(origin: string): PooledConnection | undefined {
    let found: PooledConnection | undefined
    for (const one of this.#all) {
      if (one.origin !== origin || one.state !== 'open' || !one.hasRoom) continue
      if (!found || one.inUse < found.inUse) found = one
    }
    return found
  }

  /** No connection can be opened: pipelines the request, or lets it wait. */
  #queueUp(waiter: Waiter): void {
    const shared = this.#isH2(waiter.origin) ? undefined : this.#leastUsed(waiter.origin)
    if (shared) {
      this.#line.leave(waiter)
      waiter.grant(this.#take(shared))
      return
    }
    this.#waited++
    // The limit counts all hosts: closing an idle connection to another host makes room.
    if (this.#closing < this.#line.size) this.#longestIdle()?.close('excess')
  }

  /** Hands the connection to requests that wait for its origin, as many as it can carry. */
  #serve(connection: PooledConnection): void {
    while (connection.hasRoom) {
      const waiter = this.#line.next(connection.origin)
      if (!waiter) return
      waiter.grant(this.#take(connection))
    }
  }

  #keepIdle(connection: PooledConnection): void {
    const stack = this.#idle.get(connection.origin) ?? []
    this.#idle.set(connection.origin, stack)
    stack.push(connection)
    if (stack.length > this.#config.maxIdlePerHost) stack[0]?.close('excess')
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
