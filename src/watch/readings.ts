/**
 * Readings of a whole run in bounded memory: when there are too many, every second one is dropped, and from then on
 * they are kept twice as far apart. So a soak of a day has its first hour too.
 */
import { MOST_READINGS } from '../report/watch-schema.ts'

export class Readings<T> {
  kept: { second: number; value: T }[] = []
  everyS: number
  readonly #most: number

  constructor(everyS = 1, most = MOST_READINGS) {
    this.everyS = everyS
    this.#most = most
  }

  /** Whether the reading that ends this second is one that is kept. */
  wants(second: number): boolean {
    return (second + 1) % this.everyS === 0
  }

  add(second: number, value: T): void {
    if (!this.wants(second)) return
    this.kept.push({ second, value })
    this.#thin()
  }

  /** The last one, which need not end a whole interval. */
  addLast(second: number, value: T): void {
    if ((this.kept.at(-1)?.second ?? -1) >= second) return
    if (this.kept.length === this.#most) this.kept.pop()
    this.kept.push({ second, value })
  }

  #thin(): void {
    if (this.kept.length < this.#most) return
    this.everyS *= 2
    this.kept = this.kept.filter(({ second }) => this.wants(second))
  }
}
