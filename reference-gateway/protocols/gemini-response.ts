/**
 * Translates a response of Gemini's generateContent into a chat completion, whole or streamed. A stream has no end
 * mark: it is complete when every candidate gave its finish reason.
 */
import type { JsonObject } from '../../src/wire/json.ts'
import {
  type Choice,
  ChunkWriter,
  type CompletionHead,
  type CompletionUsage,
  encode,
  errorEvent,
  type FinishReason,
  type ToolCall,
  toolCallOf,
  wholeCompletion,
} from './completion.ts'
import {
  asCount,
  asObject,
  asText,
  expectObject,
  expectObjects,
  expectText,
  parseEvent,
  parseResponseBody,
} from './json.ts'
import type { ResponseTranslation, StreamEnd } from './protocol.ts'
import { SseDataReader } from './sse-data-reader.ts'

const FINISH: Record<string, FinishReason> = {
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
}

const EMPTY = Buffer.alloc(0)

export class GeminiResponse implements ResponseTranslation {
  readonly #reader = new SseDataReader()
  readonly #writer: ChunkWriter
  readonly #model: string
  readonly #begun = new Set<number>()
  /** Tool calls so far, by choice. */
  readonly #calls = new Map<number, number>()
  #unfinished = 0
  #usage: JsonObject = {}
  #failed = false
  #finished = false

  constructor(includeUsage: boolean, model: string) {
    this.#writer = new ChunkWriter(includeUsage)
    this.#model = model
  }

  stream(chunk: Buffer): Buffer {
    let out = ''
    for (const data of this.#reader.read(chunk)) out += this.#event(parseEvent(data))
    return Buffer.from(out)
  }

  streamEnd(): StreamEnd {
    if (this.#failed) return { rest: EMPTY, complete: true }
    const complete = this.#finished && this.#unfinished === 0
    return { rest: complete ? Buffer.from(this.#writer.end(usageOf(this.#usage))) : EMPTY, complete }
  }

  #event(event: JsonObject): string {
    if (event.error !== undefined) {
      this.#failed = true
      return errorEvent(errorOf(event))
    }
    this.#writer.head = this.#headOf(event)
    if (event.usageMetadata !== undefined) this.#usage = asObject(event.usageMetadata)
    const candidates = expectObjects(event.candidates, 'candidates')
    if (candidates.length === 0 && asObject(event.promptFeedback).blockReason !== undefined) {
      return this.#candidate({ finishReason: 'SAFETY' })
    }
    return candidates.map((candidate) => this.#candidate(candidate)).join('')
  }

  #candidate(candidate: JsonObject): string {
    const index = asCount(candidate.index)
    let out = ''
    if (!this.#begun.has(index)) {
      this.#begun.add(index)
      this.#unfinished++
      out += this.#writer.delta({ role: 'assistant', content: '' }, index)
    }
    const { text, reasoning, toolCalls } = readCandidate(candidate, this.#calls.get(index) ?? 0)
    if (reasoning !== '') out += this.#writer.delta({ reasoning_content: reasoning }, index)
    if (text !== '') out += this.#writer.delta({ content: text }, index)
    for (const call of toolCalls) {
      const at = this.#calls.get(index) ?? 0
      this.#calls.set(index, at + 1)
      out += this.#writer.delta({ tool_calls: [{ index: at, ...toolCallOf(call) }] }, index)
    }
    const reason = asText(candidate.finishReason)
    if (reason === undefined) return out
    this.#unfinished--
    this.#finished = true
    return out + this.#writer.delta({}, index, finishOf(reason, (this.#calls.get(index) ?? 0) > 0))
  }

  whole(status: number, body: Buffer): Buffer {
    const answer = parseResponseBody(status, body)
    if (status >= 400 || answer.error !== undefined) return encode({ error: errorOf(answer) })
    const candidates = expectObjects(answer.candidates, 'candidates')
    const blocked = asObject(answer.promptFeedback).blockReason !== undefined
    const all = candidates.length === 0 && blocked ? [{ finishReason: 'SAFETY' }] : candidates
    const choices = all.map((candidate): Choice => {
      const read = readCandidate(candidate, 0)
      return { ...read, finishReason: finishOf(asText(candidate.finishReason) ?? '', read.toolCalls.length > 0) }
    })
    return wholeCompletion(this.#headOf(answer), choices, usageOf(asObject(answer.usageMetadata)))
  }

  #headOf(answer: JsonObject): CompletionHead {
    return {
      id: asText(answer.responseId) ?? this.#writer.head.id,
      model: asText(answer.modelVersion) ?? this.#model,
      fingerprint: asText(answer.system_fingerprint),
    }
  }
}

/** `calls` is the number of earlier tool calls, from which a call without an id gets one. */
function readCandidate(candidate: JsonObject, calls: number): Omit<Choice, 'finishReason'> {
  let text = ''
  let reasoning = ''
  const toolCalls: ToolCall[] = []
  for (const part of expectObjects(expectObject(candidate.content, 'content').parts, 'parts')) {
    const said = expectText(part.text, 'text')
    if (part.thought === true) reasoning += said
    else text += said
    if (part.functionCall === undefined) continue
    const { id, name, args } = expectObject(part.functionCall, 'functionCall')
    toolCalls.push({
      id: asText(id) ?? `call_${asCount(candidate.index)}_${calls + toolCalls.length}`,
      name: expectText(name, 'name'),
      arguments: JSON.stringify(expectObject(args, 'args')),
    })
  }
  return { text, reasoning, toolCalls }
}

function finishOf(reason: string, callsTools: boolean): FinishReason {
  return FINISH[reason] ?? (callsTools ? 'tool_calls' : 'stop')
}

/** Gemini counts reasoning apart from visible output; OpenAI counts both as completion. */
function usageOf(usage: JsonObject): CompletionUsage {
  const reasoningTokens = asCount(usage.thoughtsTokenCount)
  return {
    promptTokens: asCount(usage.promptTokenCount),
    cachedTokens: asCount(usage.cachedContentTokenCount),
    completionTokens: asCount(usage.candidatesTokenCount) + reasoningTokens,
    reasoningTokens,
  }
}

function errorOf(answer: JsonObject): JsonObject {
  const { status, message } = asObject(answer.error)
  const code = asText(status) ?? 'api_error'
  return { message: asText(message) ?? 'the provider failed without a message', type: code, param: null, code }
}
