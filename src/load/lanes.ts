/**
 * The lanes of one arm: taken when a request leaves, given back when it has ended. HTTP/1.1 opens a connection for each; HTTP/2
 * fills its connections with as many streams as each may carry, one by one, or evenly where their number is given.
 */
import { Connection, type ConnectionSpec, ONE_AT_A_TIME } from '../client/connection.ts'
import type { Ask } from '../client/exchange.ts'
import type { Inbox } from '../client/inbox.ts'
import { Lane, type LaneUser } from '../client/lane.ts'
import type { Clock } from '../system/clock.ts'

export class Lanes {
  readonly #origin: string
  readonly #ask: Ask
  readonly #clock: Clock
  readonly #spec: ConnectionSpec
  readonly #inbox: Inbox
  readonly #connections: Connection[] = []
  #made = 0

  constructor(origin: string, ask: Ask, clock: Clock, inbox: Inbox, spec: ConnectionSpec = ONE_AT_A_TIME) {
    this.#origin = origin
    this.#ask = ask
    this.#clock = clock
    this.#spec = spec
    this.#inbox = inbox
  }

  make(user: LaneUser): Lane {
    const { connections, streams } = this.#spec
    const place = connections === undefined ? Math.floor(this.#made / streams) : this.#made % connections
    this.#made++
    let connection = this.#connections[place]
    if (!connection) {
      connection = new Connection(this.#origin, this.#clock, this.#inbox, this.#spec)
      this.#connections[place] = connection
    }
    return new Lane(connection, this.#ask, this.#clock, user)
  }

  get opened(): number {
    return this.#connections.reduce((sum, { opened }) => sum + opened, 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }
}
