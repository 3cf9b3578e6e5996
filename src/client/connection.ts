/**
 * One connection: an undici Client with one request at a time, so that waiting for a connection is kt's to see and never
 * hidden in a pool. Opening is timed apart (`connect` comes before `sent`). Idle connections are kept as long as the server
 * keeps them: undici's own 4 s would reconnect at low rates.
 */
import { buildConnector, Client, type Dispatcher } from 'undici'
import type { Clock } from '../system/clock.ts'

const KEPT_MS = 10 * 60_000

export class Connection {
  /** How often a connection was opened. */
  opened = 0
  /** When opening the present connection began and ended; NaN while there is none. */
  connectStartUs = Number.NaN
  connectedUs = Number.NaN
  readonly #origin: string
  readonly #clock: Clock
  #client: Client

  constructor(origin: string, clock: Clock) {
    this.#origin = origin
    this.#clock = clock
    this.#client = this.#make()
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  /** Ends the present connection at once; what is in flight on it fails with `reason`. The next dispatch opens another. */
  drop(reason: Error): void {
    const old = this.#client
    this.#client = this.#make()
    old.destroy(reason)
  }

  close(): Promise<void> {
    return this.#client.destroy()
  }

  #make(): Client {
    // kt owns its deadlines: undici's timers are off, since they are half a second coarse.
    const connect = buildConnector({ timeout: 0, allowH2: false })
    return new Client(this.#origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEPT_MS,
      keepAliveMaxTimeout: KEPT_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        this.connectStartUs = this.#clock()
        this.connectedUs = Number.NaN
        connect(options, (...result) => {
          this.connectedUs = this.#clock()
          if (result[0] === null) this.opened++
          callback(...result)
        })
      },
    })
  }
}
