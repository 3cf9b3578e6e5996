/** One request on its way to the upstream, and its answer on the way back and into the cassette. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import type { UserError } from '../../errors.ts'
import { now, unixMs } from '../../system/clock.ts'
import { plainReason } from '../../wire/connection-errors.ts'
import { writeOpenaiError } from '../../wire/openai.ts'
import { MAX_BODY_BYTES } from '../api.ts'
import { readBody } from '../body.ts'
import { tooLarge } from '../faults.ts'
import type { RecordedAnswer } from './cassette.ts'
import { type CassetteKeeper, writeChunk } from './keeper.ts'
import { describeRequest } from './request.ts'
import { FRAMING, keepHeaders, secretsOf, starSecrets, starText } from './secrets.ts'

export interface RecorderCounts {
  streams: number
  /** Answers that the upstream broke off or reset; they are kept, as they are. */
  broken: number
  /** Whose client left before the end. */
  left: number
  /** That never reached the upstream. */
  failed: number
}

/** kt's own view of a simulated provider: passed on and not kept. */
const CONTROL = '/__kt/'

/** What all requests to one recorder share. */
export interface Shared {
  upstream: URL
  keepPrompts: boolean
  dispatcher: Dispatcher
  keeper: CassetteKeeper
  counts: RecorderCounts
  noteOnce: (line: string) => void
  onFault: (fault: UserError) => void
}

/** Reads a request, passes it on, and its answer back. */
export function pass(shared: Shared, request: IncomingMessage, response: ServerResponse): void {
  request.on('error', () => undefined)
  readBody(request, now, {
    whole: (body, receivedUs) => new Passage(shared, request, response, body).start(receivedUs),
    tooLarge: () => answerError(response, tooLarge(MAX_BODY_BYTES)),
  })
}

function answerError(response: ServerResponse, refusal: ReturnType<typeof tooLarge>): void {
  const body = writeOpenaiError(refusal)
  response.writeHead(refusal.status, { 'content-type': 'application/json' }).end(body)
}

class Passage {
  readonly #shared: Shared
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #body: Buffer
  #control: Dispatcher.DispatchController | undefined
  #receivedUs = 0
  #sentUs = 0
  #head: { us: number; status: number; headers: IncomingHttpHeaders } | undefined
  readonly #chunks: { us: number; bytes: Buffer }[] = []
  #over = false

  constructor(shared: Shared, request: IncomingMessage, response: ServerResponse, body: Buffer) {
    this.#shared = shared
    this.#request = request
    this.#response = response
    this.#body = body
  }

  start(receivedUs: number): void {
    this.#receivedUs = receivedUs
    const { method = 'GET', url = '/' } = this.#request
    const { upstream } = this.#shared
    this.#response.on('close', () => {
      if (this.#over) return
      this.#over = true
      this.#shared.counts.left++
      this.#control?.abort(new Error('the client left'))
    })
    this.#shared.dispatcher.dispatch(
      {
        origin: upstream.origin,
        path: upstreamPath(upstream, url),
        method: method as Dispatcher.HttpMethod,
        headers: sentHeaders(this.#request.headers),
        body: this.#body.length > 0 ? this.#body : null,
      },
      {
        onRequestStart: (control) => {
          this.#control = control
          this.#sentUs = now()
          if (this.#over) control.abort(new Error('the client left'))
        },
        onResponseStart: (_control, status, headers) => {
          // What comes before the answer (103) says nothing about it.
          if (status >= 200) this.#begin(status, headers)
        },
        onResponseData: (_control, bytes) => {
          if (this.#over) return
          this.#chunks.push({ us: now(), bytes })
          this.#response.write(bytes)
        },
        onResponseEnd: () => this.#end('whole'),
        onResponseError: (_control, error) => this.#fail(error),
      },
    )
  }

  #begin(status: number, headers: IncomingHttpHeaders): void {
    this.#head = { us: now(), status, headers }
    const passed = Object.entries(headers).flatMap(([name, value]) =>
      value === undefined || (FRAMING.has(name) && name !== 'content-length') ? [] : [[name, value] as const],
    )
    this.#response.writeHead(status, Object.fromEntries(passed))
    this.#response.flushHeaders()
  }

  #end(end: RecordedAnswer['end']): void {
    if (this.#over) return
    this.#over = true
    if (end === 'whole') this.#response.end()
    else this.#response.destroy()
    const { keeper, counts, onFault } = this.#shared
    if ((this.#request.url ?? '').startsWith(CONTROL)) return
    const answer = this.#recorded(end, now())
    if (end !== 'whole') counts.broken++
    if (answer.request.stream) counts.streams++
    keeper.add(answer).then(() => {
      if (keeper.fault) onFault(keeper.fault)
    })
  }

  #fail(error: Error): void {
    if (this.#over) return
    if (this.#head) {
      this.#end('cut')
      return
    }
    if (this.#sentUs > 0) {
      this.#end('reset')
      return
    }
    this.#over = true
    const { counts, noteOnce, upstream } = this.#shared
    counts.failed++
    const message = `${upstream.origin} cannot be reached (${plainReason(error)})`
    noteOnce(`kt: ${message}`)
    answerError(this.#response, { status: 502, message, type: 'server_error', param: null, code: 'bad_gateway' })
  }

  #recorded(end: RecordedAnswer['end'], endUs: number): RecordedAnswer {
    const { method = 'GET', url = '/', headers } = this.#request
    const secrets = secretsOf(headers, url)
    const since = (us: number): number => Math.max(0, Math.round(us - this.#sentUs)) / 1_000
    const sent = this.#body.toString()
    const { nonce: _nonce, seed: _seed, ...request } = describeRequest(method, url, sent)
    const { headers: kept, leftOut } = keepHeaders(this.#head?.headers ?? {})
    return {
      at: new Date(unixMs(this.#sentUs)).toISOString(),
      request: {
        ...request,
        path: starText(request.path, secrets),
        ...(this.#shared.keepPrompts ? { body: starText(sent, secrets) } : {}),
      },
      connectMs: Math.max(0, Math.round(this.#sentUs - this.#receivedUs)) / 1_000,
      status: this.#head?.status ?? null,
      headMs: this.#head ? since(this.#head.us) : null,
      headers: kept.map(([name, value]) => [name, starText(value, secrets)]),
      leftOut,
      chunks: this.#starredChunks(secrets).map(({ us, bytes }) => writeChunk(since(us), bytes)),
      end,
      endMs: since(endUs),
    }
  }

  /** A secret that the provider repeats may lie across pieces, so it is looked for in the whole. */
  #starredChunks(secrets: readonly string[]): { us: number; bytes: Buffer }[] {
    const whole = Buffer.concat(this.#chunks.map(({ bytes }) => bytes))
    if (starSecrets(whole, secrets) === 0) return this.#chunks
    let at = 0
    return this.#chunks.map(({ us, bytes }) => {
      const from = at
      at += bytes.length
      return { us, bytes: whole.subarray(from, at) }
    })
  }
}

/** The upstream may have a path of its own, with or without what clients begin theirs with. */
function upstreamPath(upstream: URL, url: string): string {
  const base = upstream.pathname.replace(/\/$/, '')
  return url === base || url.startsWith(`${base}/`) || url.startsWith(`${base}?`) ? url : base + url
}

function sentHeaders(given: IncomingHttpHeaders): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!FRAMING.has(name) && value !== undefined) headers[name] = value
  }
  return { ...headers, 'accept-encoding': 'identity' }
}
