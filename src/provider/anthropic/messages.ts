/**
 * Anthropic's Messages API: reads its body, and writes the message whole (JSON) or streamed (SSE with named events).
 * The stamp is a member of each event, beside the official ones: the format has no extension point within a delta.
 */
import { z } from 'zod'
import {
  type AnswerBody,
  type ApiFlavor,
  accept,
  bearerToken,
  inputRefusal,
  MAX_TOKENS,
  type ParsedRequest,
  type ReplyContext,
  type RequestParser,
  refuse,
  type StreamEvents,
} from '../api.ts'
import { badRequest, type Refusal } from '../faults.ts'
import { answerText, messageTexts, readPrompt } from '../text.ts'

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

/** The key in x-api-key, a version header, and errors as `{type: 'error', error: {type, message}}`. */
export const anthropic: ApiFlavor = {
  keyPlace: 'x-api-key: KEY',
  readKey: (headers) => {
    const key = headers['x-api-key']
    return typeof key === 'string' ? key : bearerToken(headers.authorization)
  },
  checkHeaders: (headers) =>
    headers['anthropic-version'] === undefined ? badRequest('anthropic-version: header is required') : undefined,
  toStatus: statusOf,
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

export const parseMessages: RequestParser = (json) => {
  const { success, data, error } = body.safeParse(json, { reportInput: true })
  if (!success) return refuse(inputRefusal(error))
  const request: ParsedRequest = {
    model: data.model,
    stream: data.stream === true,
    tokens: data.max_tokens,
    finishReason: 'length',
    ...readPrompt(messageTexts([{ content: data.system }, ...data.messages]), 0),
  }
  return accept({
    request,
    whole: (context) => wholeMessage(request, context),
    streamed: (context) => streamedMessage(request, context),
  })
}

const CACHED = '"cache_creation_input_tokens":0,"cache_read_input_tokens":0'

const CACHE_CREATION = '"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}'

function headOf({ model }: ParsedRequest, { id }: ReplyContext): string {
  return `"model":${JSON.stringify(model)},"id":"msg_${id}","type":"message","role":"assistant"`
}

function stopOf({ finishReason }: ParsedRequest): string {
  return `"stop_reason":"${finishReason === 'length' ? 'max_tokens' : 'end_turn'}","stop_sequence":null`
}

/** The usage in a message; at the end of a stream it is shorter. */
function usageOf({ promptTokens }: ParsedRequest, outputTokens: number): string {
  const service = '"service_tier":"standard","inference_geo":"not_available"'
  return `{"input_tokens":${promptTokens},${CACHED},${CACHE_CREATION},"output_tokens":${outputTokens},${service}}`
}

function wholeMessage(request: ParsedRequest, context: ReplyContext): AnswerBody {
  const head = `{${headOf(request, context)},"content":[{"type":"text","text":"${answerText(request.tokens)}`
  const tail = `"}],${stopOf(request)},"usage":${usageOf(request, request.tokens + context.reasoningTokens)}`
  return (stamp, textEnd) => `${head}${textEnd}${tail}${stamp}}`
}

function streamedMessage(request: ParsedRequest, context: ReplyContext): StreamEvents {
  const usageAtStart = usageOf(request, 1)
  const noEnd = '"stop_reason":null,"stop_sequence":null'
  const start = `{${headOf(request, context)},"content":[],${noEnd},"usage":${usageAtStart}}`
  const billed = request.tokens + context.reasoningTokens
  const usage = `{"input_tokens":${request.promptTokens},${CACHED},"output_tokens":${billed}}`
  return {
    open: (stamp) =>
      named('message_start', `,"message":${start}`, stamp) +
      named('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}', stamp) +
      named('ping', '', stamp),
    event: (text, _tokens, stamp) => `${DELTA + text}"}${stamp}}\n\n`,
    close: (stamp) =>
      named('content_block_stop', ',"index":0', stamp) +
      named('message_delta', `,"delta":{${stopOf(request)}},"usage":${usage}`, stamp) +
      named('message_stop', '', stamp),
    fail: (refusal, stamp) => named('error', `,"error":${JSON.stringify(errorOf(refusal))}`, stamp),
  }
}

const DELTA =
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'

function named(type: string, members: string, stamp: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${members}${stamp}}\n\n`
}
