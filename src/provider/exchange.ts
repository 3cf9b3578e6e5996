/**
 * One request and its answer in time: reads what is asked, waits as the latency model says, stamps and writes, and stops
 * when the client leaves. The schedule is absolute, from the request's last body byte, so a late timer or a slow reader
 * delays one token and not all that follow; a reader that is behind is waited for, and nothing piles up for it.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { formatStamp } from '../overhead/stamp.ts'
import type { Clock } from '../system/clock.ts'
import { Alarm } from './alarm.ts'
import { type Ask, type Endpoint, refusalOfModel, type TextAsk, understand } from './ask.ts'
import { BODY_LIMIT_BYTES, readBody } from './body.ts'
import { wholeEmbeddings } from './embeddings.ts'
import { type LatencyModel, type Pace, paceOf, wholeAnswerUs } from './latency.ts'
import { type Refusal, refusalBody, tooLarge } from './refusal.ts'
import type { TruthLog, TruthRecord } from './truth.ts'
import { streamedText, wholeText } from './wire.ts'

/** What all requests to one provider share. */
export interface Simulation {
  latency: LatencyModel
  /** The length of an answer to a request without a limit of its own. */
  tokens: number
  clock: Clock
  truth: TruthLog
}

export class Exchange {
  readonly #simulation: Simulation
  readonly #response: ServerResponse
  readonly #id: string
  readonly #alarm: Alarm
  #receivedUs: number
  #record: TruthRecord | undefined

  constructor(simulation: Simulation, response: ServerResponse, id: string) {
    this.#simulation = simulation
    this.#response = response
    this.#id = id
    this.#alarm = new Alarm(simulation.clock)
    this.#receivedUs = Math.round(simulation.clock())
  }

  /** Reads the request to its end and answers it. */
  answer(request: IncomingMessage, endpoint: Endpoint): void {
    readBody(request, this.#simulation.clock, {
      whole: (text, receivedUs) => {
        this.#receivedUs = receivedUs
        this.#answerBody(endpoint, text)
      },
      tooLarge: () => this.refuse(tooLarge(BODY_LIMIT_BYTES)),
    })
  }

  /** Answers with JSON at once. */
  send(status: number, body: string, headers: readonly string[] = []): void {
    const providerUs = this.#providerUs()
    this.#noteWrite(status, providerUs)
    const length = String(Buffer.byteLength(body))
    this.#response.writeHead(status, [
      ...this.#headers('application/json', providerUs),
      'content-length',
      length,
      ...headers,
    ])
    this.#response.end(body)
  }

  refuse(refusal: Refusal): void {
    this.send(refusal.status, refusalBody(refusal), refusal.headers)
  }

  /** The client left before the answer was whole. */
  abort(): void {
    this.#alarm.stop()
    if (this.#record) this.#record.aborted = true
  }

  #answerBody(endpoint: Endpoint, text: string): void {
    const { latency, tokens, truth } = this.#simulation
    const understood = understand(endpoint, text, tokens)
    if (understood.refusal) {
      this.refuse(understood.refusal)
      return
    }
    const { ask } = understood
    if (ask.nonce) this.#record = truth.begin(ask.nonce, this.#receivedUs, ask.stream)
    const refusal = refusalOfModel(ask.model)
    if (refusal) this.refuse(refusal)
    else if (ask.stream) this.#stream(ask, paceOf(latency, ask.seed))
    else this.#whole(ask, paceOf(latency, ask.seed))
  }

  #whole(ask: Ask, pace: Pace): void {
    const body = ask.endpoint === 'embeddings' ? wholeEmbeddings(ask) : wholeText(ask, this.#id, created())
    const stampBytes = Buffer.byteLength(body(''))
    this.#alarm.at(this.#receivedUs + wholeAnswerUs(pace, ask.tokens), () => {
      const providerUs = this.#providerUs()
      this.#noteWrite(200, providerUs, ask.tokens)
      const stamp = this.#stamp(providerUs)
      const headers = this.#headers('application/json', providerUs)
      this.#response.writeHead(200, [...headers, 'content-length', String(stampBytes + stamp.length)])
      this.#response.end(body(stamp))
    })
  }

  #stream(ask: TextAsk, pace: Pace): void {
    const wire = streamedText(ask, this.#id, created())
    const response = this.#response
    let dueUs = this.#receivedUs + pace.ttftUs
    let sent = 0
    const pump = (): void => {
      while (this.#simulation.clock() >= dueUs) {
        const providerUs = this.#providerUs()
        if (sent === 0) this.#openStream(wire.open(this.#stamp(providerUs)), providerUs)
        if (sent === ask.tokens) {
          this.#noteWrite(200, providerUs)
          response.end(wire.close(this.#stamp(providerUs)))
          return
        }
        this.#noteWrite(200, providerUs, sent + 1)
        const roomLeft = response.write(wire.token(sent, this.#stamp(providerUs)))
        sent++
        dueUs += pace.nextGapUs()
        if (!roomLeft) {
          response.once('drain', pump)
          return
        }
      }
      this.#alarm.at(dueUs, pump)
    }
    pump()
  }

  #openStream(opening: string, providerUs: number): void {
    const headers = this.#headers('text/event-stream; charset=utf-8', providerUs)
    this.#response.writeHead(200, [...headers, 'cache-control', 'no-cache'])
    if (opening) this.#response.write(opening)
  }

  /** Since the request's last body byte. */
  #providerUs(): number {
    return Math.round(this.#simulation.clock()) - this.#receivedUs
  }

  #stamp(providerUs: number): string {
    if (!this.#record) return ''
    const { nonce, attempt } = this.#record
    return `,"system_fingerprint":"${formatStamp({ nonce, attempt, providerUs })}"`
  }

  #headers(contentType: string, providerUs: number): string[] {
    const duration = `kt-provider;dur=${(providerUs / 1_000).toFixed(3)}`
    return ['content-type', contentType, 'server-timing', duration, 'x-request-id', `req_${this.#id}`]
  }

  #noteWrite(status: number, providerUs: number, tokens = this.#record?.tokens ?? 0): void {
    if (!this.#record) return
    const writeUs = this.#receivedUs + providerUs
    this.#record.firstWriteUs ??= writeUs
    this.#record.lastWriteUs = writeUs
    this.#record.status = status
    this.#record.tokens = tokens
  }
}

/** The wire's `created`: Unix seconds, a date and never a duration. */
function created(): number {
  return Math.floor(Date.now() / 1_000)
}
