/** Sessions that wait for their next turn, the earliest first: a binary heap. */

export class TurnQueue<T extends { readonly atUs: number }> {
  readonly #heap: T[] = []

  get length(): number {
    return this.#heap.length
  }

  first(): T | undefined {
    return this.#heap[0]
  }

  add(item: T): void {
    const heap = this.#heap
    let at = heap.push(item) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || parent.atUs <= item.atUs) break
      heap[at] = parent
      at = above
    }
    heap[at] = item
  }

  /** Takes out all of these; returns how many. */
  drop(isOne: (item: T) => boolean): number {
    const kept = this.#heap.filter((item) => !isOne(item))
    const dropped = this.#heap.length - kept.length
    if (dropped === 0) return 0
    this.#heap.length = 0
    for (const item of kept) this.add(item)
    return dropped
  }

  take(): T | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const less = left !== undefined && right !== undefined && right.atUs < left.atUs ? right : left
      if (less === undefined || less.atUs >= last.atUs) break
      heap[at] = less
      at = 2 * at + (less === left ? 1 : 2)
    }
    heap[at] = last
    return first
  }
}
