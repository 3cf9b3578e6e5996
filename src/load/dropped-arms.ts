/**
 * Arms that are out of a run before its end: nothing more is sent to them, what they did stays in the record, and the
 * run goes on with the others. An arm that answers errors stays in. One that cannot be connected to is dead when that
 * has gone on for some requests and some time: at a full backlog many are refused at the same moment.
 */
import type { RequestResult } from '../client/request-result.ts'
import type { Clock } from '../system/clock.ts'
import { OUTCOMES, type Outcome } from '../wire/outcome.ts'
import { best } from './add-up.ts'
import type { RunPlan } from './plan.ts'

/** When, on the host's clock, and why. */
export interface Dropped {
  atUs: number
  why: string
}

const IN_A_ROW = 20
const FOR_US = 100_000
const NO_CONNECTION: ReadonlySet<Outcome> = new Set(['KT_CONNECT', 'KT_DNS', 'KT_TIMEOUT_CONNECT'])

type Plan = Pick<RunPlan, 'arms' | 'baseline' | 'outlivesArms'>

export class DroppedArms {
  /** By arm; undefined where it is in the run. */
  readonly of: (Dropped | undefined)[]
  readonly #plan: Plan
  readonly #clock: Clock
  readonly #told: (arm: number, why: string) => void
  /** By arm: requests in a row without a connection, and when the first of them ended. */
  readonly #row: { count: number; sinceUs: number }[]

  /** `told` hears of each arm once. */
  constructor(plan: Plan, clock: Clock, told: (arm: number, why: string) => void) {
    this.#plan = plan
    this.#clock = clock
    this.#told = told
    this.of = plan.arms.map(() => undefined)
    this.#row = plan.arms.map(() => ({ count: 0, sinceUs: 0 }))
  }

  /** Whether all of these arms are out. */
  all(arms: readonly number[]): boolean {
    return arms.every((arm) => this.of[arm] !== undefined)
  }

  /** No arm is left that the run could be about. */
  get noneLeft(): boolean {
    return this.all([...this.of.keys()].filter((arm) => arm !== this.#plan.baseline))
  }

  /** A request has ended. */
  hear(arm: number, { outcome, endUs }: RequestResult): void {
    const row = this.#row[arm]
    if (!row || !this.#plan.outlivesArms) return
    if (!NO_CONNECTION.has(outcome)) {
      row.count = 0
      return
    }
    if (row.count++ === 0) row.sinceUs = endUs
    if (row.count < IN_A_ROW || endUs - row.sinceUs < FOR_US) return
    this.drop(arm, `${row.count} requests in a row found no connection: ${OUTCOMES[outcome].means}`)
  }

  /** Sends nothing more to this arm. */
  drop(arm: number, why: string): void {
    if (this.of[arm]) return
    this.of[arm] = { atUs: this.#clock(), why }
    this.#told(arm, why)
  }
}

/** Of the sender that found it dead before all others. */
export const droppedSum = best<Dropped>((a, b) => a.atUs < b.atUs)
