/**
 * Results of many workers, as the stream of a run hands them out: in pieces, now and then twice, and after a break in
 * another order. Each whole result comes out once, those of a worker in the order in which it sent them.
 */
import { z } from 'zod'
import type { Result } from '../../errors.ts'
import * as protocol from './protocol.ts'

const pieceSchema = z.strictObject({
  number: z.int().nonnegative(),
  part: z.int().nonnegative(),
  parts: z.int().positive().max(100_000),
  bytes: z.instanceof(Uint8Array),
})

interface Incomplete {
  pieces: (Uint8Array | undefined)[]
  left: number
}

/** Puts the pieces of numbered messages together; a piece that was there is dropped. */
export class Pieces {
  readonly #incomplete = new Map<number, Incomplete>()

  /** The number and the whole message, where this was the last piece of it. */
  add(data: Uint8Array): { number: number; whole: Uint8Array } | undefined {
    const piece = protocol.read(pieceSchema, data, 'a result')
    if (!piece.ok) return undefined
    const { number, part, parts, bytes } = piece.value
    const known = this.#incomplete.get(number) ?? { pieces: Array.from({ length: parts }), left: parts }
    this.#incomplete.set(number, known)
    if (part >= known.pieces.length || known.pieces[part] !== undefined) return undefined
    known.pieces[part] = bytes
    if (--known.left > 0) return undefined
    this.#incomplete.delete(number)
    return { number, whole: Buffer.concat(known.pieces.flatMap((one) => one ?? [])) }
  }
}

export class InOrder {
  readonly #take: (index: number, result: Result<protocol.WorkerResult>) => void
  readonly #workers = new Map<number, { pieces: Pieces; next: number; early: Map<number, Uint8Array> }>()

  constructor(take: (index: number, result: Result<protocol.WorkerResult>) => void) {
    this.#take = take
  }

  take(subject: string, data: Uint8Array): void {
    const index = Number(subject.split('.').at(-1))
    if (!Number.isInteger(index)) return
    const worker = this.#workers.get(index) ?? { pieces: new Pieces(), next: 0, early: new Map() }
    this.#workers.set(index, worker)
    const found = worker.pieces.add(data)
    if (!found || found.number < worker.next) return
    worker.early.set(found.number, found.whole)
    for (;;) {
      const whole = worker.early.get(worker.next)
      if (!whole) return
      worker.early.delete(worker.next++)
      this.#take(index, protocol.read(protocol.resultSchema, whole, 'a result'))
    }
  }
}
