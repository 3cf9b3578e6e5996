/**
 * One request: reads what is asked, decides what becomes of it (an answer, a refusal, a fault), and starts it. The
 * latency model says when, src/provider/answer.ts keeps to that.
 */
import type { Clock } from '../system/clock.ts'
import { answerStream, answerWhole } from './answer.ts'
import type { ApiFlavor, StreamShape } from './api.ts'
import {
  type AcceptedRequest,
  MAX_BODY_BYTES,
  type ParsedRequest,
  type ParseOutcome,
  type ProviderEndpoint,
  parseBody,
} from './api.ts'
import { type Incoming, readBody } from './body.ts'
import { playAnswer } from './cassette/play.ts'
import type { CassettePlayer } from './cassette/player.ts'
import { describeRequest } from './cassette/request.ts'
import {
  drawFault,
  type Fault,
  type FaultPlan,
  faultRefusal,
  isMidAnswerFault,
  modelRefusal,
  notRecorded,
  type Refusal,
  tooLarge,
} from './faults.ts'
import { drawDelays, type LatencyModel, type Stalls, wholeAnswerUs } from './latency.ts'
import { type Outgoing, Reply } from './reply.ts'
import type { ConnectionNumbers, ProviderStats, TruthLog, TruthRecord } from './truth.ts'

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
  /** Plays a cassette in place of the model. */
  player?: CassettePlayer | undefined
}

export class ProviderExchange {
  readonly reply: Reply
  readonly #simulation: Simulation
  readonly #flavor: ApiFlavor
  readonly #number: number
  readonly #connection: number

  /** `number` tells the requests of one provider apart, `connection` its connections. */
  constructor(simulation: Simulation, flavor: ApiFlavor, response: Outgoing, number: number, connection: number) {
    const { clock, stalls, stampInText } = simulation
    this.#simulation = simulation
    this.#flavor = flavor
    this.#number = number
    this.#connection = connection
    this.reply = new Reply(response, `kt${number.toString(36).padStart(8, '0')}`, clock, stalls, stampInText)
    this.reply.requestIdHeader = flavor.requestIdHeader
  }

  /** Reads the request to its end and answers it. */
  answer(request: Incoming, endpoint: ProviderEndpoint): void {
    readBody(request, this.#simulation.clock, {
      whole: (body, receivedUs) => {
        this.reply.receivedUs = receivedUs
        this.#decide(parseBody(endpoint, body.toString(), this.#simulation.tokens))
      },
      tooLarge: () => this.refuse(tooLarge(MAX_BODY_BYTES)),
    })
  }

  /** Reads the request to its end and plays the recorded answer that it gets. */
  play(request: Incoming & { method?: string | undefined; url?: string | undefined }, player: CassettePlayer): void {
    readBody(request, this.#simulation.clock, {
      whole: (body, receivedUs) => {
        this.reply.receivedUs = receivedUs
        const asked = describeRequest(request.method ?? '', request.url ?? '', body.toString())
        const { nonce, stream } = asked
        const record = nonce === undefined ? undefined : this.#record(nonce, stream)
        const script = player.choose(asked, record?.attempt ?? 1)
        if (!script) {
          this.refuse(notRecorded(asked, player.holds))
          return
        }
        if (record) record.line = script.line
        if (script.fault) this.#noteFault(script.fault)
        playAnswer(this.reply, script, player.speed)
      },
      tooLarge: () => this.refuse(tooLarge(MAX_BODY_BYTES)),
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
    const body = this.#flavor.writeError(refusal, `req_${this.reply.id}`)
    this.send(this.#flavor.toStatus(refusal.status), body, refusal.headers)
  }

  #decide(parsed: ParseOutcome): void {
    if (!parsed.ok) {
      this.refuse(parsed.refusal)
      return
    }
    const accepted = parsed.value
    const { request } = accepted
    const { faults } = this.#simulation
    if (request.nonce) this.#record(request.nonce, request.stream)
    const refusal = modelRefusal(request.model)
    if (refusal) this.refuse(refusal)
    else if (faults) this.#answerWith(accepted, this.#drawFault(request, faults), faults)
    else this.#start(accepted, undefined, undefined)
  }

  /** Begins the request's record in the truth. */
  #record(nonce: string, stream: boolean): TruthRecord {
    const { truth, stats } = this.#simulation
    const record = truth.begin(nonce, this.#connection, this.reply.receivedUs, stream)
    this.reply.record = record
    if (record.attempt > 1) stats.retries++
    return record
  }

  #noteFault(fault: Fault): void {
    const { stats } = this.#simulation
    stats.faults[fault] = (stats.faults[fault] ?? 0) + 1
    if (this.reply.record) this.reply.record.fault = fault
  }

  #drawFault(request: ParsedRequest, faults: FaultPlan): Fault | undefined {
    const { latency } = this.#simulation
    const { record } = this.reply
    // Without a nonce requests cannot be told apart by what they say: a repeated one would always fail, or never.
    const own = record ? `${request.seed}:${record.attempt}` : `#${this.#number}`
    const fault = drawFault(faults, `${latency.seed}:${own}`)
    if (fault) this.#noteFault(fault)
    return fault
  }

  #answerWith(accepted: AcceptedRequest, fault: Fault | undefined, plan: FaultPlan): void {
    const refusal = fault && faultRefusal(fault, accepted.request.stream, plan)
    if (refusal) this.refuse(refusal)
    else this.#start(accepted, fault, plan)
  }

  #start(accepted: AcceptedRequest, fault: Fault | undefined, plan: FaultPlan | undefined): void {
    const { request } = accepted
    const { reply } = this
    const { latency, reasoningTokens, shape, stats } = this.#simulation
    const thinks = request.tokens > 0 ? reasoningTokens : 0
    const delays = drawDelays(latency, request.seed, {
      promptTokens: request.promptTokens,
      reasoningTokens: thinks,
      others: stats.inFlight - 1,
    })
    const fromUs = reply.receivedUs + (fault === 'slow_headers' && plan ? plan.slowHeadersMs * 1_000 : 0)
    const stallUs = (plan?.stallMs ?? 0) * 1_000
    if (fault === 'reset') {
      reply.at(fromUs + delays.ttftUs, () => reply.cut('reset'))
      return
    }
    const midAnswerFault = fault && isMidAnswerFault(fault) ? fault : undefined
    const context = { id: reply.id, created: Math.floor(Date.now() / 1_000), reasoningTokens: thinks, shape }
    if (request.stream && accepted.streamed) {
      const wire = accepted.streamed(context)
      answerStream(reply, { request, wire, delays, shape, fault: midAnswerFault, stallUs }, fromUs + delays.ttftUs)
    } else {
      const dueUs = fromUs + wholeAnswerUs(delays, request.tokens)
      answerWhole(reply, accepted.whole(context), request.tokens, dueUs, midAnswerFault, stallUs)
    }
  }
}
