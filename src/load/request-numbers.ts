/**
 * The numbers of an arm's requests, which decide what each of them is: measured ones are the same in all arms, those in
 * no figure are counted apart. With several workers each has every n-th number. Of a trace the number is that of the
 * row, which belongs to its time, also where the row before it was not sent.
 */
import { rowOf } from '../schedule/replay.ts'
import type { WorkerShare } from './pacing.ts'
import type { RunPlan } from './plan.ts'

/** Excluded requests are numbered from here on. */
const EXCLUDED_FROM = 2 ** 40

export class RequestNumbers {
  readonly #worker: WorkerShare
  readonly #ofTrace: boolean
  readonly #only: RunPlan['only']
  /** By arm: the next of each kind. */
  readonly #measured: number[]
  readonly #excluded: number[]

  constructor({ arms, load, only }: RunPlan, worker: WorkerShare) {
    this.#worker = worker
    this.#only = only
    this.#ofTrace = load.mode === 'open' && load.trace !== undefined
    this.#measured = arms.map(() => worker.index)
    this.#excluded = arms.map(() => EXCLUDED_FROM + worker.index)
  }

  /** Of request `released` of a phase; `arms`, which share the phase, only where the request is measured. */
  next(arm: number, released: number, arms?: number): number {
    if (arms === undefined) return this.#take(this.#excluded, arm)
    return this.#ofTrace ? rowOf(released, arms, this.#worker) : this.measured(arm)
  }

  /** Of the next measured request of an arm, where no trace is replayed. */
  measured(arm: number): number {
    const number = this.#take(this.#measured, arm)
    return this.#only?.[number] ?? number
  }

  #take(next: number[], arm: number): number {
    const number = next[arm] ?? 0
    next[arm] = number + this.#worker.count
    return number
  }
}
