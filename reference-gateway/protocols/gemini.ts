/**
 * Translates OpenAI's chat completion requests for Gemini's generateContent. chat-response.ts translates the response.
 */

import type { SignedReasoning } from '../../src/wire/answer.ts'
import { endpointOf } from '../../src/wire/endpoints.ts'
import { GeminiReader, generatePath, generateRequest } from '../../src/wire/gemini.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { chatProtocol, joinTurns } from './chat-protocol.ts'
import type { ChatRequest, Part, ToolCallRequest, Turn } from './chat-request.ts'

const SUPPORT = { carried: ['seed', 'presence_penalty', 'frequency_penalty', 'n', 'top_k'], neutral: {} }

export const gemini = chatProtocol({
  credentials: endpointOf('gemini').keyHeader,
  headers: [],
  support: SUPPORT,
  translate: (chat, json, { model, stream }) => {
    if (chat.turns.some((turn) => turn.role !== 'tool' && turn.parts.some(({ kind }) => kind === 'image_url'))) {
      return { unsupported: 'an image that is not a data: URL' }
    }
    if (!chat.parallelCalls && chat.tools.length > 0) return { unsupported: 'parallel_tool_calls: false' }
    return { path: generatePath(model, stream), body: translateRequest(json, chat) }
  },
  reader: (model) => new GeminiReader(model),
})

function translateRequest(json: JsonObject, chat: ChatRequest): JsonObject {
  return {
    ...generateRequest(contentsOf(chat.turns), chat.system),
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

function contentsOf(turns: readonly Turn[]): JsonObject[] {
  return joinTurns(turns, partsOf).map(({ isAnswer, parts }) => ({ role: isAnswer ? 'model' : 'user', parts }))
}

function partsOf(turn: Turn): JsonObject[] {
  switch (turn.role) {
    case 'tool':
      return [{ functionResponse: { name: turn.name, response: { result: turn.content } } }]
    case 'user':
      return turn.parts.map(partOf)
    case 'assistant':
      return [...withSignatures(turn.parts.map(partOf), turn.signed), ...turn.calls.map(callOf)]
    default:
      return turn satisfies never
  }
}

function callOf({ name, args, signature }: ToolCallRequest): JsonObject {
  return { functionCall: { name, args }, ...(signature !== undefined && { thoughtSignature: signature }) }
}

/** A signature belongs to a thought, or to the text that came with it. */
function withSignatures(parts: readonly JsonObject[], signed: readonly SignedReasoning[]): JsonObject[] {
  const thoughts = signed.filter(({ text }) => text !== '')
  const mark = signed.find(({ text }) => text === '')
  const marked = parts.map((part, i) =>
    mark && i === parts.length - 1 ? { ...part, thoughtSignature: mark.signature } : part,
  )
  return [...thoughts.map(({ text, signature }) => ({ text, thought: true, thoughtSignature: signature })), ...marked]
}

function partOf(part: Part): JsonObject {
  switch (part.kind) {
    case 'image':
      return { inlineData: { mimeType: part.mediaType, data: part.base64 } }
    case 'image_url':
      return { text: part.url }
    case 'text':
      return { text: part.text }
    default:
      return part satisfies never
  }
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
