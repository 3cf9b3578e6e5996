/** Limits for clients that send or read too slowly to be worth their connection. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** How long a refused body is read on and thrown away, so that its sender gets to read the answer. */
const LINGER_MS = 5_000

/** Reads what is still to come of a refused request's body for a moment, without keeping it. */
export function lingerOver(request: IncomingMessage): void {
  if (request.complete) return
  const linger = setTimeout(() => request.destroy(), LINGER_MS)
  linger.unref()
  request.once('close', () => clearTimeout(linger)).resume()
}

/** Breaks the connection of a client that takes nothing of what waits for it for `limitMs`. Slow progress is progress. */
export class ReaderLimit {
  readonly #response: ServerResponse
  readonly #limitMs: number
  #timer: NodeJS.Timeout | undefined
  #waiting = 0

  constructor(response: ServerResponse, limitMs: number) {
    this.#response = response
    this.#limitMs = limitMs
  }

  start(): void {
    if (this.#timer) return
    this.#waiting = this.#stillWaiting
    this.#timer = setTimeout(() => this.#look(), this.#limitMs)
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  get #stillWaiting(): number {
    return this.#response.socket?.writableLength ?? 0
  }

  #look(): void {
    this.#timer = undefined
    if (this.#stillWaiting < this.#waiting) this.start()
    else this.#response.destroy()
  }
}
