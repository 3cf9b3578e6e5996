/**
 * What is asked of the simulated model, whatever the wire format, and how an answer to it is written. Each endpoint reads its
 * own body (src/provider/openai, anthropic, gemini); after that edge the types are trusted.
 */
import type { z } from 'zod'
import type { Prompt } from './prompt.ts'
import { badRequest, type Refusal } from './refusal.ts'
import type { StreamShape } from './shape.ts'

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
