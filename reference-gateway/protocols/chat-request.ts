/**
 * Parses a chat completion request for providers that speak another protocol. A parameter that the provider does not
 * support is refused and never dropped: the response to a different request would be worse than an error.
 */

import { z } from 'zod'
import { success } from '../../src/errors.ts'
import { chatMessages } from '../../src/wire/chat-messages.ts'
import { type ChatTurns, readTurns, UnsupportedByOthers } from '../../src/wire/chat-turns.ts'
import { asObject, type JsonObject } from '../../src/wire/json.ts'
import { type GatewayError, type GatewayResult, invalidRequest, refused } from '../http/gateway-error.ts'
import { findUnknown, NEUTRAL } from './chat-members.ts'

interface Tool {
  name: string
  description: string | undefined
  parameters: JsonObject | undefined
}

export interface ChatRequest extends ChatTurns {
  tools: readonly Tool[]
  /** One of OpenAI's words, or the name of a tool that must be called. */
  toolChoice: 'auto' | 'none' | 'required' | { name: string } | undefined
  parallelCalls: boolean
  maxTokens: number | undefined
  stop: readonly string[]
  includeUsage: boolean
  format: Chat['response_format'] | undefined
}

/** Passed on as it is. */
const anyObject = z.custom<JsonObject>((value) => asObject(value) !== undefined)
const toolShape = z.object({
  type: z.string(),
  function: z
    .object({ name: z.string().nullish(), description: z.string().nullish(), parameters: anyObject.nullish() })
    .nullish(),
})
const WRONG_TYPE = 'is missing or not of its type'
/** The members that are read here; the provider judges all others. */
const chatShape = z.object({
  messages: chatMessages,
  tools: z.array(toolShape).nullish(),
  tool_choice: z.union([z.string(), z.object({ function: z.object({ name: z.string() }).nullish() })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_tokens: z.number().nullish(),
  max_completion_tokens: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  response_format: z
    .object({ type: z.string(), json_schema: z.object({ schema: anyObject.nullish() }).nullish() })
    .nullish(),
})
type Chat = z.output<typeof chatShape>

/** What a protocol takes of a chat besides what all do. */
export interface ChatSupport {
  /** Members of the request that it carries. */
  carried: readonly string[]
  /** Further members that it does not support, with their neutral values. */
  neutral: Record<string, readonly unknown[]>
}

export function parseChatRequest(
  json: JsonObject,
  provider: string,
  { carried, neutral }: ChatSupport,
): GatewayResult<ChatRequest> {
  const read = chatShape.safeParse(json, { error: () => WRONG_TYPE })
  if (!read.success) return refused(wrongType(read.error))
  const unknown = findUnknown(json, carried, { ...NEUTRAL, ...neutral })
  if (unknown !== undefined) return refused(unsupported(unknown, provider))
  try {
    return success(readChat(read.data))
  } catch (error) {
    if (error instanceof UnsupportedByOthers) return refused(unsupported(error.message, provider))
    throw error
  }
}

export function unsupported(what: string, provider: string): GatewayError {
  return invalidRequest('unsupported_by_provider', `provider '${provider}' does not support ${what}`)
}

/** Names the first member that is wrong, as `messages[0].content`. */
function wrongType({ issues }: z.ZodError): GatewayError {
  const { path = [], message = WRONG_TYPE } = issues[0] ?? {}
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  return invalidRequest('invalid_type', `'${place.slice(1)}' ${message}`)
}

function readChat(chat: Chat): ChatRequest {
  const stop = chat.stop ?? []
  return {
    ...readTurns(chat.messages),
    tools: (chat.tools ?? []).map(toolOf),
    toolChoice: toolChoiceOf(chat.tool_choice),
    parallelCalls: chat.parallel_tool_calls !== false,
    maxTokens: chat.max_completion_tokens ?? chat.max_tokens ?? undefined,
    stop: typeof stop === 'string' ? [stop] : stop,
    includeUsage: chat.stream_options?.include_usage === true,
    format: chat.response_format ?? undefined,
  }
}

function toolOf({ type, function: described }: z.output<typeof toolShape>): Tool {
  if (type !== 'function') throw new UnsupportedByOthers(`a tool of the type ${type}`)
  const { name, description, parameters } = described ?? {}
  return { name: name ?? '', description: description ?? undefined, parameters: parameters ?? undefined }
}

function toolChoiceOf(given: Chat['tool_choice']): ChatRequest['toolChoice'] {
  if (given === undefined || given === null) return undefined
  if (given === 'auto' || given === 'none' || given === 'required') return given
  if (typeof given === 'string' || !given.function) throw new UnsupportedByOthers('this tool_choice')
  return { name: given.function.name }
}
