/**
 * Parses the bodies of OpenAI's text endpoints, as far as the provider acts on them, or refuses them as OpenAI would.
 * Everything else a client may send (tools, response_format, ...) is accepted and changes nothing about plain words;
 * what would change the shape of the answer and is not simulated (n, best_of, echo, several prompts) is refused.
 */

import { z } from 'zod'
import { accept, inputRefusal, MAX_TOKENS, type ParseOutcome, type RequestParser, refuse } from '../api.ts'
import { badRequest } from '../faults.ts'
import { inputItems, messageTexts, type Prompt, readItems, readPrompt } from '../text.ts'
import { streamedText, type TextRequest, wholeText } from './chat.ts'
import { streamedResponse, wholeResponse } from './responses.ts'

const model = z.string().min(1)
const one = z.literal(1, 'expected 1 (the simulated provider answers with one choice)').nullish()
const limit = z.int().min(1).max(MAX_TOKENS).nullish()
export const tokenIds = z.array(z.int().min(0)).min(1)
const part = z.looseObject({ type: z.string(), text: z.string().optional() })
const message = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(part)], 'expected a string or an array of content parts').nullish(),
})

const streamOptions = z
  .looseObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
  .nullish()

const generation = {
  model,
  stream: z.boolean().nullish(),
  stream_options: streamOptions,
  max_tokens: limit,
  n: one,
  seed: z.int().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
}

export const chatBody = z.looseObject({
  ...generation,
  messages: z.array(message).min(1),
  max_completion_tokens: limit,
})

export const completionsBody = z.looseObject({
  ...generation,
  prompt: z.union(
    [z.string(), z.array(z.string()).length(1), tokenIds, z.array(tokenIds).length(1)],
    'expected one prompt: a string, or an array of token ids',
  ),
  best_of: one,
  echo: z.literal(false, 'expected false (echo is not simulated)').nullish(),
})

/** An input item other than a message (a tool call's output, a reference) has no text and is let through. */
const inputItem = z.looseObject({
  content: z.union([z.string(), z.array(part)], 'expected a string or an array of content parts').nullish(),
})

const responsesBody = z.looseObject({
  model,
  input: z.union([z.string(), z.array(inputItem).min(1)], 'expected a string or an array of input items'),
  instructions: z.string().nullish(),
  max_output_tokens: limit,
  stream: z.boolean().nullish(),
  stream_options: streamOptions,
  temperature: generation.temperature,
  top_p: generation.top_p,
  background: z.literal(false, 'expected false (background responses are not simulated)').nullish(),
})

export const parseChat: RequestParser = (json, defaultTokens) => {
  const { success, data, error } = chatBody.safeParse(json, { reportInput: true })
  if (!success) return refuse(inputRefusal(error))
  const limit = data.max_completion_tokens ?? data.max_tokens
  return toTextRequest('chat', data, readPrompt(messageTexts(data.messages), 0, data.seed), limit, defaultTokens)
}

export const parseCompletions: RequestParser = (json, defaultTokens) => {
  const { success, data, error } = completionsBody.safeParse(json, { reportInput: true })
  if (!success) return refuse(inputRefusal(error))
  return toTextRequest(
    'completions',
    data,
    readItems(inputItems(data.prompt), data.seed),
    data.max_tokens,
    defaultTokens,
  )
}

export const parseResponses: RequestParser = (json, defaultTokens) => {
  const { success, data, error } = responsesBody.safeParse(json, { reportInput: true })
  if (!success) return refuse(inputRefusal(error))
  const texts = typeof data.input === 'string' ? [data.input] : messageTexts(data.input)
  const instructions = data.instructions ? [data.instructions] : []
  const request = {
    model: data.model,
    stream: data.stream === true,
    tokens: data.max_output_tokens ?? defaultTokens,
    finishReason: data.max_output_tokens ? ('length' as const) : ('stop' as const),
    limit: data.max_output_tokens ?? null,
    includeObfuscation: data.stream_options?.include_obfuscation !== false,
    ...readPrompt([...instructions, ...texts], 0),
  }
  return accept({
    request,
    whole: (context) => wholeResponse(request, context),
    streamed: (context) => streamedResponse(request, context),
  })
}

interface Generation {
  model: string
  stream?: boolean | null | undefined
  stream_options?:
    | { include_usage?: boolean | null | undefined; include_obfuscation?: boolean | null | undefined }
    | null
    | undefined
}

function toTextRequest(
  endpoint: TextRequest['endpoint'],
  body: Generation,
  prompt: Prompt,
  limit: number | null | undefined,
  defaultTokens: number,
): ParseOutcome {
  const stream = body.stream === true
  if (body.stream_options && !stream) {
    return refuse(badRequest("'stream_options' is only allowed with 'stream': true.", 'stream_options'))
  }
  const request: TextRequest = {
    endpoint,
    model: body.model,
    stream,
    includeUsage: body.stream_options?.include_usage === true,
    includeObfuscation: body.stream_options?.include_obfuscation !== false,
    tokens: limit ?? defaultTokens,
    finishReason: limit ? 'length' : 'stop',
    ...prompt,
  }
  return accept({
    request,
    whole: (context) => wholeText(request, context),
    streamed: (context) => streamedText(request, context),
  })
}
