/**
 * Catches whatever one request's code throws. The server, sockets, timers and promises call the pipeline's code through
 * a guard: an error ends this one response, and neither the process nor another request.
 */
import { errorOfThrown, type GatewayError } from './gateway-error.ts'

/** The client's end of the response. */
export interface GuardedResponse {
  /** The response is complete, or will never be. */
  readonly ended: boolean
  fail(error: GatewayError): void
  /** The last resort, where even `fail` throws. */
  destroy(error: GatewayError): void
}

export class RequestGuard {
  readonly #ending: GuardedResponse
  readonly #report: (error: GatewayError) => void
  /** Whether something was thrown. */
  tripped = false

  constructor(ending: GuardedResponse, report: (error: GatewayError) => void) {
    this.#ending = ending
    this.#report = report
  }

  run(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#trip(error)
    }
  }

  /**
   * Continues with `given`: in the same turn where it is a value, later where it is a promise. Calls `onEnded` instead
   * where the response has ended meanwhile.
   */
  thenSync<T>(given: T | Promise<T>, next: (value: T) => void, onEnded?: (value: T) => void): void {
    if (!(given instanceof Promise)) {
      next(given)
      return
    }
    given.then(
      (value) => this.run(() => (this.#ending.ended ? onEnded?.(value) : next(value))),
      (error: unknown) => this.#trip(error),
    )
  }

  #trip(thrown: unknown): void {
    this.tripped = true
    const error = errorOfThrown(thrown)
    this.#report(error)
    try {
      this.#ending.fail(error)
    } catch {
      this.#ending.destroy(error)
    }
  }
}
