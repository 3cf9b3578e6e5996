/**
 * What the simulated provider's APIs have in common: the request that each of them parses its body to, how it is
 * answered, and where they keep their keys and errors. openai.ts, embeddings.ts, anthropic.ts and gemini.ts hold the
 * APIs; after their parsers the types are trusted. src/wire/ knows how an answer is written.
 */

import type { IncomingHttpHeaders } from 'node:http'
import type { z } from 'zod'
import { type Result, success } from '../errors.ts'
import { randomFrom } from '../stats/random.ts'
import type { AnswerWriter, ErrorAnswer, StreamWriter, TextAnswer, WholeWriter } from '../wire/answer.ts'
import { badRequest, type Refusal } from './faults.ts'
import { answerText, type Prompt } from './text.ts'

/** The longest answer: as far as current models go. */
export const MAX_TOKENS = 131_072

export const MAX_BODY_BYTES = 64 * 2 ** 20

export interface ParsedRequest extends Prompt {
  model: string
  stream: boolean
  tokens: number
}

/** What wraps the text of an answer, beside the request. */
interface ReplyContext {
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

/** A request that the provider answers. */
export interface AcceptedRequest {
  request: ParsedRequest
  whole: (context: ReplyContext) => WholeWriter
  /** Absent where an endpoint does not stream. */
  streamed?: (context: ReplyContext) => StreamWriter
}

/** A request, or the refusal that the provider answers with. */
export type ParseOutcome = Result<AcceptedRequest, { refusal: Refusal }>

/** What the path of a request holds, for APIs that name the model there. */
export interface Named {
  model: string
  stream: boolean
}

/** Parses JSON; an answer to a request without a limit of its own has `defaultTokens` tokens. */
export type RequestParser = (json: unknown, defaultTokens: number, named: Named) => ParseOutcome

/** One API: an address, and what is posted to it. */
export interface ProviderApi {
  flavor: ApiFlavor
  /** The address, or what addresses begin with that name the model. What is wrong below it is refused in the flavor. */
  path: string
  parse: RequestParser
  /** Reads an address that names the model (percent-encoded); undefined where it is another API's. */
  readPath?: (path: string, query: string) => Result<Named, { refusal: Refusal }> | undefined
}

export interface ProviderEndpoint {
  parse: RequestParser
  named: Named
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

/** What the provider takes from a request for a text. */
export interface TextRequest {
  model: string
  stream: boolean | null | undefined
  /** The most tokens that it wants. */
  limit: number | null | undefined
  prompt: Prompt
  /** The OpenAI formats' options of a stream. */
  streamOptions?: StreamOptions | null | undefined
}

interface StreamOptions {
  include_usage?: boolean | null | undefined
  include_obfuscation?: boolean | null | undefined
}

/** Parses bodies of `schema`, which `read` understands, and has them answered by `writer`. */
export function textParser<T>(
  schema: z.ZodType<T>,
  writer: AnswerWriter,
  read: (body: T, named: Named) => TextRequest | Refusal,
): RequestParser {
  return (json, defaultTokens, named) => {
    const { success, data, error } = schema.safeParse(json, { reportInput: true })
    if (!success) return refuse(inputRefusal(error))
    const asked = read(data, named)
    return 'status' in asked ? refuse(asked) : acceptText(writer, asked, defaultTokens)
  }
}

function acceptText(writer: AnswerWriter, asked: TextRequest, defaultTokens: number): ParseOutcome {
  const { model, limit, prompt, streamOptions } = asked
  const tokens = limit ?? defaultTokens
  const request = { ...prompt, model, stream: asked.stream === true, tokens }
  const toAnswer = ({ id, created, reasoningTokens, shape }: ReplyContext): TextAnswer => ({
    id,
    created,
    model,
    // The request's own limit ends the answer.
    finishReason: limit ? 'length' : 'stop',
    usage: {
      input: prompt.promptTokens,
      output: tokens + reasoningTokens,
      reasoning: reasoningTokens,
      cached: 0,
      cacheWritten: 0,
    },
    limit: limit ?? null,
    includeUsage: streamOptions?.include_usage === true,
    obfuscation: shape.obfuscation && streamOptions?.include_obfuscation !== false,
    promptFilterEvent: shape.promptFilterEvent,
  })
  return accept({
    request,
    whole: (context) => writer.whole(toAnswer(context), answerText(tokens)),
    streamed: (context) => writer.stream(toAnswer(context)),
  })
}

export function accept(request: AcceptedRequest): ParseOutcome {
  return success(request)
}

export function refuse(refusal: Refusal): { ok: false; refusal: Refusal } {
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
  toStatus: (status: number) => number
  writeError: (error: ErrorAnswer, requestId: string) => string
  requestIdHeader: string
}

/** The token of `Authorization: Bearer KEY`; '' where something else is given. */
export function bearerToken(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : ''
}
