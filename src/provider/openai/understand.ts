/** Reads the bodies of OpenAI's endpoints, or refuses them as OpenAI would. */
import { refusalOfInput, type Understand, type Understood } from '../ask.ts'
import { itemsOf, type Prompt, promptOf, promptOfItems, textsOf } from '../prompt.ts'
import { badRequest } from '../refusal.ts'
import { streamedText, type TextAsk, wholeText } from './chat.ts'
import { type EmbeddingsAsk, wholeEmbeddings } from './embeddings.ts'
import { streamedResponse, wholeResponse } from './responses.ts'
import { chatBody, completionsBody, embeddingsBody, responsesBody } from './schemas.ts'

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
