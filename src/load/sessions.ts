/**
 * The sessions of conversations that are under way: which turn of them is due next, with what history, and what comes
 * of it. A load phase asks here what is due beside what its schedule begins. A turn is due at the end of the answer
 * before it and the user's pause; its request is made as soon as the pause begins, so that nothing is left to do when
 * it is due. Where the turns of a session form a graph, a turn is due when all that it follows from have ended.
 */
import type { BodyListener, RequestResult } from '../client/request-result.ts'
import { share } from '../schedule/blocks.ts'
import { chatTranslator } from '../wire/template.ts'
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
import { SessionGraph } from './session-graph.ts'
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

/** One conversation that is under way; in a graph one of its turns that is, and all of them share the graph. */
export class Session {
  readonly arm: number
  /** Its number in its arm, over all workers; the same one says the same in every arm. */
  readonly number: number
  /**
   * Which of the schedule's sessions it is: all of its requests count in the block of that one, or in that of their
   * time.
   */
  readonly index: number
  readonly shape: SessionShape
  readonly startedUs: number
  readonly answer = new KeptAnswer()
  /** Sent with its requests; undefined for those of the arm. */
  headers: string[] | undefined
  readonly graph: SessionGraph | undefined
  /** Which of its requests is in flight, or waits, from 0. */
  place = 0
  /** When that turn is due. */
  atUs: number
  /** Its request; with it in the history. */
  request: PreparedRequest | undefined
  history = NOTHING_SAID

  constructor(
    arm: number,
    number: number,
    index: number,
    shape: SessionShape,
    startedUs: number,
    graph = shape.graph && new SessionGraph(shape.graph),
  ) {
    this.graph = graph
    this.arm = arm
    this.number = number
    this.index = index
    this.shape = shape
    this.startedUs = startedUs
    this.atUs = startedUs
  }

  /** The number of its present request in the arm. */
  get requestIndex(): number {
    return this.number * MOST_TURNS + this.place
  }

  /** How many turns came before the present one, from which it follows. */
  get turn(): number {
    return this.graph?.graph.depths[this.place] ?? this.place
  }

  /** For another turn of its graph, at the same time. */
  fork(): Session {
    const { arm, number, index, shape, startedUs, graph } = this
    const fork = new Session(arm, number, index, shape, startedUs, graph)
    fork.headers = this.headers
    return fork
  }
}

export class Sessions {
  readonly #spec: ConversationSpec
  readonly #seed: number
  readonly #arms: RunPlan['arms']
  readonly #make: RequestMaker
  readonly #translate: ((body: string) => string) | undefined
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
    this.#translate = workload.asChat ? chatTranslator(workload.endpoint) : undefined
    this.#most = Number.isFinite(maxSessions) ? Math.max(1, share(maxSessions, count, index)) : maxSessions
  }

  /** When the next turn is due; Infinity where none waits. */
  get nextUs(): number {
    return this.#queue.first()?.atUs ?? Number.POSITIVE_INFINITY
  }

  /** Turns in a pause. */
  get waiting(): number {
    return this.#queue.length
  }

  get underWay(): number {
    return this.#underWay
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
    const { graph } = session
    if (graph) {
      graph.open = 1
      for (const place of graph.roots) if (place > 0) this.#await(session.fork(), graph, place, nowUs)
    }
    return session
  }

  /** A request of the session has ended. Returns whether the session goes on. */
  ended(session: Session, result: RequestResult, recorder: ConversationRecorder | undefined): boolean {
    const body = session.answer.take()
    const { graph } = session
    if (graph) return this.#graphGoesOn(session, graph, body, result, recorder)
    if (result.outcome !== 'OK') {
      this.#underWay--
      recorder?.failedAt(session.turn)
      return false
    }
    if (session.place + 1 >= session.shape.turns) {
      this.#underWay--
      recorder?.finished(result.endUs - session.startedUs)
      return false
    }
    const { number, shape } = session
    const place = (shape.firstPlace ?? 0) + session.place
    session.history = withAnswer(this.#spec, session.history, { body, streamed: result.streamed, place })
    session.place++
    session.atUs = result.endUs + thinkBefore(this.#spec, shape, { seed: this.#seed, number, turn: session.place })
    this.#prepare(session)
    this.#queue.add(session)
    return true
  }

  /** The turns that waited for this one alone follow it, one in its stead. */
  #graphGoesOn(
    session: Session,
    graph: SessionGraph,
    body: string,
    { outcome, endUs, streamed }: RequestResult,
    recorder: ConversationRecorder | undefined,
  ): boolean {
    graph.open--
    if (outcome !== 'OK' && !graph.failed) {
      graph.failed = true
      recorder?.failedAt(session.turn)
      graph.open -= this.#queue.drop((waiting) => waiting.graph === graph)
    }
    if (!graph.failed) {
      const { place: ended, shape, number } = session
      const answer = { body, streamed, place: (shape.firstPlace ?? 0) + ended }
      graph.history.ended(ended, withAnswer(this.#spec, session.history, answer))
      for (const [i, place] of graph.freedBy(ended).entries()) {
        const told = graph.delayUs(ended, place)
        const own = told === undefined ? this.#spec : { ...this.#spec, think: undefined }
        const pauseUs = (told ?? 0) + thinkBefore(own, shape, { seed: this.#seed, number, turn: place })
        this.#await(i === 0 ? session : session.fork(), graph, place, endUs + pauseUs)
      }
    }
    if (graph.open > 0) return true
    this.#underWay--
    if (!graph.failed) recorder?.finished(endUs - session.startedUs)
    return false
  }

  #await(session: Session, graph: SessionGraph, place: number, atUs: number): void {
    const { history, between } = graph.history.before(place)
    graph.open++
    session.place = place
    session.atUs = atUs
    session.history = history
    this.#prepare(session, between)
    this.#queue.add(session)
  }

  #prepare(session: Session, between?: string): void {
    const { requestIndex, shape, arm } = session
    // Prompts that are given come in turn, beginning with another one in each session.
    const place = (shape.firstPlace ?? session.number) + session.place
    const own = this.#make(this.#arms[arm]?.tag ?? '', requestIndex, place)
    const { body, history } = turnRequest(session.history, own.body, shape.firstPlace !== undefined, between)
    session.request = { ...own, body: this.#translate ? this.#translate(body) : body }
    session.history = history
  }
}
