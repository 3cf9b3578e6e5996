/** A request of the gateway's own that asks only whether a connection works. */

import type { Dispatcher } from 'undici'
import type { Connection, UpstreamRequest } from './types.ts'

export class Probe implements Dispatcher.DispatchHandler {
  readonly #done: (outcome: number | Error) => void
  #connection: Connection | undefined
  #status = 0

  /** `done` gets the status of the answer, or why there is none. */
  constructor(done: (outcome: number | Error) => void) {
    this.#done = done
  }

  send(connection: Connection, request: UpstreamRequest): void {
    this.#connection = connection
    connection.dispatch(request, this)
  }

  failed(error: Error): void {
    this.#done(error)
  }

  onRequestStart(): void {}

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#connection?.release(false)
    this.#done(this.#status)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#connection?.failed()
    this.#done(error)
  }
}
