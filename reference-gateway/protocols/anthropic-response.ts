/** Translates a response of Anthropic's Messages API into a chat completion, whole or streamed. */
import type { JsonObject } from '../../src/wire/json.ts'
import {
  ChunkWriter,
  type CompletionHead,
  type CompletionUsage,
  encode,
  errorEvent,
  type FinishReason,
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
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

const EMPTY = Buffer.alloc(0)

export class AnthropicResponse implements ResponseTranslation {
  readonly #reader = new SseDataReader()
  readonly #writer: ChunkWriter
  #usage: JsonObject = {}
  /** Content blocks by index: which tool call of the response each block is. */
  readonly #calls = new Map<unknown, number>()
  #complete = false

  constructor(includeUsage: boolean) {
    this.#writer = new ChunkWriter(includeUsage)
  }

  stream(chunk: Buffer): Buffer {
    let out = ''
    for (const data of this.#reader.read(chunk)) out += this.#event(parseEvent(data))
    return Buffer.from(out)
  }

  streamEnd(): StreamEnd {
    return { rest: EMPTY, complete: this.#complete }
  }

  #event(event: JsonObject): string {
    const fingerprint = asText(event.system_fingerprint)
    if (fingerprint !== undefined) this.#writer.head.fingerprint = fingerprint
    switch (event.type) {
      case 'message_start': {
        const message = expectObject(event.message, 'message')
        this.#writer.head = headOf(message, this.#writer.head.fingerprint)
        this.#usage = asObject(message.usage)
        return this.#writer.delta({ role: 'assistant', content: '' })
      }
      case 'content_block_start':
        return this.#blockStart(event)
      case 'content_block_delta':
        return this.#blockDelta(event)
      case 'message_delta': {
        this.#usage = { ...this.#usage, ...asObject(event.usage) }
        const reason = asText(asObject(event.delta).stop_reason)
        return reason === undefined ? '' : this.#writer.delta({}, 0, FINISH[reason] ?? 'stop')
      }
      case 'message_stop':
        this.#complete = true
        return this.#writer.end(usageOf(this.#usage))
      case 'error':
        // The stream ends here with this error, and not as if it were complete.
        this.#complete = true
        return errorEvent(errorOf(event))
      default:
        return ''
    }
  }

  #blockStart(event: JsonObject): string {
    const { type, id, name, text } = expectObject(event.content_block, 'content_block')
    if (type === 'text' && expectText(text, 'text') !== '') return this.#writer.delta({ content: text })
    if (type !== 'tool_use') return ''
    const index = this.#calls.size
    this.#calls.set(event.index, index)
    const call = toolCallOf({ id: expectText(id, 'id'), name: expectText(name, 'name'), arguments: '' })
    return this.#writer.delta({ tool_calls: [{ index, ...call }] })
  }

  #blockDelta(event: JsonObject): string {
    const { type, text, thinking, partial_json } = expectObject(event.delta, 'delta')
    if (type === 'text_delta') return this.#writer.delta({ content: expectText(text, 'text') })
    if (type === 'thinking_delta') {
      const reasoning = expectText(thinking, 'thinking')
      return reasoning === '' ? '' : this.#writer.delta({ reasoning_content: reasoning })
    }
    const json = type === 'input_json_delta' ? expectText(partial_json, 'partial_json') : ''
    if (json === '') return ''
    const index = this.#calls.get(event.index) ?? 0
    return this.#writer.delta({ tool_calls: [{ index, function: { arguments: json } }] })
  }

  whole(status: number, body: Buffer): Buffer {
    const message = parseResponseBody(status, body)
    if (status >= 400 || message.type === 'error') return encode({ error: errorOf(message) })
    const blocks = expectObjects(message.content, 'content')
    const texts = (type: string, member: string): string =>
      blocks.map((block) => (block.type === type ? expectText(block[member], member) : '')).join('')
    const toolCalls = blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({
        id: expectText(id, 'id'),
        name: expectText(name, 'name'),
        arguments: JSON.stringify(expectObject(input, 'input')),
      }))
    const finishReason = FINISH[asText(message.stop_reason) ?? ''] ?? 'stop'
    const choice = { text: texts('text', 'text'), reasoning: texts('thinking', 'thinking'), toolCalls, finishReason }
    return wholeCompletion(headOf(message, undefined), [choice], usageOf(asObject(message.usage)))
  }
}

function headOf(message: JsonObject, fingerprint: string | undefined): CompletionHead {
  return {
    id: asText(message.id) ?? '',
    model: asText(message.model) ?? '',
    fingerprint: fingerprint ?? asText(message.system_fingerprint),
  }
}

/** Anthropic counts input that was read from its cache, or written to it, apart from the other input. */
function usageOf(usage: JsonObject): CompletionUsage {
  const cachedTokens = asCount(usage.cache_read_input_tokens)
  return {
    promptTokens: asCount(usage.input_tokens) + cachedTokens + asCount(usage.cache_creation_input_tokens),
    cachedTokens,
    completionTokens: asCount(usage.output_tokens),
    reasoningTokens: 0,
  }
}

function errorOf(answer: JsonObject): JsonObject {
  const { type, message } = asObject(answer.error)
  const code = asText(type) ?? 'api_error'
  return { message: asText(message) ?? 'the provider failed without a message', type: code, param: null, code }
}
