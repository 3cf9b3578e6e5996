/**
 * The lanes of one arm: taken when a request leaves, given back when it has ended. HTTP/1.1 opens a connection for each; HTTP/2
 * fills its connections with as many streams as each may carry, one by one, or evenly where their number is given.
 */
import { type ConnectionSpec, ONE_AT_A_TIME, TargetConnection } from '../client/connection.ts'
import type { Inbox } from '../client/inbox.ts'
import type { RequestHead, RequestResult } from '../client/request-result.ts'
import { RequestSlot, type SlotListener } from '../client/request-slot.ts'
import type { Clock } from '../system/clock.ts'
import type { Stamp } from '../wire/stamp.ts'
import { NO_CATEGORY } from '../workload/workload.ts'
import type { ReleasedRequest } from './load-phase.ts'
import type { PhasePlan } from './plan.ts'
import type { ArmRecorder } from './recorder.ts'
import type { AnswerSample } from './samples.ts'

/**
 * A lane with the request that is on it: what the schedule, the workload and the recorder know of it beside what the lane sees.
 * One object a lane, used again for every request, so that the hot path makes none.
 */

export class InFlightRequest implements SlotListener {
  /** It is on its way. */
  active = false
  nonce = ''
  /** The how-many-th request of its arm, over all workers. */
  requestIndex = 0
  block = 0
  /** Its place in the workload's categories; NO_CATEGORY where it has none. */
  category = NO_CATEGORY
  released: ReleasedRequest = { index: 0, dueUs: 0, intendedUs: 0, measured: false, waited: false, woken: false }
  /** Undefined for what is left out: warm-up, cool-down, the first request after a rest. */
  recorder: ArmRecorder | undefined
  /** `rested`: the first on a connection that rested while the other arm ran. */
  part: 'warmup' | 'measured' | 'idleFirst' | 'coolDown' = 'warmup'
  /** In which it was last sent; undefined in the warm-up. */
  phase: PhasePlan | undefined
  /** Where the answer is kept for counting its tokens later, if it is. */
  sample: AnswerSample | undefined
  readonly arm: number
  readonly slot: RequestSlot
  readonly #onEnd: (flight: InFlightRequest, result: RequestResult) => void

  constructor(
    arm: number,
    makeLane: (user: SlotListener) => RequestSlot,
    onEnd: (flight: InFlightRequest, result: RequestResult) => void,
  ) {
    this.arm = arm
    this.#onEnd = onEnd
    this.slot = makeLane(this)
  }

  token(sinceSentUs: number, gapUs: number, stamp: Stamp | undefined): void {
    this.recorder?.token(this.nonce, this.block, sinceSentUs, gapUs, stamp)
  }

  ended(result: RequestResult): void {
    this.#onEnd(this, result)
  }
}

export class SlotPool {
  readonly #origin: string
  readonly #ask: RequestHead
  readonly #clock: Clock
  readonly #spec: ConnectionSpec
  readonly #inbox: Inbox
  readonly #connections: TargetConnection[] = []
  #made = 0

  constructor(origin: string, ask: RequestHead, clock: Clock, inbox: Inbox, spec: ConnectionSpec = ONE_AT_A_TIME) {
    this.#origin = origin
    this.#ask = ask
    this.#clock = clock
    this.#spec = spec
    this.#inbox = inbox
  }

  createSlot(user: SlotListener): RequestSlot {
    const { connections, streams } = this.#spec
    const place = connections === undefined ? Math.floor(this.#made / streams) : this.#made % connections
    this.#made++
    let connection = this.#connections[place]
    if (!connection) {
      connection = new TargetConnection(this.#origin, this.#clock, this.#inbox, this.#spec)
      this.#connections[place] = connection
    }
    return new RequestSlot(connection, this.#ask, this.#clock, user)
  }

  get opened(): number {
    return this.#connections.reduce((sum, { opened }) => sum + opened, 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }
}
