/**
 * A chat completion request taken apart, for providers that speak another protocol. What cannot be said there is refused
 * and never dropped: an answer to another question is worse than none.
 */

import type { JsonObject } from '../http/context.ts'
import { type GatewayError, invalidRequest } from '../http/openai-error.ts'
import { listOf, objectOf, parse, textOf } from './json.ts'

export type Part = { kind: 'text'; text: string } | { kind: 'image'; mediaType: string; base64: string } | ImageUrl
export interface ImageUrl {
  kind: 'image_url'
  url: string
}

export interface Call {
  id: string
  name: string
  args: JsonObject
}

export type Turn =
  | { role: 'user'; parts: readonly Part[] }
  | { role: 'assistant'; parts: readonly Part[]; calls: readonly Call[] }
  | { role: 'tool'; callId: string; name: string; content: string }

export interface Tool {
  name: string
  description: string | undefined
  parameters: JsonObject | undefined
}

export interface ChatRequest {
  system: string
  turns: readonly Turn[]
  tools: readonly Tool[]
  /** 'auto' and its like, or the name of a tool that must be called. */
  toolChoice: 'auto' | 'none' | 'required' | { name: string } | undefined
  parallelCalls: boolean
  maxTokens: number | undefined
  stop: readonly string[]
  includeUsage: boolean
}

class NotSayable extends Error {}

/** Members that change an answer and that no other protocol here has; their neutral values pass. */
const NEUTRAL: Record<string, readonly unknown[]> = {
  logit_bias: [null, undefined],
  logprobs: [null, undefined, false],
  top_logprobs: [null, undefined, 0],
  functions: [null, undefined],
  function_call: [null, undefined],
  audio: [null, undefined],
  prediction: [null, undefined],
  web_search_options: [null, undefined],
}

/** `also` names further members that this provider cannot express, with the values that are no loss. */
export function readChat(
  json: JsonObject,
  protocol: string,
  also: Record<string, readonly unknown[]>,
): ChatRequest | GatewayError {
  for (const [name, neutral] of Object.entries({ ...NEUTRAL, ...also })) {
    const value = json[name]
    if (!neutral.includes(value)) return unsupported(name, protocol)
  }
  if (!Array.isArray(json.messages) || json.messages.length === 0) {
    return invalidRequest('invalid_type', "'messages' is not a list of messages")
  }
  try {
    return takeApart(json)
  } catch (error) {
    if (error instanceof NotSayable) return unsupported(error.message, protocol)
    throw error
  }
}

export function unsupported(what: string, protocol: string): GatewayError {
  return invalidRequest('unsupported_by_provider', `${what} cannot be said to a provider of the ${protocol} protocol`)
}

function takeApart(json: JsonObject): ChatRequest {
  const system: string[] = []
  const turns: Turn[] = []
  const names = new Map<string, string>()
  for (const given of listOf(json.messages)) {
    const message = objectOf(given)
    const role = textOf(message.role)
    if (role === 'system' || role === 'developer') system.push(plainText(message.content))
    else if (role === 'user') turns.push({ role, parts: partsOf(message.content) })
    else if (role === 'assistant') {
      const calls = listOf(message.tool_calls).map(callOf)
      for (const { id, name } of calls) names.set(id, name)
      turns.push({ role, parts: message.content == null ? [] : partsOf(message.content), calls })
    } else if (role === 'tool') {
      const callId = textOf(message.tool_call_id) ?? ''
      turns.push({ role, callId, name: names.get(callId) ?? callId, content: plainText(message.content) })
    } else throw new NotSayable(`a message of the role ${JSON.stringify(message.role)}`)
  }
  const maxTokens = json.max_completion_tokens ?? json.max_tokens
  const stop = json.stop ?? []
  return {
    system: system.join('\n\n'),
    turns,
    tools: listOf(json.tools).map(toolOf),
    toolChoice: toolChoiceOf(json.tool_choice),
    parallelCalls: json.parallel_tool_calls !== false,
    maxTokens: typeof maxTokens === 'number' ? maxTokens : undefined,
    stop: (typeof stop === 'string' ? [stop] : listOf(stop)).map(String),
    includeUsage: objectOf(json.stream_options).include_usage === true,
  }
}

function plainText(content: unknown): string {
  return partsOf(content)
    .map((part) => {
      if (part.kind === 'text') return part.text
      throw new NotSayable('an image in a message of that role')
    })
    .join('')
}

function partsOf(content: unknown): Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }]
  if (!Array.isArray(content)) throw new NotSayable('content that is neither text nor a list of parts')
  return content.map((given): Part => {
    const part = objectOf(given)
    if (part.type === 'text') return { kind: 'text', text: textOf(part.text) ?? '' }
    const url = textOf(objectOf(part.image_url).url)
    if (part.type !== 'image_url' || url === undefined) throw new NotSayable(`content of the type ${String(part.type)}`)
    const data = /^data:([\w.+-]+\/[\w.+-]+);base64,(.*)$/s.exec(url)
    return data?.[1] !== undefined && data[2] !== undefined
      ? { kind: 'image', mediaType: data[1], base64: data[2] }
      : { kind: 'image_url', url }
  })
}

function callOf(given: unknown): Call {
  const call = objectOf(given)
  const { name, arguments: args } = objectOf(call.function)
  const parsed = parse(textOf(args) || '{}')
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new NotSayable('tool arguments that are no JSON object')
  }
  return { id: textOf(call.id) ?? '', name: textOf(name) ?? '', args: objectOf(parsed) }
}

function toolOf(given: unknown): Tool {
  const tool = objectOf(given)
  if (tool.type !== 'function') throw new NotSayable(`a tool of the type ${String(tool.type)}`)
  const { name, description, parameters } = objectOf(tool.function)
  return {
    name: textOf(name) ?? '',
    description: textOf(description),
    parameters: parameters === undefined ? undefined : objectOf(parameters),
  }
}

function toolChoiceOf(given: unknown): ChatRequest['toolChoice'] {
  if (given === undefined || given === null) return undefined
  if (given === 'auto' || given === 'none' || given === 'required') return given
  const name = textOf(objectOf(objectOf(given).function).name)
  if (name === undefined) throw new NotSayable('this tool_choice')
  return { name }
}
