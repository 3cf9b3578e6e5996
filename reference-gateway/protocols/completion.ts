/**
 * Writes OpenAI's chat completions, whole and streamed, from what another provider answered. The `system_fingerprint`
 * passes where there is one.
 */
import type { JsonObject } from '../../src/wire/json.ts'

export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter'

export interface CompletionHead {
  id: string
  model: string
  fingerprint: string | undefined
}

export interface Choice {
  text: string
  reasoning: string
  toolCalls: readonly ToolCall[]
  finishReason: FinishReason
}

export interface ToolCall {
  id: string
  name: string
  /** As JSON. */
  arguments: string
}

export interface CompletionUsage {
  promptTokens: number
  cachedTokens: number
  /** All tokens billed as output, reasoning included. */
  completionTokens: number
  reasoningTokens: number
}

export function wholeCompletion(head: CompletionHead, choices: readonly Choice[], usage: CompletionUsage): Buffer {
  return encode({
    ...headOf(head, 'chat.completion', nowSeconds()),
    choices: choices.map(({ text, reasoning, toolCalls, finishReason }, index) => ({
      index,
      message: {
        role: 'assistant',
        content: text === '' && toolCalls.length > 0 ? null : text,
        refusal: null,
        ...(reasoning !== '' && { reasoning_content: reasoning }),
        ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(toolCallOf) }),
      },
      logprobs: null,
      finish_reason: finishReason,
    })),
    usage: usageOf(usage),
  })
}

/** The chunks of one streamed completion. */
export class ChunkWriter {
  readonly #created = nowSeconds()
  readonly #includeUsage: boolean
  head: CompletionHead = { id: '', model: '', fingerprint: undefined }

  constructor(includeUsage: boolean) {
    this.#includeUsage = includeUsage
  }

  delta(delta: JsonObject, index = 0, finishReason: FinishReason | null = null): string {
    return this.#event({ choices: [{ index, delta, logprobs: null, finish_reason: finishReason }] }, null)
  }

  /** The usage, if the client asked for it, and the end mark. */
  end(usage: CompletionUsage): string {
    const last = this.#includeUsage ? this.#event({ choices: [] }, usageOf(usage)) : ''
    return `${last}data: [DONE]\n\n`
  }

  #event(rest: JsonObject, usage: JsonObject | null): string {
    const all = { ...headOf(this.head, 'chat.completion.chunk', this.#created), ...rest }
    return `data: ${JSON.stringify(this.#includeUsage ? { ...all, usage } : all)}\n\n`
  }
}

function nowSeconds(): number {
  return Math.floor((performance.timeOrigin + performance.now()) / 1_000)
}

export function errorEvent(error: JsonObject): string {
  return `data: ${JSON.stringify({ error })}\n\n`
}

export function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

export function toolCallOf({ id, name, arguments: given }: ToolCall) {
  return { id, type: 'function', function: { name, arguments: given } }
}

function headOf({ id, model, fingerprint }: CompletionHead, object: string, created: number): JsonObject {
  return { id, object, created, model, ...(fingerprint !== undefined && { system_fingerprint: fingerprint }) }
}

function usageOf({ promptTokens, cachedTokens, completionTokens, reasoningTokens }: CompletionUsage): JsonObject {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: reasoningTokens },
  }
}
