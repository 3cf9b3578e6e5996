/**
 * Reads one event of a provider's stream: whether it bears tokens (visible text, reasoning text or tool-call arguments;
 * a role-only or empty delta bears none), the usage, the stamp, an error, the end. The shape of the event decides
 * whether it is Chat Completions, legacy completions, Responses, Anthropic Messages or Gemini. Tokens are not counted
 * here: an event may hold one token or twenty.
 */

import { errorMessage, errorText } from './answer-error.ts'
import { ERROR_EVENT } from './sse.ts'

/** Tokens as billed. `reasoning` is the part of `output` that the provider counts as reasoning. */
export interface TokenUsage {
  input: number
  output: number
  reasoning: number
}

interface StreamEvent {
  /** Characters of visible text, reasoning text and tool-call arguments in this event. */
  visibleChars: number
  reasoningChars: number
  toolChars: number
  usage?: TokenUsage
  /** `system_fingerprint`, in which the simulated provider puts its stamp. */
  fingerprint?: string
  error?: string
  /** The protocol's own end: [DONE], message_stop, response.completed, a Gemini finishReason. */
  ended: boolean
}

type Json = Record<string, unknown>

/**
 * Reads the data of one event; undefined when it is neither an end mark, nor a JSON object, nor an event named `error`.
 */
export function readStreamEvent(data: string, name = ''): StreamEvent | undefined {
  const event: StreamEvent = { visibleChars: 0, reasoningChars: 0, toolChars: 0, ended: false }
  if (name === ERROR_EVENT) return { ...event, error: namedErrorText(data) }
  if (data === '[DONE]') return { ...event, ended: true }
  const json = parseObject(data)
  if (!json) return undefined
  if (typeof json.system_fingerprint === 'string') event.fingerprint = json.system_fingerprint
  const error = errorText(json)
  if (error !== undefined) event.error = error
  else if (Array.isArray(json.choices)) readOpenAi(json, event)
  else if (Array.isArray(json.candidates)) readGemini(json, event)
  else if (typeof json.type === 'string') readTyped(json.type, json, event)
  return event
}

/** The text of an event named `error`: JSON of any shape, plain text, or nothing. */
function namedErrorText(data: string): string {
  const json = parseObject(data)
  return (json && (errorText(json) ?? errorMessage(json))) || data.trim() || 'an error event that says nothing'
}

/** The usage in an OpenAI, Anthropic or Gemini answer; undefined when there is none. */
export function readUsage(json: Json): TokenUsage | undefined {
  const usage = object(json.usage) ?? object(json.usageMetadata)
  if (!usage) return undefined
  const details = object(usage.completion_tokens_details) ?? object(usage.output_tokens_details)
  const thoughts = number(usage.thoughtsTokenCount)
  return {
    input: number(usage.prompt_tokens) || number(usage.input_tokens) || number(usage.promptTokenCount),
    output:
      number(usage.completion_tokens) || number(usage.output_tokens) || number(usage.candidatesTokenCount) + thoughts,
    reasoning: number(details?.reasoning_tokens) || thoughts,
  }
}

function readOpenAi(json: Json, event: StreamEvent): void {
  for (const choice of objects(json.choices)) {
    const delta = object(choice.delta)
    event.visibleChars += length(delta ? delta.content : choice.text) + length(delta?.refusal)
    event.reasoningChars += length(delta?.reasoning_content) || length(delta?.reasoning)
    for (const call of objects(delta?.tool_calls)) event.toolChars += length(object(call.function)?.arguments)
    event.toolChars += length(object(delta?.function_call)?.arguments)
  }
  setUsage(event, readUsage(json))
}

function readGemini(json: Json, event: StreamEvent): void {
  for (const candidate of objects(json.candidates)) {
    for (const part of objects(object(candidate.content)?.parts)) {
      if (part.thought === true) event.reasoningChars += length(part.text)
      else event.visibleChars += length(part.text)
      if (part.functionCall !== undefined) event.toolChars += JSON.stringify(part.functionCall).length
    }
    if (typeof candidate.finishReason === 'string') event.ended = true
  }
  setUsage(event, readUsage(json))
}

/** Anthropic Messages and OpenAI Responses name each event by its type. */
function readTyped(type: string, json: Json, event: StreamEvent): void {
  const delta = object(json.delta)
  if (type === 'content_block_delta') {
    event.visibleChars = length(delta?.text)
    event.reasoningChars = length(delta?.thinking)
    event.toolChars = length(delta?.partial_json)
  } else if (type === 'message_start') {
    setUsage(event, readUsage(object(json.message) ?? {}))
  } else if (type === 'message_delta') {
    setUsage(event, readUsage(json))
  } else if (type === 'response.output_text.delta') {
    event.visibleChars = length(json.delta)
  } else if (type === 'response.reasoning_text.delta' || type === 'response.reasoning_summary_text.delta') {
    event.reasoningChars = length(json.delta)
  } else if (type === 'response.function_call_arguments.delta') {
    event.toolChars = length(json.delta)
  } else if (type === 'response.completed' || type === 'response.incomplete') {
    event.ended = true
    setUsage(event, readUsage(object(json.response) ?? {}))
  } else if (type === 'response.failed') {
    event.error = errorText(object(json.response) ?? {}) ?? 'the response failed'
  } else if (type === 'message_stop') {
    event.ended = true
  }
}

function setUsage(event: StreamEvent, usage: TokenUsage | undefined): void {
  if (usage) event.usage = usage
}

export function parseObject(text: string): Json | undefined {
  try {
    return object(JSON.parse(text))
  } catch {
    return undefined
  }
}

function object(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((item) => object(item) !== undefined) : []
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0
}

function length(value: unknown): number {
  return typeof value === 'string' ? value.length : 0
}
