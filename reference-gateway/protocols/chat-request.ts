/**
 * Parses a chat completion request for providers that speak another protocol. A parameter that the provider does not
 * support is refused and never dropped: the response to a different request would be worse than an error.
 */

import { z } from 'zod'
import { success } from '../../src/errors.ts'
import type { SignedReasoning } from '../../src/wire/answer.ts'
import { asObject, type JsonObject } from '../../src/wire/json.ts'
import { type GatewayError, type GatewayResult, invalidRequest, refused } from '../http/gateway-error.ts'
import { findUnknown, NEUTRAL } from './chat-members.ts'
import { parse } from './json.ts'

export type Part = { kind: 'text'; text: string } | { kind: 'image'; mediaType: string; base64: string } | ImageUrl
interface ImageUrl {
  kind: 'image_url'
  url: string
}

export interface ToolCallRequest {
  id: string
  name: string
  args: JsonObject
  /** Google's, from an earlier answer. */
  signature: string | undefined
}

export type Turn =
  | { role: 'user'; parts: readonly Part[] }
  | { role: 'assistant'; parts: readonly Part[]; calls: readonly ToolCallRequest[]; signed: readonly SignedReasoning[] }
  | { role: 'tool'; callId: string; name: string; content: string }

interface Tool {
  name: string
  description: string | undefined
  parameters: JsonObject | undefined
}

export interface ChatRequest {
  system: string
  turns: readonly Turn[]
  tools: readonly Tool[]
  /** One of OpenAI's words, or the name of a tool that must be called. */
  toolChoice: 'auto' | 'none' | 'required' | { name: string } | undefined
  parallelCalls: boolean
  maxTokens: number | undefined
  stop: readonly string[]
  includeUsage: boolean
  format: Chat['response_format'] | undefined
}

class UnsupportedParameter extends Error {}

/** Passed on as it is. */
const anyObject = z.custom<JsonObject>((value) => asObject(value) !== undefined)
const contentShape = z.union([
  z.string(),
  z.array(
    z.object({
      type: z.string(),
      text: z.string().nullish(),
      image_url: z.object({ url: z.string() }).nullish(),
    }),
  ),
])
const callShape = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
  extra_content: z.object({ google: z.object({ thought_signature: z.string() }) }).nullish(),
})
/** Signed reasoning of an earlier answer, as chat-response.ts writes it. */
const detailShape = z.object({
  text: z.string().nullish(),
  signature: z.string().nullish(),
  data: z.string().nullish(),
})
const toolShape = z.object({
  type: z.string(),
  function: z
    .object({ name: z.string().nullish(), description: z.string().nullish(), parameters: anyObject.nullish() })
    .nullish(),
})
const messageShape = z.object({
  role: z.string(),
  content: contentShape.nullish(),
  tool_calls: z.array(callShape).nullish(),
  tool_call_id: z.string().nullish(),
  reasoning_details: z.array(detailShape).nullish(),
})
const NO_MESSAGES = 'is not a list of messages'
const WRONG_TYPE = 'is missing or not of its type'
/** The members that are read here; the provider judges all others. */
const chatShape = z.object({
  messages: z.array(messageShape, NO_MESSAGES).min(1, NO_MESSAGES),
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
type Content = Chat['messages'][number]['content']

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
    if (error instanceof UnsupportedParameter) return refused(unsupported(error.message, provider))
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
  const system: string[] = []
  const turns: Turn[] = []
  const names = new Map<string, string>()
  for (const { role, content, tool_calls, tool_call_id, reasoning_details } of chat.messages) {
    if (role === 'system' || role === 'developer') system.push(plainText(content))
    else if (role === 'user') turns.push({ role, parts: partsOf(content) })
    else if (role === 'assistant') {
      const calls = (tool_calls ?? []).map(callOf)
      for (const { id, name } of calls) names.set(id, name)
      const signed = (reasoning_details ?? []).map(signedOf)
      turns.push({ role, parts: content == null ? [] : partsOf(content), calls, signed })
    } else if (role === 'tool') {
      const callId = tool_call_id ?? ''
      turns.push({ role, callId, name: names.get(callId) ?? callId, content: plainText(content) })
    } else throw new UnsupportedParameter(`a message of the role ${JSON.stringify(role)}`)
  }
  const stop = chat.stop ?? []
  return {
    system: system.join('\n\n'),
    turns,
    tools: (chat.tools ?? []).map(toolOf),
    toolChoice: toolChoiceOf(chat.tool_choice),
    parallelCalls: chat.parallel_tool_calls !== false,
    maxTokens: chat.max_completion_tokens ?? chat.max_tokens ?? undefined,
    stop: typeof stop === 'string' ? [stop] : stop,
    includeUsage: chat.stream_options?.include_usage === true,
    format: chat.response_format ?? undefined,
  }
}

function plainText(content: Content): string {
  return partsOf(content)
    .map((part) => {
      if (part.kind === 'text') return part.text
      throw new UnsupportedParameter('an image in a message of that role')
    })
    .join('')
}

function partsOf(content: Content): Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!content) throw new UnsupportedParameter('content that is neither text nor a list of parts')
  return content.map(({ type, text, image_url: image }): Part => {
    if (type === 'text') return { kind: 'text', text: text ?? '' }
    if (type !== 'image_url' || !image) throw new UnsupportedParameter(`content of the type ${type}`)
    const data = /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(image.url)
    return data?.[1] !== undefined && data[2] !== undefined
      ? { kind: 'image', mediaType: data[1], base64: data[2] }
      : { kind: 'image_url', url: image.url }
  })
}

function signedOf({ text, signature, data }: z.output<typeof detailShape>): SignedReasoning {
  const mark = signature ?? data
  if (!mark) throw new UnsupportedParameter('reasoning without the signature that it came with')
  return { text: text ?? '', signature: mark }
}

function callOf({ id, function: called, extra_content: extra }: z.output<typeof callShape>): ToolCallRequest {
  const args = asObject(parse(called?.arguments || '{}'))
  if (!args) throw new UnsupportedParameter('tool arguments that are no JSON object')
  return { id: id ?? '', name: called?.name ?? '', args, signature: extra?.google.thought_signature }
}

function toolOf({ type, function: described }: z.output<typeof toolShape>): Tool {
  if (type !== 'function') throw new UnsupportedParameter(`a tool of the type ${type}`)
  const { name, description, parameters } = described ?? {}
  return { name: name ?? '', description: description ?? undefined, parameters: parameters ?? undefined }
}

function toolChoiceOf(given: Chat['tool_choice']): ChatRequest['toolChoice'] {
  if (given === undefined || given === null) return undefined
  if (given === 'auto' || given === 'none' || given === 'required') return given
  if (typeof given === 'string' || !given.function) throw new UnsupportedParameter('this tool_choice')
  return { name: given.function.name }
}
