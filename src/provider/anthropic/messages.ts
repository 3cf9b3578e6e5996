/**
 * Anthropic's Messages API: reads its body, and writes the message whole (JSON) or streamed (SSE with named events). The
 * stamp is a member of each event, beside the official ones: the format has no extension point within a delta.
 */
import { z } from 'zod'
import {
  type Ask,
  bearerOf,
  type Dialect,
  MAX_TOKENS,
  refusalOfInput,
  type Setting,
  type Streamed,
  type Understand,
  type Whole,
} from '../ask.ts'
import { badRequest, type Refusal } from '../faults.ts'
import { promptOf, textOf, textsOf } from '../prompt.ts'

/** Anthropic's dialect: the key in x-api-key, a version header, and errors as `{type: 'error', error: {type, message}}`. */

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}

export const anthropic: Dialect = {
  keyPlace: 'x-api-key: KEY',
  keyOf: (headers) => {
    const key = headers['x-api-key']
    return typeof key === 'string' ? key : bearerOf(headers.authorization)
  },
  refusalOfHeaders: (headers) =>
    headers['anthropic-version'] === undefined ? badRequest('anthropic-version: header is required') : undefined,
  statusOf,
  refusalBody: (refusal, requestId) =>
    JSON.stringify({ type: 'error', error: errorOf(refusal), request_id: requestId }),
  requestIdHeader: 'request-id',
}

/** Anthropic has a status of its own for "overloaded". */
function statusOf({ status }: Refusal): number {
  return status === 503 ? 529 : status
}

function errorOf(refusal: Refusal): { type: string; message: string } {
  return { type: TYPES[statusOf(refusal)] ?? 'invalid_request_error', message: refusal.message }
}

const block = z.looseObject({ type: z.string(), text: z.string().optional() })

const content = z.union([z.string(), z.array(block)], 'expected a string or an array of content blocks')

const body = z.looseObject({
  model: z.string().min(1),
  max_tokens: z.int().min(1).max(MAX_TOKENS),
  messages: z.array(z.looseObject({ role: z.enum(['user', 'assistant']), content })).min(1),
  system: content.nullish(),
  stream: z.boolean().nullish(),
  temperature: z.number().min(0).max(1).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
})

export const understandMessages: Understand = (json) => {
  const { success, data, error } = body.safeParse(json, { reportInput: true })
  if (!success) return { refusal: refusalOfInput(error) }
  const ask: Ask = {
    model: data.model,
    stream: data.stream === true,
    tokens: data.max_tokens,
    finishReason: 'length',
    ...promptOf(textsOf([{ content: data.system }, ...data.messages]), 0),
  }
  return { ask, whole: (setting) => wholeMessage(ask, setting), streamed: (setting) => streamedMessage(ask, setting) }
}

const CACHED = '"cache_creation_input_tokens":0,"cache_read_input_tokens":0'

const CACHE_CREATION = '"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}'

function headOf({ model }: Ask, { id }: Setting): string {
  return `"model":${JSON.stringify(model)},"id":"msg_${id}","type":"message","role":"assistant"`
}

function stopOf({ finishReason }: Ask): string {
  return `"stop_reason":"${finishReason === 'length' ? 'max_tokens' : 'end_turn'}","stop_sequence":null`
}

/** The usage in a message; at the end of a stream it is shorter. */
function usageOf({ promptTokens }: Ask, outputTokens: number): string {
  const service = '"service_tier":"standard","inference_geo":"not_available"'
  return `{"input_tokens":${promptTokens},${CACHED},${CACHE_CREATION},"output_tokens":${outputTokens},${service}}`
}

function wholeMessage(ask: Ask, setting: Setting): Whole {
  const head = `{${headOf(ask, setting)},"content":[{"type":"text","text":"${textOf(ask.tokens)}`
  const tail = `"}],${stopOf(ask)},"usage":${usageOf(ask, ask.tokens + setting.reasoningTokens)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

function streamedMessage(ask: Ask, setting: Setting): Streamed {
  const start = `{${headOf(ask, setting)},"content":[],"stop_reason":null,"stop_sequence":null,"usage":${usageOf(ask, 1)}}`
  const billed = ask.tokens + setting.reasoningTokens
  const usage = `{"input_tokens":${ask.promptTokens},${CACHED},"output_tokens":${billed}}`
  return {
    open: (stamp) =>
      named('message_start', `,"message":${start}`, stamp) +
      named('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}', stamp) +
      named('ping', '', stamp),
    event: (text, _tokens, stamp) => `${DELTA + text}"}${stamp}}\n\n`,
    close: (stamp) =>
      named('content_block_stop', ',"index":0', stamp) +
      named('message_delta', `,"delta":{${stopOf(ask)}},"usage":${usage}`, stamp) +
      named('message_stop', '', stamp),
    fail: (refusal, stamp) => named('error', `,"error":${JSON.stringify(errorOf(refusal))}`, stamp),
  }
}

const DELTA =
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'

function named(type: string, members: string, stamp: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${members}${stamp}}\n\n`
}
