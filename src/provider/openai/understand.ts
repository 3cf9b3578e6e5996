/** Reads the bodies of OpenAI's endpoints, or refuses them as OpenAI would. */

import { hash32 } from '../../stats/random.ts'
import { type Ask, refusalOfInput, type Understand, type Understood, type Whole } from '../ask.ts'
import { badRequest } from '../faults.ts'
import { itemsOf, type Prompt, promptOf, promptOfItems, textsOf } from '../prompt.ts'
import {
  chatBody,
  completionsBody,
  embeddingsBody,
  responsesBody,
  streamedText,
  type TextAsk,
  wholeText,
} from './chat.ts'
import { streamedResponse, wholeResponse } from './responses.ts'

const DEFAULT_DIMENSIONS = 1_536

export const understandChat: Understand = (json, defaultTokens) => {
  const { success, data, error } = chatBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  const limit = data.max_completion_tokens ?? data.max_tokens
  return textAsk('chat', data, promptOf(textsOf(data.messages), 0, data.seed), limit, defaultTokens)
}

export const understandCompletions: Understand = (json, defaultTokens) => {
  const { success, data, error } = completionsBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  return textAsk('completions', data, promptOfItems(itemsOf(data.prompt), data.seed), data.max_tokens, defaultTokens)
}

export const understandEmbeddings: Understand = (json) => {
  const { success, data, error } = embeddingsBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  const items = itemsOf(data.input)
  const ask: EmbeddingsAsk = {
    model: data.model,
    stream: false,
    tokens: 0,
    finishReason: 'stop',
    items,
    dimensions: data.dimensions ?? DEFAULT_DIMENSIONS,
    encoding: data.encoding_format ?? 'float',
    ...promptOfItems(items),
  }
  return { ask, whole: () => wholeEmbeddings(ask) }
}

export const understandResponses: Understand = (json, defaultTokens) => {
  const { success, data, error } = responsesBody.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  const texts = typeof data.input === 'string' ? [data.input] : textsOf(data.input)
  const instructions = data.instructions ? [data.instructions] : []
  const ask = {
    model: data.model,
    stream: data.stream === true,
    tokens: data.max_output_tokens ?? defaultTokens,
    finishReason: data.max_output_tokens ? ('length' as const) : ('stop' as const),
    limit: data.max_output_tokens ?? null,
    includeObfuscation: data.stream_options?.include_obfuscation !== false,
    ...promptOf([...instructions, ...texts], 0),
  }
  return {
    ask,
    whole: (setting) => wholeResponse(ask, setting),
    streamed: (setting) => streamedResponse(ask, setting),
  }
}

interface Generation {
  model: string
  stream?: boolean | null | undefined
  stream_options?:
    | { include_usage?: boolean | null | undefined; include_obfuscation?: boolean | null | undefined }
    | null
    | undefined
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
  const ask: TextAsk = {
    endpoint,
    model: body.model,
    stream,
    includeUsage: body.stream_options?.include_usage === true,
    includeObfuscation: body.stream_options?.include_obfuscation !== false,
    tokens: limit ?? defaultTokens,
    finishReason: limit ? 'length' : 'stop',
    ...prompt,
  }
  return { ask, whole: (setting) => wholeText(ask, setting), streamed: (setting) => streamedText(ask, setting) }
}

/**
 * OpenAI's wire format of embeddings, as floats or base64 (little-endian float32, what the official clients ask for). The
 * vectors mean nothing: every component is plus or minus 1/sqrt(dimensions), the sign drawn from the input's hash. They have
 * unit length, an input always has the same one, and two inputs are near orthogonal, related or not.
 */

interface EmbeddingsAsk extends Ask {
  items: (string | readonly number[])[]
  dimensions: number
  encoding: 'float' | 'base64'
}

function wholeEmbeddings(ask: EmbeddingsAsk): Whole {
  const encode = ask.encoding === 'base64' ? base64Of : floatsOf
  const data = ask.items.map((item, index) => {
    const hash = hash32(typeof item === 'string' ? item : item.join())
    return `{"object":"embedding","index":${index},"embedding":${encode(hash, ask.dimensions)}}`
  })
  const usage = `{"prompt_tokens":${ask.promptTokens},"total_tokens":${ask.promptTokens}}`
  const head = `{"object":"list","data":[${data.join()}],"model":${JSON.stringify(ask.model)},"usage":${usage}`
  return (stamp) => `${head}${stamp}}`
}

function floatsOf(hash: number, dimensions: number): string {
  const plus = Math.fround(1 / Math.sqrt(dimensions)).toPrecision(9)
  const nextIsPlus = signsOf(hash)
  let text = ''
  for (let i = 0; i < dimensions; i++) text += nextIsPlus() ? `,${plus}` : `,-${plus}`
  return `[${text.slice(1)}]`
}

function base64Of(hash: number, dimensions: number): string {
  const plus = 1 / Math.sqrt(dimensions)
  const bytes = Buffer.allocUnsafe(dimensions * 4)
  const nextIsPlus = signsOf(hash)
  for (let i = 0; i < dimensions; i++) bytes.writeFloatLE(nextIsPlus() ? plus : -plus, i * 4)
  return `"${bytes.toString('base64')}"`
}

/** Fair signs from a 32-bit seed: the top bit of Marsaglia's xorshift32, which must not start at zero. */
function signsOf(hash: number): () => boolean {
  let x = hash || 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x < 0
  }
}
