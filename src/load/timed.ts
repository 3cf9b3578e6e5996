/** When the latest requests of an arm left and ended, for joining with the provider's own record after the run: bounded. */

const MOST = 20_000
const COLUMNS = 3

export class Timed {
  readonly #rows = new Float64Array(MOST * COLUMNS)
  #count = 0

  add(index: number, sentUs: number, endUs: number): void {
    const at = (this.#count++ % MOST) * COLUMNS
    this.#rows[at] = index
    this.#rows[at + 1] = sentUs
    this.#rows[at + 2] = endUs
  }

  /** Index, sent, end of each. */
  rows(): Float64Array {
    return this.#rows.slice(0, Math.min(this.#count, MOST) * COLUMNS)
  }
}
