/**
 * Single flight: of all requests that want the same answer at the same time, one asks the provider and the others wait for
 * what it gets. When its client leaves, the next one asks; when its answer cannot be shared (an error, too large), every
 * one of them asks for itself.
 */
import type { Entry } from './entry.ts'

export type Landing = { kind: 'entry'; entry: Entry } | { kind: 'lead' } | { kind: 'alone' }

type Landed = Exclude<Landing, { kind: 'lead' }>

export class Flight {
  #landed: Landed | undefined
  readonly #waiting = new Set<(landing: Landing) => void>()

  /** Resolves when there is something to do; `alone` at once when `signal` says that the client left. */
  async wait(signal: AbortSignal): Promise<Landing> {
    if (this.#landed) return this.#landed
    return new Promise((resolve) => {
      const leave = (): void => settle({ kind: 'alone' })
      const settle = (landing: Landing): void => {
        this.#waiting.delete(settle)
        signal.removeEventListener('abort', leave)
        resolve(landing)
      }
      this.#waiting.add(settle)
      signal.addEventListener('abort', leave)
      if (signal.aborted) leave()
    })
  }

  land(landing: Landed): void {
    this.#landed = landing
    for (const settle of [...this.#waiting]) settle(landing)
  }

  /** Hands the lead to the one that waited longest. False: nobody waits. */
  handOver(): boolean {
    const [next] = this.#waiting
    next?.({ kind: 'lead' })
    return next !== undefined
  }
}
