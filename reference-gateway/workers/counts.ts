/** Counts that only grow, over all configs that a process has served by, and over processes that are gone. */

export type Counts = { [name: string]: number | Counts }

/** Adds numbers, and objects member by member. Any other value belongs to one process and is left out. */
export function sum(all: readonly object[]): Counts {
  const total: Counts = {}
  for (const one of all) {
    for (const [name, value] of Object.entries(one)) {
      const before = total[name]
      if (typeof value === 'number') total[name] = value + (typeof before === 'number' ? before : 0)
      else if (isCounts(value)) total[name] = sum([isCounts(before) ? before : {}, value])
    }
  }
  return total
}

export function isCounts(value: unknown): value is Counts {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The counts of those that count now, and of those that have ended. */
export class Tally {
  #ended: Counts = {}
  readonly #counting = new Set<() => Counts>()

  /** The returned function ends it; its counts stay. */
  add(read: () => Counts): () => void {
    this.#counting.add(read)
    return () => {
      if (this.#counting.delete(read)) this.#ended = sum([this.#ended, read()])
    }
  }

  total(): Counts {
    return sum([this.#ended, ...[...this.#counting].map((read) => read())])
  }
}
