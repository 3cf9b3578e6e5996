/**
 * A circuit breaker: after a number of failures in a row, no request is sent to the provider for a while. Then a single
 * request is sent, and its outcome decides. Responses that blame the request or the caller (4xx, 429 too) are no
 * failures.
 */

export interface BreakerConfig {
  failures: number
  openForMs: number
}

export type BreakerState = 'closed' | 'open' | 'half-open'

export class Breaker {
  readonly #config: BreakerConfig
  #failuresInRow = 0
  #openUntilMs = 0
  #trying = false
  /** How often it opened since the start. */
  opened = 0

  constructor(config: BreakerConfig) {
    this.#config = config
  }

  state(nowMs: number): BreakerState {
    if (this.#openUntilMs === 0) return 'closed'
    return nowMs < this.#openUntilMs ? 'open' : 'half-open'
  }

  /** Whether a request may be sent. An admitted request must end in `succeeded`, `failed` or `cancelled`. */
  admits(nowMs: number): boolean {
    const state = this.state(nowMs)
    switch (state) {
      case 'closed':
        return true
      case 'open':
        return false
      case 'half-open':
        if (this.#trying) return false
        this.#trying = true
        return true
      default:
        return state satisfies never
    }
  }

  /** How long until a request may be sent again. */
  waitMs(nowMs: number): number {
    return Math.max(0, this.#openUntilMs - nowMs)
  }

  succeeded(): void {
    this.#failuresInRow = 0
    this.#openUntilMs = 0
    this.#trying = false
  }

  failed(nowMs: number): void {
    this.#failuresInRow++
    const reopens = this.#trying
    this.#trying = false
    if (!reopens && this.#failuresInRow < this.#config.failures) return
    if (!reopens && nowMs < this.#openUntilMs) return
    this.#openUntilMs = nowMs + this.#config.openForMs
    this.opened++
  }

  /** The request ended without showing anything about the provider. */
  cancelled(): void {
    this.#trying = false
  }
}
