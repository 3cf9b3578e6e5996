/**
 * Parses the bodies of OpenAI's text endpoints, as far as the provider acts on them, or refuses them as OpenAI would.
 * Everything else a client may send (tools, response_format, ...) is accepted and changes nothing about plain words;
 * what would change the shape of the answer and is not simulated (n, best_of, echo, several prompts) is refused.
 */

import { z } from 'zod'
import { writeOpenaiError } from '../wire/openai.ts'
import { openaiChat, openaiChatWriter } from '../wire/openai-chat.ts'
import { openaiCompletions, openaiCompletionsWriter } from '../wire/openai-completions.ts'
import { openaiResponses, openaiResponsesWriter } from '../wire/openai-responses.ts'
import { type ApiFlavor, bearerToken, MAX_TOKENS, type ProviderApi, type TextRequest, textParser } from './api.ts'
import { badRequest, type Refusal } from './faults.ts'
import { inputItems, messageTexts, type Prompt, readItems, readPrompt } from './text.ts'

/** A bearer token. */
export const openai: ApiFlavor = {
  keyPlace: 'Authorization: Bearer KEY',
  readKey: ({ authorization }) => bearerToken(authorization),
  toStatus: (status) => status,
  writeError: writeOpenaiError,
  requestIdHeader: 'x-request-id',
}

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

export const chatApi: ProviderApi = {
  flavor: openai,
  path: `/v1${openaiChat.path}`,
  parse: textParser(chatBody, openaiChatWriter, (body) =>
    readGeneration(
      body,
      body.max_completion_tokens ?? body.max_tokens,
      readPrompt(messageTexts(body.messages), 0, body.seed),
    ),
  ),
}

export const completionsApi: ProviderApi = {
  flavor: openai,
  path: `/v1${openaiCompletions.path}`,
  parse: textParser(completionsBody, openaiCompletionsWriter, (body) =>
    readGeneration(body, body.max_tokens, readItems(inputItems(body.prompt), body.seed)),
  ),
}

export const responsesApi: ProviderApi = {
  flavor: openai,
  path: `/v1${openaiResponses.path}`,
  parse: textParser(responsesBody, openaiResponsesWriter, (body) => {
    const { model, stream, input, instructions, max_output_tokens: limit, stream_options: streamOptions } = body
    const texts = typeof input === 'string' ? [input] : messageTexts(input)
    return {
      model,
      stream,
      limit,
      streamOptions,
      prompt: readPrompt([...(instructions ? [instructions] : []), ...texts], 0),
    }
  }),
}

function readGeneration(
  { model, stream, stream_options: streamOptions }: z.output<typeof chatBody> | z.output<typeof completionsBody>,
  limit: number | null | undefined,
  prompt: Prompt,
): TextRequest | Refusal {
  if (streamOptions && !stream) {
    return badRequest("'stream_options' is only allowed with 'stream': true.", 'stream_options')
  }
  return { model, stream, limit, streamOptions, prompt }
}
