/**
 * The request slots of one arm, and the request that is in flight on each. HTTP/1.1 opens a connection for each slot.
 * HTTP/2 puts several slots on a connection: it fills one connection after another, or spreads the slots evenly where
 * the number of connections is given.
 */
import { type ConnectionSpec, ONE_AT_A_TIME, type TargetConnection } from '../client/connection.ts'
import { Http1Connection } from '../client/http1/http1-connection.ts'
import { Http2Connection } from '../client/http2-connection.ts'
import type { Inbox } from '../client/inbox.ts'
import { Peer } from '../client/peer.ts'
import type { RequestHead, RequestResult } from '../client/request-result.ts'
import { RequestSlot, type SlotListener } from '../client/request-slot.ts'
import { routeTo } from '../client/route.ts'
import { TokenDelays } from '../overhead/token-delays.ts'
import type { Clock } from '../system/clock.ts'
import type { Stamp } from '../wire/stamp.ts'
import { NO_CATEGORY } from '../workload/workload.ts'
import type { AnswerSample } from './answer-sampler.ts'
import type { Leave } from './cancellation.ts'
import type { ReleasedRequest } from './load-phase.ts'
import type { PhasePlan } from './plan.ts'
import type { ArmRecorder } from './recorder.ts'
import type { Session } from './sessions.ts'

export class SlotPool {
  readonly #origin: string
  readonly #head: RequestHead
  readonly #clock: Clock
  readonly #spec: ConnectionSpec
  readonly #inbox: Inbox
  readonly #peer: Peer
  readonly #connections: TargetConnection[] = []
  #created = 0

  constructor(origin: string, head: RequestHead, clock: Clock, inbox: Inbox, spec: ConnectionSpec = ONE_AT_A_TIME) {
    this.#origin = origin
    this.#head = head
    this.#clock = clock
    this.#spec = spec
    this.#inbox = inbox
    this.#peer = new Peer(origin, routeTo(origin, spec.routes))
  }

  createSlot(listener: SlotListener): RequestSlot {
    const { connections, streams } = this.#spec
    const place = connections === undefined ? Math.floor(this.#created / streams) : this.#created % connections
    this.#created++
    let connection = this.#connections[place]
    if (!connection) {
      connection =
        this.#spec.http === 'h2'
          ? new Http2Connection(this.#origin, this.#clock, this.#spec, this.#peer)
          : new Http1Connection(this.#origin, this.#clock, this.#inbox, this.#spec, this.#peer)
      this.#connections[place] = connection
    }
    return new RequestSlot(connection, this.#head, this.#clock, listener)
  }

  /** Connections opened so far. */
  get opened(): number {
    return this.#connections.reduce((sum, { opened }) => sum + opened, 0)
  }

  async close(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }
}

/**
 * A slot with the request that is on it: what the schedule, the workload and the recorder know of the request, beside
 * what the slot sees. One object serves all requests of its slot, one after another, so that the hot path creates none.
 */
export class InFlightRequest implements SlotListener {
  /** A request is on its way. */
  active = false
  nonce = ''
  /** The number of the request in its arm, over all workers. */
  requestIndex = 0
  block = 0
  /** Its index in the workload's categories; NO_CATEGORY where it has none. */
  category = NO_CATEGORY
  /** Its place among the workload's models, where there are several. */
  model: number | undefined
  /** It repeats a request that was sent before the run. */
  repeats = false
  /** The tokens that a row of a trace asked for. */
  askedInput = 0
  askedOutput = 0
  released: ReleasedRequest = { index: 0, dueUs: 0, intendedUs: 0, measured: false, waited: false, woken: false }
  /** Undefined for requests that are excluded from the figures: warm-up, cool-down, the first of an idle connection. */
  recorder: ArmRecorder | undefined
  /**
   * `idleFirst`: the first on a connection that was idle while the other arm ran. `canceled`: drawn to be left by the
   * client before its end.
   */
  part: 'warmup' | 'measured' | 'idleFirst' | 'coolDown' | 'canceled' = 'warmup'
  /** The load phase in which the slot last sent; undefined in the warm-up. */
  phase: PhasePlan | undefined
  /** Collects the answer, where it is kept for counting its tokens after the run. */
  sample: AnswerSample | undefined
  /** The conversation that it belongs to. */
  session: Session | undefined
  /** Of a request that is drawn to be left: watches for the moment. */
  leave: Leave | undefined
  /** When its tokens came, by the provider's stamps. */
  readonly delays = new TokenDelays()
  readonly arm: number
  readonly slot: RequestSlot
  readonly #onEnd: (request: InFlightRequest, result: RequestResult) => void

  constructor(
    arm: number,
    createSlot: (listener: SlotListener) => RequestSlot,
    onEnd: (request: InFlightRequest, result: RequestResult) => void,
  ) {
    this.arm = arm
    this.#onEnd = onEnd
    this.slot = createSlot(this)
  }

  token(sinceSentUs: number, gapUs: number, stamp: Stamp | undefined): void {
    if (this.recorder) this.recorder.token(this, sinceSentUs, gapUs, stamp)
    else this.leave?.token()
  }

  ended(result: RequestResult): void {
    this.#onEnd(this, result)
  }
}
