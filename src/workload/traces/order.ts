/**
 * Puts rows in the order of their times. Most traces are in it, and one that is not is refused at its row. Access logs
 * and spans are written when a request ends: of them so many rows are held back that a long request finds its place,
 * and no more, so that memory does not grow with the file.
 */
import { formatNumber } from '../../units.ts'
import { type RowSink, traceFault } from './row.ts'

/** Rows held back of a format that is ordered by ends. */
export const HELD_BACK = 65_536

interface Row {
  line: number
  atUs: number
  input: number
  output: number
  ids: readonly number[] | undefined
}

/** Rows that wait for their turn: a binary heap by time, then by line. */
export class RowOrder {
  readonly #path: string
  readonly #sink: RowSink
  #held: number
  readonly #column: string
  readonly #sorts: boolean
  readonly #heap: Row[] = []
  #lastUs = Number.NEGATIVE_INFINITY

  /** `held`: rows held back; 0 where the trace is in order by itself. */
  constructor(path: string, held: number, column: string, sink: RowSink) {
    this.#path = path
    this.#held = held
    this.#sorts = held > 0
    this.#column = column
    this.#sink = sink
  }

  /** No further rows come: none is held back any more. */
  end(): void {
    this.#held = 0
  }

  add(line: number, atUs: number, input: number, output: number, ids?: readonly number[]): void {
    if (!this.#sorts) {
      this.#pass(line, atUs, input, output, ids)
      return
    }
    this.#push({ line, atUs, input, output, ids })
  }

  /** Hands on up to `most` rows of those beyond the ones that are held back; whether there are more. */
  release(most: number): boolean {
    for (let i = 0; i < most && this.#heap.length > this.#held; i++) {
      const row = this.#pop()
      if (row) this.#pass(row.line, row.atUs, row.input, row.output, row.ids)
    }
    return this.#heap.length > this.#held
  }

  #pass(line: number, atUs: number, input: number, output: number, ids: readonly number[] | undefined): void {
    if (atUs < this.#lastUs) {
      const by = Number(((this.#lastUs - atUs) / 1e6).toFixed(3))
      const beyond = this.#sorts ? `, although ${formatNumber(HELD_BACK)} rows are put in order` : ''
      throw traceFault(this.#path, line, `time runs backwards, by ${by} s${beyond}: sort the trace`, this.#column)
    }
    this.#lastUs = atUs
    this.#sink(line, atUs, input, output, ids)
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]]
    if (!left || !right) return false
    return left.atUs < right.atUs || (left.atUs === right.atUs && left.line < right.line)
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]]
    if (!left || !right) return
    this.#heap[a] = right
    this.#heap[b] = left
  }

  #push(row: Row): void {
    this.#heap.push(row)
    for (let at = this.#heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #pop(): Row | undefined {
    const last = this.#heap.pop()
    const first = this.#heap[0]
    if (!first || !last) return last
    this.#heap[0] = last
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const child = this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(child, at)) return first
      this.#swap(at, child)
      at = child
    }
  }
}
