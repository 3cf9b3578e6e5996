/**
 * Adding up what several senders recorded, one of them after another in any order: how a record is added up is said
 * once, field by field, beside the type of the record. What depends on an order has that of the senders' numbers,
 * whoever came first. Pure.
 */
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'

export interface Sum<T> {
  /** The part of sender `from`; each sender adds one. */
  add(part: T, from: number): void
  /** Of all that was added, one part at least. */
  total(): T
}

/** Begins a sum. */
export type SumOf<T> = () => Sum<T>

/** All at once, in this order. */
export function addAll<T>(of: SumOf<T>, parts: readonly T[]): T {
  const sum = of()
  for (const [from, part] of parts.entries()) sum.add(part, from)
  return sum.total()
}

/** Of whole numbers, whose sum is the same in any order. */
export const total: SumOf<number> = () => new Folded(0, (sum, part) => sum + part)
export const largest: SumOf<number> = () => new Folded(Number.NEGATIVE_INFINITY, Math.max)
export const smallest: SumOf<number> = () => new Folded(Number.POSITIVE_INFINITY, Math.min)

class Folded implements Sum<number> {
  #value: number
  readonly #fold: (value: number, part: number) => number

  constructor(value: number, fold: (value: number, part: number) => number) {
    this.#value = value
    this.#fold = fold
  }

  add(part: number): void {
    this.#value = this.#fold(this.#value, part)
  }

  total(): number {
    return this.#value
  }
}

/** Of fractions, whose last digits depend on the order. */
export const totalInOrder: SumOf<number> = () => {
  const parts: number[] = []
  return {
    add: (part, from) => {
      parts[from] = part
    },
    total: () => parts.reduce((sum, part) => sum + part, 0),
  }
}

/** The best of them; of those that are as good, that of the first sender. */
export function best<T>(isBetter: (a: T, b: T) => boolean): SumOf<T> {
  return () => {
    let found: { part: T; from: number } | undefined
    return {
      add(part, from) {
        const isFound = !found || isBetter(part, found.part) || (from < found.from && !isBetter(found.part, part))
        if (isFound) found = { part, from }
      },
      total: () => known(found).part,
    }
  }
}

/** That of the first sender; of the first that is `preferred`, where one is. */
export function first<T>(preferred: (part: T) => boolean = () => true): SumOf<T> {
  return best((a, b) => preferred(a) && !preferred(b))
}

/** The items of all. */
export function joined<T>(): SumOf<T[]> {
  return () => {
    const parts: T[][] = []
    return {
      add: (part, from) => {
        if (part.length > 0) parts[from] = part
      },
      // A sender without items leaves a hole.
      total: () => parts.flat(),
    }
  }
}

/**
 * So many parts wait for each other: the sums of a record are 20 MB, which each part alone would fetch from memory
 * anew.
 */
const PARTS_AT_ONCE = 16

export const histogram: SumOf<PackedHistogram> = () => {
  let sum: Histogram | undefined
  let waiting: PackedHistogram[] = []
  const addWaiting = (): void => {
    for (const part of waiting) {
      if (sum) sum.addPacked(part)
      else sum = Histogram.unpack(part)
    }
    waiting = []
  }
  return {
    add: (part) => {
      if (waiting.push(part) >= PARTS_AT_ONCE) addWaiting()
    },
    total: () => {
      addWaiting()
      return known(sum).pack()
    },
  }
}

/** Of values that some senders lack; `empty` where all do. */
function unless<T, E extends null | undefined>(empty: E, of: SumOf<T>): SumOf<T | E> {
  return () => {
    let sum: Sum<T> | undefined
    return {
      add: (part, from) => {
        if (part === empty) return
        sum ??= of()
        sum.add(part as T, from)
      },
      total: () => (sum ? sum.total() : empty),
    }
  }
}

export function optional<T>(of: SumOf<T>): SumOf<T | undefined> {
  return unless(undefined, of)
}

export function nullable<T>(of: SumOf<T>): SumOf<T | null> {
  return unless(null, of)
}

/** Each field by its own sum: the compiler names one that is missing. */
export function fields<T extends object>(of: { [K in keyof Required<T>]: SumOf<T[K]> }): SumOf<T> {
  const names = Object.keys(of) as (keyof T)[]
  return () => {
    const sums = names.map((name) => [name, of[name]()] as const)
    return {
      add: (part, from) => {
        for (const [name, sum] of sums) sum.add(part[name], from)
      },
      total: () => Object.fromEntries(sums.map(([name, sum]) => [name, sum.total()])) as T,
    }
  }
}

/** Parts by a key, in the order in which the first sender with that key has it. */
class Groups<K, T> {
  readonly #of: SumOf<T>
  readonly #groups = new Map<K, { key: K; sum: Sum<T>; from: number; place: number }>()

  constructor(of: SumOf<T>) {
    this.#of = of
  }

  add(key: K, part: T, from: number, place: number): void {
    let group = this.#groups.get(key)
    if (!group) {
      group = { key, sum: this.#of(), from, place }
      this.#groups.set(key, group)
    } else if (from < group.from) Object.assign(group, { from, place })
    group.sum.add(part, from)
  }

  totals(): { key: K; total: T }[] {
    const inOrder = [...this.#groups.values()].sort((a, b) => a.from - b.from || a.place - b.place)
    return inOrder.map(({ key, sum }) => ({ key, total: sum.total() }))
  }
}

/** By key, of those that senders have. */
export function each<K extends string, T>(of: SumOf<T>): SumOf<Partial<Record<K, T>>> {
  return () => {
    const groups = new Groups<string, T>(of)
    return {
      add: (part, from) => {
        let place = 0
        for (const [key, value] of Object.entries<T | undefined>(part)) {
          if (value !== undefined) groups.add(key, value, from, place++)
        }
      },
      total: () => Object.fromEntries(groups.totals().map(({ key, total }) => [key, total])) as Partial<Record<K, T>>,
    }
  }
}

/** Items with the same key together; a sender may have several of them only where `of` does without their order. */
export function grouped<T, K>(keyOf: (item: T) => K, of: SumOf<T>): SumOf<T[]> {
  return () => {
    const groups = new Groups<K, T>(of)
    return {
      add: (part, from) => {
        for (const [place, item] of part.entries()) groups.add(keyOf(item), item, from, place)
      },
      total: () => groups.totals().map(({ total }) => total),
    }
  }
}

/** Items with the same number together, in rising order of the number. */
export function byNumber<T>(numberOf: (item: T) => number, of: SumOf<T>): SumOf<T[]> {
  const all = grouped(numberOf, of)
  return () => {
    const sum = all()
    return { add: sum.add, total: () => sum.total().sort((a, b) => numberOf(a) - numberOf(b)) }
  }
}

/** Lists that mean the same at the same place. */
export function places<T>(of: SumOf<T>): SumOf<T[]> {
  return () => {
    const sums: Sum<T>[] = []
    return {
      add: (part, from) => {
        for (const [place, item] of part.entries()) {
          sums[place] ??= of()
          sums[place].add(item, from)
        }
      },
      total: () => sums.map((sum) => sum.total()),
    }
  }
}

function known<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing was added up')
  return value
}

const numbers = each<string, number>(total)

/** Numbers by key. */
export function counts<K extends string>(): SumOf<Partial<Record<K, number>>> {
  return numbers as SumOf<Partial<Record<K, number>>>
}

export function addCounts<K extends string>(parts: readonly Partial<Record<K, number>>[]): Record<K, number> {
  return addAll(counts<K>(), parts) as Record<K, number>
}
