/**
 * A warm-up of which every request failed. A run would only send more that fail, which costs money and may get a key
 * banned: the failures become its result, and it ends there. A few failures may pass, unless the validating request
 * failed too.
 */
import type { RequestResult } from '../client/request-result.ts'

const FEWEST = 5
/** As many failures without a success end a warm-up that only time would end. */
const MOST = 1_000

export class FailedWarmup {
  readonly #fewest: number
  /** Undefined since one succeeded. */
  #failures: RequestResult[] | undefined = []

  /** `doubtful`: the validating request failed. */
  constructor(doubtful = false) {
    this.#fewest = doubtful ? 1 : FEWEST
  }

  ended(result: RequestResult): void {
    if (result.outcome === 'OK') this.#failures = undefined
    else if (this.#failures && this.#failures.length < MOST) this.#failures.push(result)
  }

  get hopeless(): boolean {
    return this.#failures?.length === MOST
  }

  /** The failures where there is nothing else; once. */
  take(): readonly RequestResult[] {
    const failures = this.#failures ?? []
    this.#failures = undefined
    return failures.length >= this.#fewest ? failures : []
  }
}
