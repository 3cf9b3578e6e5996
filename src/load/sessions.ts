/**
 * The sessions of conversations that are under way: which turn of them is due next, with what history, and what comes
 * of it. A load phase asks here what is due beside what its schedule begins. A turn is due at the end of the answer
 * before it and the user's pause; its request is made as soon as the pause begins, so that nothing is left to do when
 * it is due.
 */
import type { BodyListener, RequestResult } from '../client/request-result.ts'
import { share } from '../schedule/blocks.ts'
import {
  type ConversationSpec,
  MOST_TURNS,
  NOTHING_SAID,
  type SessionShape,
  shapeOfSession,
  thinkBefore,
  turnRequest,
  withAnswer,
} from '../workload/conversations/conversation.ts'
import type { PreparedRequest, RequestMaker } from '../workload/request-maker.ts'
import type { ConversationRecorder } from './conversation-recorder.ts'
import type { WorkerShare } from './pacing.ts'
import type { RunPlan } from './plan.ts'
import { TurnQueue } from './turn-queue.ts'

/** Keeps a whole answer; its chunks are valid until the request has ended. */
class KeptAnswer implements BodyListener {
  #chunks: Buffer[] = []

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  take(): string {
    const text = Buffer.concat(this.#chunks).toString()
    this.#chunks = []
    return text
  }
}

/** One conversation that is under way. */
export class Session {
  readonly arm: number
  /** Its number in its arm, over all workers; the same one says the same in every arm. */
  readonly number: number
  /** Which of the schedule's sessions it is: all of its requests count in the block of that one, or in that of their time. */
  readonly index: number
  readonly shape: SessionShape
  readonly startedUs: number
  readonly answer = new KeptAnswer()
  /** Sent with its requests; undefined for those of the arm. */
  headers: string[] | undefined
  /** The turn that is in flight, or that waits, from 0. */
  turn = 0
  /** When that turn is due. */
  atUs: number
  /** Its request; with it in the history. */
  request: PreparedRequest | undefined
  history = NOTHING_SAID

  constructor(arm: number, number: number, index: number, shape: SessionShape, startedUs: number) {
    this.arm = arm
    this.number = number
    this.index = index
    this.shape = shape
    this.startedUs = startedUs
    this.atUs = startedUs
  }

  /** The number of its present request in the arm. */
  get requestIndex(): number {
    return this.number * MOST_TURNS + this.turn
  }
}

export class Sessions {
  readonly #spec: ConversationSpec
  readonly #seed: number
  readonly #arms: RunPlan['arms']
  readonly #make: RequestMaker
  readonly #most: number
  readonly #queue = new TurnQueue<Session>()
  /** Under way: with a request in flight, or in a pause. */
  #underWay = 0

  constructor(spec: ConversationSpec, plan: RunPlan, make: RequestMaker, { index, count }: WorkerShare) {
    const { maxSessions = Number.POSITIVE_INFINITY, workload, arms } = plan
    this.#spec = spec
    this.#seed = workload.seed
    this.#arms = arms
    this.#make = make
    this.#most = Number.isFinite(maxSessions) ? Math.max(1, share(maxSessions, count, index)) : maxSessions
  }

  /** When the next turn is due; Infinity where none waits. */
  get nextUs(): number {
    return this.#queue.first()?.atUs ?? Number.POSITIVE_INFINITY
  }

  /** Sessions in a pause. */
  get waiting(): number {
    return this.#queue.length
  }

  /** No other session may begin now. */
  get full(): boolean {
    return this.#underWay >= this.#most
  }

  /** The session whose turn is due next. */
  take(): Session {
    const session = this.#queue.take()
    if (!session) throw new Error('no session waits for its turn')
    return session
  }

  begin(
    arm: number,
    number: number,
    index: number,
    nowUs: number,
    recorder: ConversationRecorder | undefined,
  ): Session {
    const session = new Session(arm, number, index, shapeOfSession(this.#spec, this.#seed, number), nowUs)
    const { header } = this.#spec
    const { headers = {}, tag = '' } = this.#arms[arm] ?? {}
    if (header !== undefined) session.headers = Object.entries({ ...headers, [header]: `kt-${tag}-${number}` }).flat()
    this.#prepare(session)
    this.#underWay++
    if (recorder) recorder.started++
    return session
  }

  /** A request of the session has ended. Returns whether it goes on: then its next turn waits. */
  ended(session: Session, result: RequestResult, recorder: ConversationRecorder | undefined): boolean {
    const body = session.answer.take()
    if (result.outcome !== 'OK') {
      this.#underWay--
      recorder?.failedAt(session.turn)
      return false
    }
    if (session.turn + 1 >= session.shape.turns) {
      this.#underWay--
      recorder?.finished(result.endUs - session.startedUs)
      return false
    }
    const { number, shape } = session
    const place = (shape.firstPlace ?? 0) + session.turn
    session.history = withAnswer(this.#spec, session.history, { body, streamed: result.streamed, place })
    session.turn++
    session.atUs = result.endUs + thinkBefore(this.#spec, shape, { seed: this.#seed, number, turn: session.turn })
    this.#prepare(session)
    this.#queue.add(session)
    return true
  }

  #prepare(session: Session): void {
    const { requestIndex, turn, shape, arm } = session
    // Prompts that are given come in turn, beginning with another one in each session.
    const place = shape.firstPlace === undefined ? session.number + turn : shape.firstPlace + turn
    const own = this.#make(this.#arms[arm]?.tag ?? '', requestIndex, place)
    const { body, history } = turnRequest(session.history, own.body, shape.firstPlace !== undefined)
    session.request = { ...own, body }
    session.history = history
  }
}
