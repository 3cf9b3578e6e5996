/** Anthropic's Messages: a whole answer is a list of content blocks, a stream a sequence of typed events. */
import type {
  AnswerDelta,
  AnswerError,
  AnswerHead,
  AnswerReader,
  AnswerWriter,
  ErrorAnswer,
  FinishReason,
  StreamWriter,
  TextAnswer,
  ToolCall,
  WholeAnswer,
} from './answer.ts'
import { errorText, readAnswerError } from './answer-error.ts'
import { turnsOf } from './chat-turns.ts'
import type { OtherVisitor, WireFormat } from './format.ts'
import { asObject, asText, type JsonObject, objectsIn } from './json.ts'
import { holdsText, visitUnknown } from './other-output.ts'
import { expectObject, expectObjects, expectReason, expectText } from './strict.ts'
import { visitArguments, visitString } from './text.ts'
import { anthropicMessages } from './turn-writers.ts'
import { NO_USAGE, type TokenUsage, usageIn } from './usage.ts'

const EVENTS = /^(?:message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping)$/

export const anthropic: WireFormat = {
  path: '/messages',
  requestMembers: ['messages', 'system'],
  answerMembers: ['content'],
  isEvent: ({ type }) => typeof type === 'string' && EVENTS.test(type),
  isAnswer: ({ content }) => Array.isArray(content),
  eachEventText: (event, visit) => {
    const held = asObject(event.type === 'content_block_start' ? event.content_block : event.delta)
    if (event.type !== 'content_block_delta' && event.type !== 'content_block_start') return
    visitString('visible', held, 'text', visit)
    visitString('reasoning', held, 'thinking', visit)
    visitString('tool', held, 'partial_json', visit)
  },
  eachAnswerText: ({ content }, visit) => {
    for (const block of objectsIn(content)) {
      visitString('visible', block, 'text', visit)
      visitString('reasoning', block, 'thinking', visit)
      if (block.type === 'tool_use' || block.type === 'server_tool_use') visitArguments(block, 'input', visit)
    }
  },
  eachOtherOfEvent: ({ type, content_block, delta }, visit) => {
    const held = asObject(type === 'content_block_start' ? content_block : delta)
    if (held && type === 'content_block_start') visitOtherOfBlock(held, visit)
    if (held && type === 'content_block_delta') visitUnknownOf(held, 'delta.', visit)
  },
  eachOtherOfAnswer: ({ content }, visit) => {
    for (const block of objectsIn(content)) visitOtherOfBlock(block, visit)
  },
  usageOf: (json) => usageIn(asObject(json.message) ?? json),
  endsStream: ({ type }) => type === 'message_stop',
  finishes: ({ type, delta }) => type === 'message_delta' && holdsText(asObject(delta)?.stop_reason),
  buildRequest: ({ model, stream }, text, prefix) => ({
    ...messagesRequest(model, undefined, prefix, [{ role: 'user', content: text }]),
    ...(stream && { stream: true }),
  }),
  buildConversation: ({ model, stream }, messages) => {
    const { system, turns } = turnsOf(messages)
    const request = messagesRequest(model, undefined, system, anthropicMessages(turns))
    return stream ? { ...request, stream } : request
  },
}

/** Texts and reasoning have nothing else to show; every other block is the call of a tool, or what came of it. */
const TEXT_BLOCKS = new Set<unknown>(['text', 'thinking', 'redacted_thinking'])

function visitOtherOfBlock(block: JsonObject, visit: OtherVisitor): void {
  if (TEXT_BLOCKS.has(block.type)) visitUnknownOf(block, 'content.', visit)
  else visit('shown', `content.${block.type}`)
}

const KNOWN = new Set(['text', 'thinking', 'partial_json', 'citation', 'citations', 'signature', 'data'])

/** Reasoning that is not shown has a signature, or is data that only Anthropic can read. */
function visitUnknownOf(held: JsonObject, at: string, visit: OtherVisitor): void {
  for (const key of ['signature', 'data']) if (holdsText(held[key])) visit('hidden', `${at}${key}`)
  visitUnknown(held, KNOWN, at, visit)
}

/** The members that every request has, its limit where it is known by then; the system's text stands apart. */
export function messagesRequest(
  model: unknown,
  maxTokens: number | undefined,
  system: string | undefined,
  messages: readonly object[],
): JsonObject {
  return { model, ...(maxTokens !== undefined && { max_tokens: maxTokens }), ...(system && { system }), messages }
}

// --- Reading, for a translation

/** Any other is a `stop`. */
const FINISH_REASONS = new Map<string, FinishReason>([
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

export class AnthropicReader implements AnswerReader {
  #head: AnswerHead = { id: '', model: '', fingerprint: undefined }
  /** Which tool call of the answer a content block is. */
  readonly #calls = new Map<unknown, number>()
  /** Of the block that is open. */
  #thinking = ''
  #isComplete = false

  get isComplete(): boolean {
    return this.#isComplete
  }

  readEvent(event: JsonObject): AnswerDelta[] {
    const fingerprint = asText(event.system_fingerprint)
    if (fingerprint !== undefined) this.#head = { ...this.#head, fingerprint }
    const deltas = this.#readTyped(event)
    return fingerprint === undefined ? deltas : [{ kind: 'head', head: this.#head }, ...deltas]
  }

  #readTyped(event: JsonObject): AnswerDelta[] {
    switch (event.type) {
      case 'message_start': {
        const message = expectObject(event.message, 'message')
        this.#head = readHead(message, this.#head.fingerprint)
        return [{ kind: 'head', head: this.#head }, ...readUsage(message), { kind: 'begin', choice: 0 }]
      }
      case 'content_block_start':
        return this.#readBlock(event)
      case 'content_block_delta':
        return this.#readDelta(event)
      case 'message_delta': {
        const reason = asText(asObject(event.delta)?.stop_reason)
        if (reason === undefined) return readUsage(event)
        return [...readUsage(event), { kind: 'finish', choice: 0, reason: toFinishReason(reason) }]
      }
      case 'message_stop':
        this.#isComplete = true
        return [{ kind: 'end' }]
      default:
        if (event.type !== 'error' && errorText(event) === undefined) return []
        // The stream ends here with this error, and not as if it broke off.
        this.#isComplete = true
        return [{ kind: 'error', error: readAnswerError(event) }]
    }
  }

  #readBlock(event: JsonObject): AnswerDelta[] {
    const { type, text, ...block } = expectObject(event.content_block, 'content_block')
    if (type === 'text') return toDeltas('text', expectText(text, 'text'))
    if (type === 'thinking') this.#thinking = ''
    if (type === 'redacted_thinking') return [toSigned('', expectText(block.data, 'data'))]
    if (type !== 'tool_use') return []
    const call = this.#calls.size
    this.#calls.set(event.index, call)
    return [{ kind: 'call', choice: 0, call, toolCall: readToolCall(block, '') }]
  }

  #readDelta(event: JsonObject): AnswerDelta[] {
    const { type, text, thinking, signature, partial_json } = expectObject(event.delta, 'delta')
    if (type === 'text_delta') return toDeltas('text', expectText(text, 'text'))
    if (type === 'thinking_delta') {
      this.#thinking += expectText(thinking, 'thinking')
      return toDeltas('reasoning', expectText(thinking, 'thinking'))
    }
    if (type === 'signature_delta') return [toSigned(this.#thinking, expectText(signature, 'signature'))]
    const json = type === 'input_json_delta' ? expectText(partial_json, 'partial_json') : ''
    return json === '' ? [] : [{ kind: 'arguments', choice: 0, call: this.#calls.get(event.index) ?? 0, text: json }]
  }

  readWhole(message: JsonObject): WholeAnswer | { error: AnswerError } {
    if (errorText(message) !== undefined) return { error: readAnswerError(message) }
    const blocks = expectObjects(message.content, 'content')
    const textsOf = (type: string, member: string): string =>
      blocks.map((block) => (block.type === type ? expectText(block[member], member) : '')).join('')
    const choice = {
      text: textsOf('text', 'text'),
      reasoning: textsOf('thinking', 'thinking'),
      signed: blocks.flatMap(({ type, thinking, signature, data }) => {
        if (type === 'redacted_thinking') return [{ text: '', signature: expectText(data, 'data') }]
        if (type !== 'thinking' || typeof signature !== 'string') return []
        return [{ text: expectText(thinking, 'thinking'), signature }]
      }),
      toolCalls: blocks
        .filter(({ type }) => type === 'tool_use')
        .map((block) => readToolCall(block, JSON.stringify(expectObject(block.input, 'input')))),
      finishReason: toFinishReason(expectReason(message.stop_reason, 'stop_reason')),
    }
    return { head: readHead(message, undefined), choices: [choice], usage: usageIn(message) ?? NO_USAGE }
  }
}

function readHead(message: JsonObject, fingerprint: string | undefined): AnswerHead {
  return {
    id: asText(message.id) ?? '',
    model: asText(message.model) ?? '',
    fingerprint: fingerprint ?? asText(message.system_fingerprint),
  }
}

function readToolCall({ id, name }: JsonObject, args: string): ToolCall {
  return { id: expectText(id, 'id'), name: expectText(name, 'name'), arguments: args }
}

function readUsage(holder: JsonObject): AnswerDelta[] {
  const usage = usageIn(holder)
  return usage ? [{ kind: 'usage', usage }] : []
}

function toSigned(text: string, signature: string): AnswerDelta {
  return { kind: 'signed', choice: 0, signed: { text, signature } }
}

function toDeltas(kind: 'text' | 'reasoning', text: string): AnswerDelta[] {
  return text === '' ? [] : [{ kind, choice: 0, text }]
}

function toFinishReason(stopReason: string): FinishReason {
  return FINISH_REASONS.get(stopReason) ?? 'stop'
}

// --- Writing

const STOP_REASONS: Record<FinishReason, string> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
}
const ERROR_TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}
const CACHE_CREATION = '"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}'
const DELTA =
  'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"'

/** Further members stand beside those of an event: the format has no extension point within a delta. */
export const anthropicWriter: AnswerWriter = {
  whole: (answer, text) => {
    const head = `{${writeHead(answer)},"content":[{"type":"text","text":"${text}`
    const tail = `"}],${writeStop(answer)},"usage":${writeUsage(answer.usage, answer.usage.output)}`
    return (members, textEnd) => `${head}${textEnd}${tail}${members}}`
  },
  stream: writeStream,
}

/** Anthropic has a status of its own for "overloaded". */
export function anthropicStatus(status: number): number {
  return status === 503 ? 529 : status
}

export function writeAnthropicError(error: ErrorAnswer, requestId: string): string {
  return JSON.stringify({ type: 'error', error: toError(error), request_id: requestId })
}

function toError({ status, message }: ErrorAnswer): { type: string; message: string } {
  return { type: ERROR_TYPES[anthropicStatus(status)] ?? 'invalid_request_error', message }
}

function writeStream(answer: TextAnswer): StreamWriter {
  const { usage } = answer
  const noStop = '"stop_reason":null,"stop_sequence":null'
  const start = `{${writeHead(answer)},"content":[],${noStop},"usage":${writeUsage(usage, 1)}}`
  const atEnd = `{${writeInput(usage)},"output_tokens":${usage.output}}`
  return {
    open: (members) =>
      writeEvent('message_start', `,"message":${start}`, members) +
      writeEvent('content_block_start', ',"index":0,"content_block":{"type":"text","text":""}', members) +
      writeEvent('ping', '', members),
    event: (text, _tokens, members) => `${DELTA + text}"}${members}}\n\n`,
    close: (members) =>
      writeEvent('content_block_stop', ',"index":0', members) +
      writeEvent('message_delta', `,"delta":{${writeStop(answer)}},"usage":${atEnd}`, members) +
      writeEvent('message_stop', '', members),
    fail: (error, members) => writeEvent('error', `,"error":${JSON.stringify(toError(error))}`, members),
  }
}

function writeEvent(type: string, content: string, members: string): string {
  return `event: ${type}\ndata: {"type":"${type}"${content}${members}}\n\n`
}

function writeHead({ id, model }: TextAnswer): string {
  return `"model":${JSON.stringify(model)},"id":"msg_${id}","type":"message","role":"assistant"`
}

function writeStop({ finishReason }: TextAnswer): string {
  return `"stop_reason":"${STOP_REASONS[finishReason]}","stop_sequence":null`
}

/** The usage of a message; at the end of a stream it is shorter. */
function writeUsage(usage: TokenUsage, outputTokens: number): string {
  const service = '"service_tier":"standard","inference_geo":"not_available"'
  return `{${writeInput(usage)},${CACHE_CREATION},"output_tokens":${outputTokens},${service}}`
}

/** What came from the cache, or went there, is counted apart. */
function writeInput({ input, cached, cacheWritten }: TokenUsage): string {
  const fresh = input - cached - cacheWritten
  return `"input_tokens":${fresh},"cache_creation_input_tokens":${cacheWritten},"cache_read_input_tokens":${cached}`
}
