/**
 * What the simulated provider's APIs have in common: the request that each of them parses its body to, how an answer to
 * it is written, whole or as a stream, and where they keep their keys and errors. src/provider/openai, anthropic and
 * gemini hold the APIs; after their parsers the types are trusted.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import { type Result, success } from '../errors.ts'
import { randomFrom } from '../stats/random.ts'
import { badRequest, type Refusal } from './faults.ts'
import type { Prompt } from './text.ts'

/** The longest answer: as far as current models go. */
export const MAX_TOKENS = 131_072

export const MAX_BODY_BYTES = 64 * 2 ** 20

export interface ParsedRequest extends Prompt {
  model: string
  stream: boolean
  tokens: number
  /** 'length' where the request's own limit ends the answer. */
  finishReason: 'stop' | 'length'
}

/** What wraps the text of an answer, beside the request. */
export interface ReplyContext {
  /** Unique to the answer. */
  id: string
  /** Unix seconds. */
  created: number
  /** Billed and never shown. */
  reasoningTokens: number
  shape: StreamShape
}

/** How a stream is cut: tokens to an event, events to a write, and what a provider adds around the text. */
export interface StreamShape {
  /** Drawn evenly for each event, from the request's own seed. */
  tokensPerEvent: { min: number; max: number }
  /** Events that leave in one write, as a provider (or a proxy before it) coalesces them. */
  eventsPerWrite: number
  /** Pads each event as OpenAI does, so that its size does not give the token's length away. */
  obfuscation: boolean
  /** A first event with `choices: []`, as Azure sends for its prompt filter. Chat completions only. */
  promptFilterEvent: boolean
}

/** A token an event, an event a write, nothing added. */
export const PLAIN_SHAPE: StreamShape = {
  tokensPerEvent: { min: 1, max: 1 },
  eventsPerWrite: 1,
  obfuscation: false,
  promptFilterEvent: false,
}

/** The tokens of one event after another, for the request whose own seed is `requestSeed`. */
export function drawEventSizes({ tokensPerEvent: { min, max } }: StreamShape, requestSeed: string): () => number {
  if (min === max) return () => min
  const random = randomFrom(`${requestSeed}:events`)
  return () => min + Math.floor(random() * (max - min + 1))
}

/**
 * A JSON answer. `stamp` is the `system_fingerprint` member with a comma before it, or '' for a request without a
 * nonce; `textEnd` is what is appended to the text.
 */
export type AnswerBody = (stamp: string, textEnd: string) => string

/** A stream's events, as strings: all of one is built before its instant comes, except the stamp. */
export interface StreamEvents {
  /** What leaves with the first event and bears no token; '' where the format has none. */
  open: (stamp: string) => string
  /** `tokens` were streamed once this event has left. */
  event: (text: string, tokens: number, stamp: string) => string
  /** The finish reason, usage where asked for, and the end mark: what leaves in one write. */
  close: (stamp: string) => string
  /** The event that ends a stream in which something went wrong. */
  fail: (refusal: Refusal, stamp: string) => string
}

/** A request that the provider answers. */
export interface AcceptedRequest {
  request: ParsedRequest
  whole: (context: ReplyContext) => AnswerBody
  /** Absent where an endpoint does not stream. */
  streamed?: (context: ReplyContext) => StreamEvents
}

/** A request, or the refusal that the provider answers with. */
export type ParseOutcome = Result<AcceptedRequest, { refusal: Refusal }>

/** What the path of a request holds, for APIs that name the model there. */
interface Named {
  model: string
  stream: boolean
}

/** Parses JSON; an answer to a request without a limit of its own has `defaultTokens` tokens. */
export type RequestParser = (json: unknown, defaultTokens: number, named: Named) => ParseOutcome

export interface ProviderEndpoint {
  parse: RequestParser
  named: Named
}

const UNNAMED: Named = { model: '', stream: false }

export function toEndpoint(parse: RequestParser, named: Named = UNNAMED): ProviderEndpoint {
  return { parse, named }
}

/** The request in the JSON text `body` that came to `endpoint`. */
export function parseBody({ parse, named }: ProviderEndpoint, body: string, defaultTokens: number): ParseOutcome {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return refuse(badRequest('We could not parse the JSON body of your request.'))
  }
  return parse(json, defaultTokens, named)
}

export function accept(request: AcceptedRequest): ParseOutcome {
  return success(request)
}

export function refuse(refusal: Refusal): ParseOutcome {
  return { ok: false, refusal }
}

/** The first thing zod found wrong, in OpenAI's words: a missing parameter, a wrong type, or a wrong value. */
export function inputRefusal(error: z.ZodError): Refusal {
  const issue = error.issues[0]
  const path = (issue?.path ?? []).map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const param = path.replace(/^\./, '')
  if (!param) return badRequest('The request body must be a JSON object.', null, 'invalid_type')
  if (issue?.input === undefined) {
    return badRequest(`Missing required parameter: '${param}'.`, param, 'missing_required_parameter')
  }
  const code = issue.code === 'invalid_type' || issue.code === 'invalid_union' ? 'invalid_type' : 'invalid_value'
  return badRequest(`Invalid value for '${param}': ${issue.message.replace(/^Invalid input: /, '')}.`, param, code)
}

/** What the endpoints of one provider have in common: where the key is, and how errors are written. */
export interface ApiFlavor {
  /** Where a key goes, for the message that one is missing: 'Authorization: Bearer KEY'. */
  keyPlace: string
  readKey: (headers: IncomingHttpHeaders, url: string) => string | undefined
  /** A refusal for headers that the API insists on, if one is missing. */
  checkHeaders?: (headers: IncomingHttpHeaders) => Refusal | undefined
  toStatus: (refusal: Refusal) => number
  refusalBody: (refusal: Refusal, requestId: string) => string
  requestIdHeader: string
}

/** The token of `Authorization: Bearer KEY`; '' where something else is given. */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : ''
}
