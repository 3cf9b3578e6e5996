/**
 * A worker's side of a replay by a fleet (trace-relay.ts): a ring as the sending thread of one machine reads it, filled
 * with rows that are asked for as far ahead as it has room, one question at a time. A row that comes after its time is
 * sent then, and its wait counts.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf } from '../../errors.ts'
import { createRing, RING_ROWS, RingRows, type TraceRing } from '../../workload/traces/ring.ts'
import * as protocol from './protocol.ts'
import type { Questions } from './questions.ts'
import type { Convert } from './times.ts'
import { MOST_ROWS, ownRows } from './trace-relay.ts'

/** With rows for so long ahead of its sending thread a worker is in no hurry. */
const FAR_AHEAD_US = 5e6
const [PAUSE_MS, HURRY_MS] = [250, 5]
/** All workers together ask about a thousand times a second at most, as long as nothing waits for them. */
const HURRY_MS_A_WORKER = 1
/** Own rows that are told at once. */
const MOST_TOLD = 8_192

export class TraceFollower {
  readonly ring: TraceRing
  readonly #rows: RingRows
  readonly #questions: Questions
  readonly #share: { index: number; count: number }
  #toCommon: Convert = (us) => us
  /** The coordinator knows what became of the rows before this one. */
  #told = 0
  #asking: Promise<unknown> = Promise.resolve()
  readonly #first = Promise.withResolvers<void>()

  /** `lost` hears why no further rows come, where that is not known otherwise. `arms`: those of the run. */
  constructor(questions: Questions, index: number, lost: (why: string) => void, arms?: number) {
    this.ring = createRing(arms)
    this.#rows = new RingRows(this.ring)
    this.#questions = questions
    this.#share = { index, count: index + 1 }
    this.#follow().catch((error) => {
      this.#first.reject(error)
      lost(reasonOf(error))
    })
    this.#first.promise.catch(() => {})
  }

  /** Resolves when the first rows are there, or none will be. */
  get first(): Promise<void> {
    return this.#first.promise
  }

  /** From now on its rows are sent, as those of one of `count` workers. */
  begin(count: number, toCommon: Convert): void {
    this.#share.count = count
    this.#toCommon = toCommon
  }

  /** Resolves when the coordinator knows of all rows that were sent; by now more is known of its clock. */
  async settle(toCommon: Convert): Promise<void> {
    this.#toCommon = toCommon
    while (this.#told < this.#done) await this.#ask(0)
  }

  /** Rows that are here, and that the sending thread is done with. */
  get #done(): number {
    return Math.min(this.#rows.takenBy(this.#share.index), this.#rows.written)
  }

  async #follow(): Promise<void> {
    while (!this.#rows.over) {
      const more = await this.#ask(this.#room)
      if (this.#rows.written > 0 || this.#rows.over) this.#first.resolve()
      if (!more || this.#room < MOST_ROWS) await sleep(this.#pauseMs)
    }
  }

  /** A row keeps its place until it is told when it left. */
  get #room(): number {
    return this.#rows.hasRoomForIds(this.#told) ? RING_ROWS - (this.#rows.written - this.#told) : 0
  }

  get #pauseMs(): number {
    const aheadUs = this.#rows.dueUs(this.#rows.written - 1) - this.#rows.dueUs(this.#done)
    const hurryMs = Math.max(HURRY_MS, HURRY_MS_A_WORKER * this.#share.count)
    return aheadUs > FAR_AHEAD_US ? Math.max(PAUSE_MS, hurryMs) : hurryMs
  }

  /** One question at a time: each says where the one before it ended. */
  #ask(room: number): Promise<boolean> {
    const asking = this.#asking.then(() => this.#askNext(room))
    this.#asking = asking.catch(() => {})
    return asking
  }

  /** Whether there are more rows than it got. */
  async #askNext(room: number): Promise<boolean> {
    const { index, count } = this.#share
    const told = this.#told
    const taken = Math.min(this.#done, told + MOST_TOLD * count)
    const asked: protocol.RowsAsked = {
      ...{ index, count, room, told },
      from: this.#rows.written,
      // A floor is measured with rows that were sent before.
      taken: Math.max(told, taken),
      left: this.#leftOf(ownRows(told, taken, this.#share)),
    }
    const answer = await this.#questions.ask(protocol.SUBJECTS.rows(this.#questions.run), protocol.write(asked))
    const rows = protocol.read(protocol.rowsSchema, answer, 'rows of the trace')
    if (!rows.ok) throw new Error(rows.why)
    this.#told = asked.taken
    this.#write(rows.value)
    return rows.value.more
  }

  #leftOf(own: readonly number[]): Float64Array<ArrayBuffer> {
    const { arms } = this.#rows
    const left = new Float64Array(arms * own.length)
    for (const [i, row] of own.entries()) {
      for (let arm = 0; arm < arms; arm++) left[arms * i + arm] = this.#toCommon(this.#rows.leftAtUs(arm, row))
    }
    return left
  }

  #write({ due, sizes, ids, blockTokens, end }: protocol.Rows): void {
    let id = 0
    for (const [i, dueUs] of due.entries()) {
      const [input = 0, output = 0, count = 0] = sizes.subarray(protocol.SIZES_OF_A_ROW * i)
      this.#rows.write(dueUs, input, output, count > 0 ? ids.subarray(id, id + count) : undefined, blockTokens)
      id += count
    }
    if (end.kind === 'over') this.#rows.end(end.atUs)
    if (end.kind === 'failed') this.#rows.fail()
  }
}
