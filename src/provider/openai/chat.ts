/**
 * OpenAI's chat completions and legacy completions, whole (JSON) and streamed (SSE). Strings only: when they are written is
 * src/provider/stream.ts's business.
 */

import { z } from 'zod'
import { type Ask, bearerOf, type Dialect, MAX_TOKENS, type Setting, type Streamed, type Whole } from '../ask.ts'
import type { Refusal } from '../faults.ts'
import { textOf } from '../prompt.ts'

/** OpenAI's dialect: a bearer token, and errors as `{error: {message, type, param, code}}`. */

export const openai: Dialect = {
  keyPlace: 'Authorization: Bearer KEY',
  keyOf: ({ authorization }) => bearerOf(authorization),
  statusOf: ({ status }) => status,
  refusalBody: errorBody,
  requestIdHeader: 'x-request-id',
}

function errorBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}

/**
 * The request bodies the provider understands, as far as it acts on them; everything else a client may send (tools,
 * response_format, ...) is accepted and changes nothing about plain words. What would change the shape of the answer and is
 * not simulated (n, best_of, echo, several prompts) is refused.
 */

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

export interface TextAsk extends Ask {
  endpoint: 'chat' | 'completions'
  includeUsage: boolean
  /** False where the request switched the padding off. */
  includeObfuscation: boolean
}

export function wholeText(ask: TextAsk, setting: Setting): Whole {
  const chat = ask.endpoint === 'chat'
  const head = `${headOf(ask, setting, false)},"choices":[{"index":0,${chat ? '"message":{"role":"assistant","content":"' : '"text":"'}${textOf(ask.tokens)}`
  const message = chat ? '","refusal":null,"annotations":[]}' : '"'
  const tail = `${message},"logprobs":null,"finish_reason":"${ask.finishReason}"}],"usage":${usageOf(ask, setting)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

export function streamedText(ask: TextAsk, setting: Setting): Streamed {
  const chat = ask.endpoint === 'chat'
  const head = `data: ${headOf(ask, setting, true)}`
  const usageAside = ask.includeUsage ? ',"usage":null' : ''
  const pads = setting.shape.obfuscation && ask.includeObfuscation
  const padOf = (chars: number) => (pads ? `,"obfuscation":"${paddingFor(chars)}"` : '')
  const choice = (content: string, reason: string, chars: number) =>
    `,"choices":[{"index":0,${content},"logprobs":null,"finish_reason":${reason}}]${usageAside}${padOf(chars)}}\n\n`
  const role = choice('"delta":{"role":"assistant","content":"","refusal":null}', 'null', 0)
  const finish = choice(chat ? '"delta":{}' : '"text":""', `"${ask.finishReason}"`, 0)
  const usage = ask.includeUsage ? `,"choices":[],"usage":${usageOf(ask, setting)}${padOf(0)}}\n\n` : undefined
  const filter = setting.shape.promptFilterEvent ? PROMPT_FILTER : ''
  const tailOf = remembered(`${ask.endpoint} ${ask.includeUsage} ${pads}`, (text) =>
    choice(chat ? `"delta":{"content":"${text}"}` : `"text":"${text}"`, 'null', text.length),
  )
  return {
    open: (stamp) => (chat ? filter + head + stamp + role : ''),
    event: (text, _tokens, stamp) => head + stamp + tailOf(text),
    close: (stamp) => `${head}${stamp}${finish}${usage ? head + stamp + usage : ''}data: [DONE]\n\n`,
    fail: (refusal) => `data: ${errorBody(refusal)}\n\n`,
  }
}

const MAX_REMEMBERED = 1_000

const memory = new Map<string, Map<string, string>>()

/** `build`, remembering what it made of the texts seen first: the single tokens, as long as they are not stamped. */
function remembered(kind: string, build: (text: string) => string): (text: string) => string {
  const known = memory.get(kind) ?? new Map<string, string>()
  memory.set(kind, known)
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const built = build(text)
    if (known.size < MAX_REMEMBERED) known.set(text, built)
    return built
  }
}

function headOf(ask: TextAsk, { id, created }: Setting, chunk: boolean): string {
  const [prefix, object] =
    ask.endpoint === 'chat' ? ['chatcmpl', `chat.completion${chunk ? '.chunk' : ''}`] : ['cmpl', 'text_completion']
  return `{"id":"${prefix}-${id}","object":"${object}","created":${created},"model":${JSON.stringify(ask.model)}`
}

function usageOf({ promptTokens, tokens }: TextAsk, { reasoningTokens }: Setting): string {
  const billed = tokens + reasoningTokens
  const details = `"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":${reasoningTokens}}`
  return `{"prompt_tokens":${promptTokens},"completion_tokens":${billed},"total_tokens":${promptTokens + billed},${details}}`
}

const LETTERS = 'hQ7xkTz2mWbLr9cVfN4sYpJd'

const SHORT = 10

const STEP = 16

/** Fills a text to 10 characters, a longer one to 26, 42, ..., as the sizes in recorded streams of April 2025 models do. */
export function paddingFor(chars: number): string {
  const filled = chars <= SHORT ? SHORT : SHORT + STEP * Math.ceil((chars - SHORT) / STEP)
  return LETTERS.slice(0, filled - chars)
}

const SAFE = '{"filtered":false,"severity":"safe"}'

const FILTER_RESULTS = `{"hate":${SAFE},"jailbreak":{"filtered":false,"detected":false},"self_harm":${SAFE},"sexual":${SAFE},"violence":${SAFE}}`

/** Azure's first event: neither id nor model, and no choice. */
const PROMPT_FILTER = `data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":${FILTER_RESULTS}}]}\n\n`
