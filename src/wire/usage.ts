/** The one usage of every wire format: what a provider bills, in tokens. */
import { asNumber, asObject, type JsonObject } from './json.ts'

export interface TokenUsage {
  /** All input, what came from a prompt cache included. */
  input: number
  /** All output, reasoning included. */
  output: number
  /** The part of `output` that the provider counts as reasoning. */
  reasoning: number
  /** The part of `input` that the provider read from its prompt cache. */
  cached: number
}

/**
 * Usage may come in parts (Anthropic) or grow from event to event (Gemini): the largest of each figure is the final
 * one.
 */
export function mergeUsage(a: TokenUsage | undefined, b: TokenUsage): TokenUsage {
  if (!a) return b
  return {
    input: Math.max(a.input, b.input),
    output: Math.max(a.output, b.output),
    reasoning: Math.max(a.reasoning, b.reasoning),
    cached: Math.max(a.cached, b.cached),
  }
}

/**
 * The usage that an event or an answer has at its top level, in whichever format's words: gateways put the usage of one
 * into the answer of another.
 */
export function usageIn(json: JsonObject): TokenUsage | undefined {
  const usage = asObject(json.usage)
  if (!usage) return geminiUsage(json.usageMetadata)
  const isAnthropic = 'cache_read_input_tokens' in usage || 'cache_creation_input_tokens' in usage
  return isAnthropic ? anthropicUsage(usage) : openaiUsage(usage)
}

/** OpenAI's `usage` (chat, completions, embeddings, Responses). */
function openaiUsage(usage: JsonObject): TokenUsage {
  const input = asObject(usage.prompt_tokens_details) ?? asObject(usage.input_tokens_details)
  const output = asObject(usage.completion_tokens_details) ?? asObject(usage.output_tokens_details)
  return {
    input: asNumber(usage.prompt_tokens) || asNumber(usage.input_tokens),
    output: asNumber(usage.completion_tokens) || asNumber(usage.output_tokens),
    reasoning: asNumber(output?.reasoning_tokens),
    cached: asNumber(input?.cached_tokens),
  }
}

/** Anthropic's `usage`: it counts what came from its cache, or went there, apart from the other input. */
function anthropicUsage(usage: JsonObject): TokenUsage {
  const cached = asNumber(usage.cache_read_input_tokens)
  return {
    input: asNumber(usage.input_tokens) + cached + asNumber(usage.cache_creation_input_tokens),
    output: asNumber(usage.output_tokens),
    reasoning: 0,
    cached,
  }
}

/** Gemini's `usageMetadata`: it counts reasoning apart from what it shows. */
function geminiUsage(value: unknown): TokenUsage | undefined {
  const usage = asObject(value)
  if (!usage) return undefined
  const reasoning = asNumber(usage.thoughtsTokenCount)
  return {
    input: asNumber(usage.promptTokenCount),
    output: asNumber(usage.candidatesTokenCount) + reasoning,
    reasoning,
    cached: asNumber(usage.cachedContentTokenCount),
  }
}
