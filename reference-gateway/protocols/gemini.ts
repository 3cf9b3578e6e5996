/**
 * Translates OpenAI's chat completion requests for Gemini's generateContent. chat-response.ts translates the response.
 */

import { endpointOf } from '../../src/wire/endpoints.ts'
import { GeminiReader, generatePath, generateRequest } from '../../src/wire/gemini.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { geminiContents, namesImages } from '../../src/wire/turn-writers.ts'
import { chatProtocol } from './chat-protocol.ts'
import type { ChatRequest } from './chat-request.ts'

const SUPPORT = { carried: ['seed', 'presence_penalty', 'frequency_penalty', 'n', 'top_k'], neutral: {} }

export const gemini = chatProtocol({
  credentials: endpointOf('gemini').keyHeader,
  headers: [],
  support: SUPPORT,
  translate: (chat, json, { model, stream }) => {
    if (namesImages(chat.turns)) return { unsupported: 'an image that is not a data: URL' }
    if (!chat.parallelCalls && chat.tools.length > 0) return { unsupported: 'parallel_tool_calls: false' }
    return { path: generatePath(model, stream), body: translateRequest(json, chat) }
  },
  reader: (model) => new GeminiReader(model),
})

function translateRequest(json: JsonObject, chat: ChatRequest): JsonObject {
  return {
    ...generateRequest(geminiContents(chat.turns), chat.system),
    ...(chat.tools.length > 0 && { tools: [{ functionDeclarations: chat.tools.map(toolOf) }] }),
    ...toolConfigOf(chat),
    generationConfig: configOf(json, chat),
  }
}

function configOf(json: JsonObject, chat: ChatRequest): JsonObject {
  const config: Record<string, unknown> = {
    temperature: json.temperature,
    topP: json.top_p,
    topK: json.top_k,
    seed: json.seed,
    presencePenalty: json.presence_penalty,
    frequencyPenalty: json.frequency_penalty,
    candidateCount: json.n,
    maxOutputTokens: chat.maxTokens,
    ...(chat.stop.length > 0 && { stopSequences: chat.stop }),
    ...formatOf(chat.format),
  }
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined && value !== null))
}

function formatOf(format: ChatRequest['format']): JsonObject {
  if (format?.type === 'json_object') return { responseMimeType: 'application/json' }
  if (format?.type !== 'json_schema') return {}
  return { responseMimeType: 'application/json', responseJsonSchema: format.json_schema?.schema }
}

function toolOf({ name, description, parameters }: ChatRequest['tools'][number]): JsonObject {
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parametersJsonSchema: parameters }),
  }
}

function toolConfigOf({ toolChoice }: ChatRequest): JsonObject {
  if (toolChoice === undefined) return {}
  const config =
    typeof toolChoice === 'object'
      ? { mode: 'ANY', allowedFunctionNames: [toolChoice.name] }
      : { mode: { auto: 'AUTO', none: 'NONE', required: 'ANY' }[toolChoice] }
  return { toolConfig: { functionCallingConfig: config } }
}
