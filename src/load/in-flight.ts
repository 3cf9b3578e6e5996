/**
 * The requests of an engine with their slots, in flight or idle: gives one to each request that is sent, takes it back,
 * and aborts what misses a deadline.
 */
import { type Deadlines, findMissedDeadline } from '../client/deadlines.ts'
import { AbortedByClient } from '../client/failure.ts'
import { Inbox } from '../client/inbox.ts'
import type { RequestResult } from '../client/request-result.ts'
import type { Clock } from '../system/clock.ts'
import type { RunPlan } from './plan.ts'
import { InFlightRequest, SlotPool } from './slot-pool.ts'

export class InFlightRequests {
  readonly #pools: SlotPool[]
  /** By arm, the objects whose slot is free. */
  readonly #idle: InFlightRequest[][]
  /** All of them, in flight or idle. */
  #requests: InFlightRequest[] = []
  readonly #deadlines: Deadlines
  /** By category, where each has its own timeout. */
  readonly #deadlinesOf: readonly Deadlines[]
  readonly #onEnd: (request: InFlightRequest, result: RequestResult) => void

  constructor(plan: RunPlan, clock: Clock, onEnd: (request: InFlightRequest, result: RequestResult) => void) {
    const { arms, workload, allowEmpty = false, connection, deadlines, timeoutUs, categoryTimeoutsUs = [] } = plan
    const inbox = new Inbox(clock)
    this.#pools = arms.map(({ origin, path, headers }) => {
      const head = { path, headers: Object.entries(headers).flat(), allowEmpty, raw: workload.endpoint === 'raw' }
      return new SlotPool(origin, head, clock, inbox, connection)
    })
    this.#idle = arms.map(() => [])
    this.#deadlines = { ...deadlines, totalUs: timeoutUs }
    this.#deadlinesOf = categoryTimeoutsUs.map((totalUs) => ({ ...deadlines, totalUs }))
    this.#onEnd = onEnd
  }

  /** Connections opened so far, by arm. */
  get opened(): number[] {
    return this.#pools.map((pool) => pool.opened)
  }

  /** One whose slot is free. */
  take(arm: number): InFlightRequest {
    return this.#idle[arm]?.pop() ?? this.#create(arm)
  }

  /** The request has ended. */
  free(request: InFlightRequest): void {
    if (!request.slot.dead) this.#idle[request.arm]?.push(request)
    else this.#requests = this.#requests.filter((other) => other !== request)
  }

  /** Aborts what has missed a deadline; where the run has `drained`, all that is in flight. */
  abortLate(nowUs: number, drained: boolean): void {
    for (const { active, slot, category } of this.#requests) {
      if (!active) continue
      const late = findMissedDeadline(slot, nowUs, this.#deadlinesOf[category] ?? this.#deadlines)
      if (late) slot.abort(late)
      else if (drained) slot.abort(new AbortedByClient('KT_ABORTED_AT_DEADLINE', 'the run was over'))
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()))
  }

  #create(arm: number): InFlightRequest {
    const pool = this.#pools[arm]
    if (!pool) throw new Error(`no arm ${arm}`)
    const request = new InFlightRequest(arm, (listener) => pool.createSlot(listener), this.#onEnd)
    this.#requests.push(request)
    return request
  }
}
