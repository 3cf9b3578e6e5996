/**
 * A queue that tenants share. They take turns: one that has a thousand waiting holds nobody up who has one. Within a
 * tenant the first to come is the first to be served.
 */
export class TurnQueue<T> {
  /** By tenant, in the order of their turns. */
  readonly #lines = new Map<string, Set<T>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  push(tenant: string, item: T): void {
    const line = this.#lines.get(tenant) ?? new Set()
    line.add(item)
    this.#lines.set(tenant, line)
    this.#size++
  }

  /** It waits no longer; the turns stay as they are. */
  delete(tenant: string, item: T): void {
    const line = this.#lines.get(tenant)
    if (!line?.delete(item)) return
    this.#size--
    if (line.size === 0) this.#lines.delete(tenant)
  }

  /** Who is next of those that fit. */
  peek(fits: (item: T) => boolean = () => true): T | undefined {
    return this.#find(fits)?.item
  }

  /** Takes who is next of those that fit; its tenant is last from now on. */
  shift(fits: (item: T) => boolean = () => true): T | undefined {
    const found = this.#find(fits)
    if (!found) return undefined
    const { tenant, line, item } = found
    this.delete(tenant, item)
    if (this.#lines.delete(tenant)) this.#lines.set(tenant, line)
    return item
  }

  /** Everything that waits; a tenant's items in their order. */
  *[Symbol.iterator](): Generator<T> {
    for (const line of this.#lines.values()) yield* line
  }

  #find(fits: (item: T) => boolean): { tenant: string; line: Set<T>; item: T } | undefined {
    for (const [tenant, line] of this.#lines) {
      for (const item of line) if (fits(item)) return { tenant, line, item }
    }
    return undefined
  }
}
