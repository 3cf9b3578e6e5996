/**
 * How many requests may be answered at the same time. Where there are several tenants, each may hold up to a multiple
 * of what is still free: one alone gets most of the slots and never the last ones, and the more tenants there are, the
 * closer all come to equal shares. (It is the dynamic threshold of switches that share a buffer.)
 */

/** A tenant alone gets eight ninths of the slots, each of two gets eight seventeenths. */
const TIMES_FREE = 8

export class Slots {
  readonly #held = new Map<string, number>()
  #taken = 0

  /** Whether a request of `tenant` may be answered beside those that are. `shared`: there are several tenants. */
  admits(tenant: string, most: number, shared: boolean): boolean {
    const free = most - this.#taken
    return free > 0 && (!shared || (this.#held.get(tenant) ?? 0) < TIMES_FREE * free)
  }

  take(tenant: string): void {
    this.#taken++
    this.#held.set(tenant, (this.#held.get(tenant) ?? 0) + 1)
  }

  release(tenant: string): void {
    this.#taken--
    const left = (this.#held.get(tenant) ?? 1) - 1
    if (left > 0) this.#held.set(tenant, left)
    else this.#held.delete(tenant)
  }
}
