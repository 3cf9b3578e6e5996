/**
 * Requests on open connections that wait for the next turn of the loop. A server may close a connection right behind an
 * answer, or while it is idle, without a word: until that has been looked for, a request must not be written on it. One
 * turn for all, since a turn for each would cost as much as writing.
 */
export interface Sender {
  /** The loop has looked at all connections. */
  send(): void
}

export class Outbox {
  #waiting: Sender[] = []
  #spare: Sender[] = []

  add(sender: Sender): void {
    if (this.#waiting.length === 0) setImmediate(this.#sendAll)
    this.#waiting.push(sender)
  }

  readonly #sendAll = (): void => {
    const all = this.#waiting
    this.#waiting = this.#spare
    for (const sender of all) sender.send()
    all.length = 0
    this.#spare = all
  }
}
