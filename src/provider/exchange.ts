/**
 * One request: reads what is asked, decides what becomes of it (an answer, a refusal, a fault), and starts it. The latency
 * model says when; src/provider/stream.ts and src/provider/stream.ts keep to that.
 */
import type { Clock } from '../system/clock.ts'
import type { Dialect, StreamShape } from './ask.ts'
import { type Accepted, type Ask, BODY_LIMIT_BYTES, type Endpoint, type Understood, understandText } from './ask.ts'
import {
  drawFault,
  type Fault,
  type FaultPlan,
  type Refusal,
  refusalOfFault,
  refusalOfModel,
  tooLarge,
} from './faults.ts'
import { type LatencyModel, paceOf, type Stalls, wholeAnswerUs } from './latency.ts'
import { type Outgoing, Reply } from './reply.ts'
import { answerStream, answerWhole } from './stream.ts'
import type { ConnectionNumbers, ProviderStats, TruthLog } from './truth.ts'

/** What all requests to one provider share. */
export interface Simulation {
  latency: LatencyModel
  /** The length of an answer to a request without a limit of its own. */
  tokens: number
  reasoningTokens: number
  shape: StreamShape
  faults: FaultPlan | undefined
  stalls: Stalls | undefined
  stampInText: boolean
  clock: Clock
  truth: TruthLog
  stats: ProviderStats
  connections: ConnectionNumbers
}

export class Exchange {
  readonly reply: Reply
  readonly #simulation: Simulation
  readonly #dialect: Dialect
  readonly #number: number
  readonly #connection: number

  /** `number` tells the requests of one provider apart, `connection` its connections. */
  constructor(simulation: Simulation, dialect: Dialect, response: Outgoing, number: number, connection: number) {
    const { clock, stalls, stampInText } = simulation
    this.#simulation = simulation
    this.#dialect = dialect
    this.#number = number
    this.#connection = connection
    this.reply = new Reply(response, `kt${number.toString(36).padStart(8, '0')}`, clock, stalls, stampInText)
    this.reply.requestIdHeader = dialect.requestIdHeader
  }

  /** Reads the request to its end and answers it. */
  answer(request: Incoming, endpoint: Endpoint): void {
    readBody(request, this.#simulation.clock, {
      whole: (text, receivedUs) => {
        this.reply.receivedUs = receivedUs
        this.#decide(understandText(endpoint, text, this.#simulation.tokens))
      },
      tooLarge: () => this.refuse(tooLarge(BODY_LIMIT_BYTES)),
    })
  }

  /** Answers with JSON as soon as the provider answers at all. */
  send(status: number, body: string, headers: readonly string[] = []): void {
    const { reply } = this
    reply.at(0, () => {
      const providerUs = reply.providerUs()
      reply.note(status, providerUs)
      reply.headJson(status, providerUs, Buffer.byteLength(body), headers)
      reply.end(body)
    })
  }

  refuse(refusal: Refusal): void {
    const body = this.#dialect.refusalBody(refusal, `req_${this.reply.id}`)
    this.send(this.#dialect.statusOf(refusal), body, refusal.headers)
  }

  #decide(understood: Understood): void {
    if (understood.refusal) {
      this.refuse(understood.refusal)
      return
    }
    const { ask } = understood
    const { truth, stats, faults } = this.#simulation
    if (ask.nonce) {
      const record = truth.begin(ask.nonce, this.#connection, this.reply.receivedUs, ask.stream)
      this.reply.record = record
      if (record.attempt > 1) stats.retries++
    }
    const refusal = refusalOfModel(ask.model)
    if (refusal) this.refuse(refusal)
    else if (faults) this.#answerWith(understood, this.#drawFault(ask, faults), faults)
    else this.#start(understood, undefined, undefined)
  }

  #drawFault(ask: Ask, faults: FaultPlan): Fault | undefined {
    const { latency, stats } = this.#simulation
    const { record } = this.reply
    // Without a nonce requests cannot be told apart by what they say: a repeated one would always fail, or never.
    const own = record ? `${ask.seed}:${record.attempt}` : `#${this.#number}`
    const fault = drawFault(faults, `${latency.seed}:${own}`)
    if (fault) stats.faults[fault] = (stats.faults[fault] ?? 0) + 1
    if (fault && record) record.fault = fault
    return fault
  }

  #answerWith(understood: Accepted, fault: Fault | undefined, plan: FaultPlan): void {
    const refusal = fault && refusalOfFault(fault, understood.ask.stream, plan)
    if (refusal) this.refuse(refusal)
    else this.#start(understood, fault, plan)
  }

  #start(understood: Accepted, fault: Fault | undefined, plan: FaultPlan | undefined): void {
    const { ask } = understood
    const { reply } = this
    const { latency, reasoningTokens, shape, stats } = this.#simulation
    const thinks = ask.tokens > 0 ? reasoningTokens : 0
    const pace = paceOf(latency, ask.seed, {
      promptTokens: ask.promptTokens,
      reasoningTokens: thinks,
      others: stats.inFlight - 1,
    })
    const fromUs = reply.receivedUs + (fault === 'slow_headers' && plan ? plan.slowHeadersMs * 1_000 : 0)
    const stallUs = (plan?.stallMs ?? 0) * 1_000
    if (fault === 'reset') {
      reply.at(fromUs + pace.ttftUs, () => reply.cut('reset'))
      return
    }
    const mishap =
      fault === 'truncate' || fault === 'stall' || fault === 'malformed' || fault === 'error_event' ? fault : undefined
    const setting = { id: reply.id, created: Math.floor(Date.now() / 1_000), reasoningTokens: thinks, shape }
    if (ask.stream && understood.streamed) {
      const wire = understood.streamed(setting)
      answerStream(reply, { ask, wire, pace, shape, mishap, stallUs }, fromUs + pace.ttftUs)
    } else {
      const dueUs = fromUs + wholeAnswerUs(pace, ask.tokens)
      answerWhole(reply, understood.whole(setting), ask.tokens, dueUs, mishap, stallUs)
    }
  }
}

/** Reads a request's body whole, up to a limit, and notes when its last byte arrived. */

/** A request of HTTP/1.1 or HTTP/2. */
interface Incoming {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown
  on(event: 'end', listener: () => void): unknown
}

interface BodyReaders {
  whole: (text: string, receivedUs: number) => void
  /** Called once; the rest is read and thrown away, so that a client that is still sending gets to see the answer. */
  tooLarge: () => void
}

function readBody(request: Incoming, clock: Clock, readers: BodyReaders): void {
  let chunks: Buffer[] = []
  let bytes = 0
  let receivedUs = clock()
  request.on('data', (chunk: Buffer) => {
    receivedUs = clock()
    if (bytes > BODY_LIMIT_BYTES) return
    bytes += chunk.length
    chunks.push(chunk)
    if (bytes <= BODY_LIMIT_BYTES) return
    chunks = []
    readers.tooLarge()
  })
  request.on('end', () => {
    if (bytes > BODY_LIMIT_BYTES) return
    const [first] = chunks
    readers.whole((chunks.length === 1 && first ? first : Buffer.concat(chunks)).toString(), Math.round(receivedUs))
  })
}
