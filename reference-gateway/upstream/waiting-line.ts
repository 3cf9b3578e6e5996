/** The requests that wait for a connection: tenants take turns, and none waits for longer than it may. */
import { UpstreamFailure } from '../http/gateway-error.ts'
import { TurnQueue } from '../http/turn-queue.ts'
import type { ConnectionLease } from './types.ts'

/** Whose request it is; asked for only where the request must wait. */
export interface Asker {
  readonly tenant: string
}

export interface Waiter {
  origin: string
  asker: Asker
  grant: (connection: ConnectionLease) => void
  failed: (error: Error) => void
  sinceMs: number
  limit?: NodeJS.Timeout
}

export class WaitingLine {
  readonly #maxWaitMs: number
  readonly #queue = new TurnQueue<Waiter>()

  constructor(maxWaitMs: number) {
    this.#maxWaitMs = maxWaitMs
  }

  get size(): number {
    return this.#queue.size
  }

  /** Whose turn it is. */
  get first(): Waiter | undefined {
    return this.#queue.peek()
  }

  /** A request has waited half as long as it may. */
  get isStarved(): boolean {
    const nowMs = performance.now()
    return this.#queue.peek(({ sinceMs }) => nowMs - sinceMs > this.#maxWaitMs / 2) !== undefined
  }

  join(waiter: Waiter): void {
    this.#queue.push(waiter.asker.tenant, waiter)
    waiter.limit = setTimeout(() => this.#giveUp(waiter), this.#maxWaitMs)
  }

  leave(waiter: Waiter): void {
    clearTimeout(waiter.limit)
    this.#queue.delete(waiter.asker.tenant, waiter)
  }

  /** Takes out whose turn it is among those that wait for `to`. */
  next(to: string): Waiter | undefined {
    const waiter = this.#queue.shift(({ origin }) => origin === to)
    clearTimeout(waiter?.limit)
    return waiter
  }

  countTo(to: string): number {
    let count = 0
    for (const { origin } of this.#queue) if (origin === to) count++
    return count
  }

  [Symbol.iterator](): Iterator<Waiter> {
    return this.#queue[Symbol.iterator]()
  }

  #giveUp(waiter: Waiter): void {
    this.leave(waiter)
    waiter.failed(new UpstreamFailure('KT_NO_CONNECTION'))
  }
}
