/**
 * The coordinator's side of a replay by a fleet. The trace is read here as for sending threads of this machine, into
 * the same ring; each worker asks for the rows that it has no knowledge of, and gets all of them, in their order. With
 * its question it says which rows it is done with, so that the reader goes on, and when those left. A question that is
 * asked again, since the broker was gone, changes nothing that it changed before.
 */
import { RingRows, type TraceRing } from '../../workload/traces/ring.ts'
import type { Link } from './link.ts'
import * as protocol from './protocol.ts'

/** An answer is below the largest message that a broker takes by default, with the ids of the longest prompt on top. */
export const MOST_ROWS = 4_096
const MOST_IDS = 65_536
/** A question waits as long for rows that are not read yet: shorter than its asker waits. */
const HELD_MS = 250
const LOOK_EVERY_MS = 5

interface Held {
  untilMs: number
  /** Answers where there is something to say, or it must be `now`. */
  answer(now: boolean): boolean
}

export class TraceRelay {
  readonly ring: TraceRing
  readonly #rows: RingRows
  readonly #workers: number
  #held: Held[] = []
  #looking: NodeJS.Timeout | undefined

  /** `workers` may ask. */
  constructor({ nc }: Link, run: string, ring: TraceRing, workers: number) {
    this.ring = ring
    this.#rows = new RingRows(ring)
    this.#workers = workers
    nc.subscribe(protocol.SUBJECTS.rows(run), {
      callback: (error, message) => {
        const asked = error ? undefined : protocol.read(protocol.rowsAskedSchema, message.data, 'a question for rows')
        if (!asked?.ok || !this.#take(asked.value)) return
        this.#hold(asked.value, (rows) => message.respond(protocol.write(rows)))
      },
    })
  }

  close(): void {
    clearInterval(this.#looking)
  }

  /** What the worker is done with; false where no worker of this run can have asked that. */
  #take({ index, count, from, told, taken, left }: protocol.RowsAsked): boolean {
    const known = this.#rows.takenBy(index)
    const own = ownRows(told, taken, { index, count })
    const isSound = index < Math.min(count, this.#workers) && taken <= from && from <= this.#rows.written
    const { arms } = this.#rows
    if (!isSound || told > known || left.length !== arms * own.length) return false
    for (const [i, row] of own.entries()) {
      // Known before: others may have its place by now.
      if (row < known) continue
      for (let arm = 0; arm < arms; arm++) this.#rows.left(arm, row, left[arms * i + arm] ?? Number.NaN)
    }
    if (taken > known) this.#rows.take(taken, index)
    return true
  }

  #hold({ from, room }: protocol.RowsAsked, respond: (rows: protocol.Rows) => void): void {
    const answer = (now: boolean): boolean => {
      if (!now && room > 0 && this.#rows.written === from && !this.#rows.over) return false
      respond(copyRows(this.#rows, from, room))
      return true
    }
    if (answer(false)) return
    this.#held.push({ untilMs: performance.now() + HELD_MS, answer })
    this.#looking ??= setInterval(() => this.#look(), LOOK_EVERY_MS)
  }

  #look(): void {
    const nowMs = performance.now()
    this.#held = this.#held.filter(({ untilMs, answer }) => !answer(nowMs >= untilMs))
    if (this.#held.length > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }
}

/** The rows that one of several workers sends, of those from `from` to before `to`. */
export function ownRows(from: number, to: number, { index, count }: { index: number; count: number }): number[] {
  const first = from + ((((index - from) % count) + count) % count)
  return Array.from({ length: Math.max(0, Math.ceil((to - first) / count)) }, (_, i) => first + i * count)
}

function copyRows(rows: RingRows, from: number, room: number): protocol.Rows {
  const [due, sizes, ids]: [number[], number[], number[]] = [[], [], []]
  const end = Math.min(rows.written, from + Math.min(room, MOST_ROWS))
  let row = from
  for (; row < end && !rows.failed && ids.length <= MOST_IDS; row++) {
    const count = rows.idCount(row)
    due.push(rows.dueUs(row))
    sizes.push(rows.inputTokens(row), rows.outputTokens(row), count)
    for (let i = 0; i < count; i++) ids.push(rows.id(row, i))
  }
  return {
    ...{ from, blockTokens: rows.blockTokens, more: row < rows.written },
    ...{ due: Float64Array.from(due), sizes: Uint32Array.from(sizes), ids: Uint32Array.from(ids) },
    end: rows.failed
      ? { kind: 'failed' }
      : rows.over && row === rows.written
        ? { kind: 'over', atUs: rows.endUs }
        : { kind: 'none' },
  }
}
