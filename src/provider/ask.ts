/**
 * What is asked of the simulated model, whatever the wire format, and how an answer to it is written. Each endpoint reads its
 * own body (src/provider/openai, anthropic, gemini); after that edge the types are trusted.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import { randomFrom } from '../stats/random.ts'
import { badRequest, type Refusal } from './faults.ts'
import type { Prompt } from './prompt.ts'

/**
 * How a stream is cut: tokens to an event, events to a write, and what a provider adds around the text. When each write
 * leaves is src/provider/latency.ts's business. Pure.
 */

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
export function eventSizesOf({ tokensPerEvent: { min, max } }: StreamShape, requestSeed: string): () => number {
  if (min === max) return () => min
  const random = randomFrom(`${requestSeed}:events`)
  return () => min + Math.floor(random() * (max - min + 1))
}

/** What the provider takes and gives at most. */

/** The longest answer: as far as current models go. */
export const MAX_TOKENS = 131_072

export const BODY_LIMIT_BYTES = 64 * 2 ** 20

export interface Ask extends Prompt {
  model: string
  stream: boolean
  tokens: number
  /** 'length' where the request's own limit ends the answer. */
  finishReason: 'stop' | 'length'
}

/** What an answer's text is wrapped in, besides the ask. */
export interface Setting {
  /** Unique to the answer. */
  id: string
  /** Unix seconds. */
  created: number
  /** Billed and never shown. */
  reasoningTokens: number
  shape: StreamShape
}

/**
 * A JSON answer. `stamp` is the `system_fingerprint` member with a comma before it, or '' for a request without a nonce;
 * `textEnd` is what is appended to the text.
 */
export type Whole = (stamp: string, textEnd: string) => string

/** A stream's events, as strings: all of one is built before its instant comes, except the stamp. */
export interface Streamed {
  /** What leaves with the first event and bears no token; '' where the format has none. */
  open: (stamp: string) => string
  /** `tokens` were streamed once this event has left. */
  event: (text: string, tokens: number, stamp: string) => string
  /** The finish reason, usage where asked for, and the end mark: what leaves in one write. */
  close: (stamp: string) => string
  /** The event that ends a stream in which something went wrong. */
  fail: (refusal: Refusal, stamp: string) => string
}

/** A request that was understood. */
export interface Accepted {
  ask: Ask
  whole: (setting: Setting) => Whole
  /** Absent where an endpoint does not stream. */
  streamed?: (setting: Setting) => Streamed
  refusal?: undefined
}

/** The other case: the refusal that the provider would answer with. */
export type Understood = Accepted | { refusal: Refusal }

/** What the path of a request says of it, for formats that name the model there. */
export interface Named {
  model: string
  stream: boolean
}

/** Reads parsed JSON; an answer to a request without a limit of its own has `defaultTokens` tokens. */
export type Understand = (json: unknown, defaultTokens: number, named: Named) => Understood

export interface Endpoint {
  understand: Understand
  named: Named
}

const UNNAMED: Named = { model: '', stream: false }

export function endpointOf(understand: Understand, named: Named = UNNAMED): Endpoint {
  return { understand, named }
}

/** What the JSON text `body` asks of `endpoint`. */
export function understandText({ understand, named }: Endpoint, body: string, defaultTokens: number): Understood {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { refusal: badRequest('We could not parse the JSON body of your request.') }
  }
  return understand(json, defaultTokens, named)
}

/** The first thing zod found wrong, in OpenAI's words: a missing parameter, a wrong type, or a wrong value. */
export function refusalOfInput(error: z.ZodError): Refusal {
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

/** What the endpoints of one provider have in common: where the key is, and how an error is said. */

export interface Dialect {
  /** How a key is given, in words. */
  keyPlace: string
  keyOf: (headers: IncomingHttpHeaders, url: string) => string | undefined
  /** A refusal for headers that the API insists on, if one is missing. */
  refusalOfHeaders?: (headers: IncomingHttpHeaders) => Refusal | undefined
  statusOf: (refusal: Refusal) => number
  refusalBody: (refusal: Refusal, requestId: string) => string
  requestIdHeader: string
}

/** The token of `Authorization: Bearer KEY`; '' where something else is given. */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : ''
}
