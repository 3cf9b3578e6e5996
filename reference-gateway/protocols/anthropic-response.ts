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
import { bodyIn, countOf, eventIn, objectIn, objectOf, objectsIn, textIn, textOf } from './json.ts'
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
    for (const data of this.#reader.read(chunk)) out += this.#event(eventIn(data))
    return Buffer.from(out)
  }

  streamEnd(): StreamEnd {
    return { rest: EMPTY, complete: this.#complete }
  }

  #event(event: JsonObject): string {
    const fingerprint = textOf(event.system_fingerprint)
    if (fingerprint !== undefined) this.#writer.head.fingerprint = fingerprint
    switch (event.type) {
      case 'message_start': {
        const message = objectIn(event.message, 'message')
        this.#writer.head = headOf(message, this.#writer.head.fingerprint)
        this.#usage = objectOf(message.usage)
        return this.#writer.delta({ role: 'assistant', content: '' })
      }
      case 'content_block_start':
        return this.#blockStart(event)
      case 'content_block_delta':
        return this.#blockDelta(event)
      case 'message_delta': {
        this.#usage = { ...this.#usage, ...objectOf(event.usage) }
        const reason = textOf(objectOf(event.delta).stop_reason)
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
    const { type, id, name, text } = objectIn(event.content_block, 'content_block')
    if (type === 'text' && textIn(text, 'text') !== '') return this.#writer.delta({ content: text })
    if (type !== 'tool_use') return ''
    const index = this.#calls.size
    this.#calls.set(event.index, index)
    const call = toolCallOf({ id: textIn(id, 'id'), name: textIn(name, 'name'), arguments: '' })
    return this.#writer.delta({ tool_calls: [{ index, ...call }] })
  }

  #blockDelta(event: JsonObject): string {
    const { type, text, thinking, partial_json } = objectIn(event.delta, 'delta')
    if (type === 'text_delta') return this.#writer.delta({ content: textIn(text, 'text') })
    if (type === 'thinking_delta') {
      const reasoning = textIn(thinking, 'thinking')
      return reasoning === '' ? '' : this.#writer.delta({ reasoning_content: reasoning })
    }
    const json = type === 'input_json_delta' ? textIn(partial_json, 'partial_json') : ''
    if (json === '') return ''
    const index = this.#calls.get(event.index) ?? 0
    return this.#writer.delta({ tool_calls: [{ index, function: { arguments: json } }] })
  }

  whole(status: number, body: Buffer): Buffer {
    const message = bodyIn(status, body)
    if (status >= 400 || message.type === 'error') return encode({ error: errorOf(message) })
    const blocks = objectsIn(message.content, 'content')
    const texts = (type: string, member: string): string =>
      blocks.map((block) => (block.type === type ? textIn(block[member], member) : '')).join('')
    const toolCalls = blocks
      .filter(({ type }) => type === 'tool_use')
      .map(({ id, name, input }) => ({
        id: textIn(id, 'id'),
        name: textIn(name, 'name'),
        arguments: JSON.stringify(objectIn(input, 'input')),
      }))
    const finishReason = FINISH[textOf(message.stop_reason) ?? ''] ?? 'stop'
    const choice = { text: texts('text', 'text'), reasoning: texts('thinking', 'thinking'), toolCalls, finishReason }
    return wholeCompletion(headOf(message, undefined), [choice], usageOf(objectOf(message.usage)))
  }
}

function headOf(message: JsonObject, fingerprint: string | undefined): CompletionHead {
  return {
    id: textOf(message.id) ?? '',
    model: textOf(message.model) ?? '',
    fingerprint: fingerprint ?? textOf(message.system_fingerprint),
  }
}

/** Anthropic counts input that was read from its cache, or written to it, apart from the other input. */
function usageOf(usage: JsonObject): CompletionUsage {
  const cachedTokens = countOf(usage.cache_read_input_tokens)
  return {
    promptTokens: countOf(usage.input_tokens) + cachedTokens + countOf(usage.cache_creation_input_tokens),
    cachedTokens,
    completionTokens: countOf(usage.output_tokens),
    reasoningTokens: 0,
  }
}

function errorOf(answer: JsonObject): JsonObject {
  const { type, message } = objectOf(answer.error)
  const code = textOf(type) ?? 'api_error'
  return { message: textOf(message) ?? 'the provider failed without a message', type: code, param: null, code }
}
