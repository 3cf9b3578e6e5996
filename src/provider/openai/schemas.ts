/**
 * The request bodies the provider understands, as far as it acts on them; everything else a client may send (tools,
 * response_format, ...) is accepted and changes nothing about plain words. What would change the shape of the answer and is
 * not simulated (n, best_of, echo, several prompts) is refused.
 */
import { z } from 'zod'
import { MAX_TOKENS } from '../limits.ts'

const MAX_DIMENSIONS = 4_096
const MAX_INPUTS = 2_048

const model = z.string().min(1)
const one = z.literal(1, 'expected 1 (the simulated provider answers with one choice)').nullish()
const limit = z.int().min(1).max(MAX_TOKENS).nullish()
const ids = z.array(z.int().min(0)).min(1)
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
    [z.string(), z.array(z.string()).length(1), ids, z.array(ids).length(1)],
    'expected one prompt: a string, or an array of token ids',
  ),
  best_of: one,
  echo: z.literal(false, 'expected false (echo is not simulated)').nullish(),
})

export const embeddingsBody = z.looseObject({
  model,
  input: z.union(
    [z.string().min(1), z.array(z.string().min(1)).min(1).max(MAX_INPUTS), ids, z.array(ids).min(1).max(MAX_INPUTS)],
    `expected a string, up to ${MAX_INPUTS} strings, or arrays of token ids, none of them empty`,
  ),
  dimensions: z.int().min(1).max(MAX_DIMENSIONS).nullish(),
  encoding_format: z.enum(['float', 'base64']).nullish(),
})

/** An input item other than a message (a tool call's output, a reference) has no text and is let through. */
const inputItem = z.looseObject({
  content: z.union([z.string(), z.array(part)], 'expected a string or an array of content parts').nullish(),
})

export const responsesBody = z.looseObject({
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
