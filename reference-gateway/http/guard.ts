/**
 * Where everything that works for one request fails. Whoever calls the pipeline's code (the server, a socket, a timer, a
 * promise) calls it through here: what it throws ends this one answer, and neither the process nor another request.
 */
import { errorOfThrown, type GatewayError } from './gateway-error.ts'

/** The client's end of the answer. */
export interface GuardedResponse {
  /** The answer is complete, or will never be. */
  readonly ended: boolean
  fail(error: GatewayError): void
  /** For when even `fail` throws. */
  destroy(error: GatewayError): void
}

export class RequestGuard {
  readonly #ending: GuardedResponse
  readonly #report: (error: GatewayError) => void
  /** Something was thrown. */
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

  /** Goes on with `given`, at once or when it is there; with `onEnded` where the answer has ended meanwhile. */
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
