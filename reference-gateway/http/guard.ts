/**
 * Where everything that works for one request fails. Whoever calls the pipeline's code (the server, a socket, a timer, a
 * promise) calls it through here: what it throws ends this one answer, and neither the process nor another request.
 */
import { fault, type GatewayError } from './openai-error.ts'

/** The client's end of the answer. */
export interface Ending {
  /** The answer is complete, or will never be. */
  readonly ended: boolean
  fail(error: GatewayError): void
  /** For when even `fail` throws. */
  cutOff(error: GatewayError): void
}

export class Guard {
  readonly #ending: Ending
  readonly #report: (error: GatewayError) => void
  /** Something was thrown. */
  tripped = false

  constructor(ending: Ending, report: (error: GatewayError) => void) {
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

  /** Goes on with `given`, at once or when it is there; with `tooLate` where the answer has ended meanwhile. */
  whenThere<T>(given: T | Promise<T>, next: (value: T) => void, tooLate?: (value: T) => void): void {
    if (!(given instanceof Promise)) {
      next(given)
      return
    }
    given.then(
      (value) => this.run(() => (this.#ending.ended ? tooLate?.(value) : next(value))),
      (error: unknown) => this.#trip(error),
    )
  }

  #trip(thrown: unknown): void {
    this.tripped = true
    const error = fault(thrown)
    this.#report(error)
    try {
      this.#ending.fail(error)
    } catch {
      this.#ending.cutOff(error)
    }
  }
}
