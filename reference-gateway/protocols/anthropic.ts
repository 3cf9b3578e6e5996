/**
 * Translates OpenAI's chat completion requests for Anthropic's Messages API. chat-response.ts translates the response.
 */

import { AnthropicReader, anthropic as format, messagesRequest } from '../../src/wire/anthropic.ts'
import { endpointOf } from '../../src/wire/endpoints.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { anthropicMessages } from '../../src/wire/turn-writers.ts'
import { chatProtocol } from './chat-protocol.ts'
import type { ChatRequest } from './chat-request.ts'

/** Anthropic requires a limit; OpenAI's clients need not set one. */
const DEFAULT_MAX_TOKENS = 4_096

/** `thinking`, `top_k` and `cache_control` are Anthropic's own words. */
const SUPPORT = {
  carried: ['user', 'thinking', 'top_k', 'cache_control'],
  neutral: { n: [1], frequency_penalty: [0], presence_penalty: [0] },
}

const { keyHeader, headers } = endpointOf('messages')

export const anthropic = chatProtocol({
  credentials: keyHeader,
  headers: Object.entries(headers).flat(),
  support: SUPPORT,
  translate: (chat, json) => {
    const { temperature, user } = json
    if (typeof temperature === 'number' && temperature > 1) return { unsupported: 'a temperature above 1' }
    if (chat.format && chat.format.type !== 'text') return { unsupported: 'response_format' }
    if (user !== undefined && user !== null && typeof user !== 'string') {
      return { unsupported: 'a user that is no string' }
    }
    return { path: format.path, body: translateRequest(json, chat) }
  },
  reader: () => new AnthropicReader(),
})

function translateRequest(json: JsonObject, chat: ChatRequest): JsonObject {
  return {
    ...messagesRequest(json.model, chat.maxTokens ?? DEFAULT_MAX_TOKENS, chat.system, anthropicMessages(chat.turns)),
    ...given('temperature', json.temperature),
    ...given('top_p', json.top_p),
    ...given('stream', json.stream),
    ...given('top_k', json.top_k),
    ...given('thinking', json.thinking),
    ...given('cache_control', json.cache_control),
    ...(typeof json.user === 'string' && { metadata: { user_id: json.user } }),
    ...(chat.stop.length > 0 && { stop_sequences: chat.stop }),
    ...(chat.tools.length > 0 && { tools: chat.tools.map(toolOf), ...toolChoiceOf(chat) }),
  }
}

function given(name: string, value: unknown): JsonObject {
  return value === undefined || value === null ? {} : { [name]: value }
}

function toolOf({ name, description, parameters }: ChatRequest['tools'][number]): JsonObject {
  return {
    name,
    ...(description !== undefined && { description }),
    input_schema: parameters ?? { type: 'object', properties: {} },
  }
}

function toolChoiceOf({ toolChoice, parallelCalls }: ChatRequest): JsonObject {
  const one = parallelCalls ? {} : { disable_parallel_tool_use: true }
  if (typeof toolChoice === 'object') return { tool_choice: { type: 'tool', name: toolChoice.name, ...one } }
  switch (toolChoice) {
    case 'none':
      return { tool_choice: { type: 'none' } }
    case 'required':
      return { tool_choice: { type: 'any', ...one } }
    case 'auto':
      return { tool_choice: { type: 'auto', ...one } }
    case undefined:
      return parallelCalls ? {} : { tool_choice: { type: 'auto', ...one } }
    default:
      return toolChoice satisfies never
  }
}
