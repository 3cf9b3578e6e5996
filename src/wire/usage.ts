/** The one usage of every wire format: what a provider bills, in tokens. */
import { asNumber, asObject, type JsonObject, parseObject } from './json.ts'
import { JsonWalk, OPEN } from './json-walk.ts'

export interface TokenUsage {
  /** All input, what came from a prompt cache included. */
  input: number
  /** All output, reasoning included. */
  output: number
  /** The part of `output` that the provider counts as reasoning. */
  reasoning: number
  /** The part of `input` that the provider read from its prompt cache. */
  cached: number
  /** The part of `input` that the provider wrote to its prompt cache. */
  cacheWritten: number
}

export const NO_USAGE: TokenUsage = { input: 0, output: 0, reasoning: 0, cached: 0, cacheWritten: 0 }

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
    cacheWritten: Math.max(a.cacheWritten, b.cacheWritten),
  }
}

/** A usage without any count tells nothing: some send `{}`, or zeros with every event. */
export function toldUsage(usage: TokenUsage): TokenUsage | undefined {
  return usage.input > 0 || usage.output > 0 ? usage : undefined
}

/** What the usage of a whole answer tells: nothing where it counts no output although the answer has some. */
export function usageOfAnswer(usage: TokenUsage | undefined, hasOutput: boolean): TokenUsage | undefined {
  return hasOutput && usage?.output === 0 ? undefined : usage
}

/** The part of the output that was billed as reasoning, of which no text was sent. */
export function hiddenTokensOf(usage: TokenUsage | undefined, hasReasoningText: boolean): number {
  return usage === undefined || hasReasoningText ? 0 : Math.min(usage.reasoning, usage.output)
}

/**
 * The usage that an event or an answer has at its top level, in whichever format's words: gateways put the usage of one
 * into the answer of another. Undefined where it counts nothing.
 */
export function usageIn(json: JsonObject): TokenUsage | undefined {
  const usage = asObject(json.usage)
  const read = usage ? readUsage(usage) : geminiUsage(json.usageMetadata)
  return read && toldUsage(read)
}

/**
 * The last usage in the end of an answer or of a stream, whose beginning may be cut off: the end of an event that
 * repeats the whole answer, for one. Undefined where none stands there.
 */
export function lastUsageIn(tail: Buffer): TokenUsage | undefined {
  for (const member of USAGE_MEMBERS) {
    const name = `"${member}"`
    for (let at = tail.lastIndexOf(name); at >= 0; at = at > 0 ? tail.lastIndexOf(name, at - 1) : -1) {
      const object = objects.after(tail, at + name.length)
      const usage = object === undefined ? undefined : usageIn({ [member]: parseObject(object) })
      if (usage) return usage
    }
  }
  return undefined
}

const USAGE_MEMBERS = ['usage', 'usageMetadata'] as const
const COLON = Buffer.from(':')

class ObjectScan extends JsonWalk {
  /** The object that follows a colon at `from`; undefined where something else or half an object is there. */
  after(bytes: Buffer, from: number): string | undefined {
    this.begin(bytes, from, bytes.length)
    if (this.peek() !== COLON[0] || !this.literal(COLON) || this.peek() !== OPEN) return undefined
    const start = this.at
    return this.skip() ? bytes.toString('utf8', start, this.at) : undefined
  }
}

const objects = new ObjectScan()

/**
 * The `usage` of OpenAI (chat, completions, embeddings, Responses) and of Anthropic, or one with the words of both, as
 * LiteLLM writes it. `prompt_tokens` are all input; Anthropic's `input_tokens` are without its prompt cache.
 */
function readUsage(usage: JsonObject): TokenUsage {
  const input = asObject(usage.prompt_tokens_details) ?? asObject(usage.input_tokens_details)
  const output = asObject(usage.completion_tokens_details) ?? asObject(usage.output_tokens_details)
  const read = asNumber(usage.cache_read_input_tokens)
  const cacheWritten = asNumber(usage.cache_creation_input_tokens)
  return {
    input: asNumber(usage.prompt_tokens) || asNumber(usage.input_tokens) + read + cacheWritten,
    output: asNumber(usage.completion_tokens) || asNumber(usage.output_tokens),
    reasoning: asNumber(output?.reasoning_tokens),
    cached: read || asNumber(input?.cached_tokens),
    cacheWritten,
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
    cacheWritten: 0,
  }
}
