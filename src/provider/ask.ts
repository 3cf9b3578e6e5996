/**
 * Reads a request body into what is asked of the simulated model, or into the refusal that OpenAI would answer with. After
 * this edge the types are trusted.
 */
import type { z } from 'zod'
import { itemsOf, type Prompt, promptOf, promptOfItems, textsOf } from './prompt.ts'
import { badRequest, type Refusal, unknownModel } from './refusal.ts'
import { chatBody, completionsBody, embeddingsBody } from './schemas.ts'

export type Endpoint = 'chat' | 'completions' | 'embeddings'

export interface TextAsk extends Prompt {
  endpoint: 'chat' | 'completions'
  model: string
  stream: boolean
  includeUsage: boolean
  tokens: number
  /** 'length' where the request's own limit ends the answer. */
  finishReason: 'stop' | 'length'
}

export interface EmbeddingsAsk extends Prompt {
  endpoint: 'embeddings'
  model: string
  stream: false
  tokens: 0
  items: (string | readonly number[])[]
  dimensions: number
  encoding: 'float' | 'base64'
}

export type Ask = TextAsk | EmbeddingsAsk
export type Understood = { ask: Ask; refusal?: undefined } | { refusal: Refusal }

const DEFAULT_DIMENSIONS = 1_536

/** What the JSON text `body` asks of `endpoint`; an answer without a limit of its own has `defaultTokens` tokens. */
export function understand(endpoint: Endpoint, body: string, defaultTokens: number): Understood {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch {
    return { refusal: badRequest('We could not parse the JSON body of your request.') }
  }
  if (endpoint === 'chat') return understandChat(json, defaultTokens)
  return endpoint === 'completions' ? understandCompletions(json, defaultTokens) : understandEmbeddings(json)
}

/** The refusal of a model that is not served: `gpt-unknown`, and every name that starts with `unknown`. */
export function refusalOfModel(model: string): Refusal | undefined {
  return model === 'gpt-unknown' || model.startsWith('unknown') ? unknownModel(model) : undefined
}

function understandChat(json: unknown, defaultTokens: number): Understood {
  const { success, data, error } = chatBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOf(error) }
  const limit = data.max_completion_tokens ?? data.max_tokens
  return textAsk('chat', data, promptOf(textsOf(data.messages), 0, data.seed), limit, defaultTokens)
}

function understandCompletions(json: unknown, defaultTokens: number): Understood {
  const { success, data, error } = completionsBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOf(error) }
  return textAsk('completions', data, promptOfItems(itemsOf(data.prompt), data.seed), data.max_tokens, defaultTokens)
}

function understandEmbeddings(json: unknown): Understood {
  const { success, data, error } = embeddingsBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOf(error) }
  const items = itemsOf(data.input)
  const dimensions = data.dimensions ?? DEFAULT_DIMENSIONS
  const encoding = data.encoding_format ?? 'float'
  const { model } = data
  return {
    ask: {
      endpoint: 'embeddings',
      model,
      stream: false,
      tokens: 0,
      items,
      dimensions,
      encoding,
      ...promptOfItems(items),
    },
  }
}

interface Generation {
  model: string
  stream?: boolean | null | undefined
  stream_options?: { include_usage?: boolean | null | undefined } | null | undefined
}

function textAsk(
  endpoint: TextAsk['endpoint'],
  body: Generation,
  prompt: Prompt,
  limit: number | null | undefined,
  defaultTokens: number,
): Understood {
  const stream = body.stream === true
  if (body.stream_options && !stream) {
    return { refusal: badRequest("'stream_options' is only allowed with 'stream': true.", 'stream_options') }
  }
  return {
    ask: {
      endpoint,
      model: body.model,
      stream,
      includeUsage: body.stream_options?.include_usage === true,
      tokens: limit ?? defaultTokens,
      finishReason: limit ? 'length' : 'stop',
      ...prompt,
    },
  }
}

/** The first thing zod found wrong, in OpenAI's words: a missing parameter, a wrong type, or a wrong value. */
function refusalOf(error: z.ZodError): Refusal {
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
