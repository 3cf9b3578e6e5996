/**
 * A lane with the request that is on it: what the schedule, the workload and the recorder know of it beside what the lane sees.
 * One object a lane, used again for every request, so that the hot path makes none.
 */
import type { Exchange } from '../client/exchange.ts'
import type { Lane, LaneUser } from '../client/lane.ts'
import type { Stamp } from '../wire/stamp.ts'
import { NO_CATEGORY } from '../workload/workload.ts'
import type { AnswerSample } from './answer-samples.ts'
import type { Segment } from './plan.ts'
import type { Recorder } from './recorder.ts'
import type { Released } from './stretch.ts'

export class Flight implements LaneUser {
  /** It is on its way. */
  active = false
  nonce = ''
  /** The how-many-th request of its arm, over all workers. */
  requestIndex = 0
  block = 0
  /** Its place in the workload's categories; NO_CATEGORY where it has none. */
  category = NO_CATEGORY
  released: Released = { index: 0, dueUs: 0, intendedUs: 0, measured: false, waited: false, woken: false }
  /** Undefined for what is left out: warm-up, cool-down, the first request after a rest. */
  recorder: Recorder | undefined
  /** `rested`: the first on a connection that rested while the other arm ran. */
  part: 'warmup' | 'measured' | 'rested' | 'coolDown' = 'warmup'
  /** In which it was last sent; undefined in the warm-up. */
  segment: Segment | undefined
  /** Where the answer is kept for counting its tokens later, if it is. */
  sample: AnswerSample | undefined
  readonly arm: number
  readonly lane: Lane
  readonly #onEnd: (flight: Flight, result: Exchange) => void

  constructor(arm: number, makeLane: (user: LaneUser) => Lane, onEnd: (flight: Flight, result: Exchange) => void) {
    this.arm = arm
    this.#onEnd = onEnd
    this.lane = makeLane(this)
  }

  token(sinceSentUs: number, gapUs: number, stamp: Stamp | undefined): void {
    this.recorder?.token(this.nonce, this.block, sinceSentUs, gapUs, stamp)
  }

  ended(result: Exchange): void {
    this.#onEnd(this, result)
  }
}
