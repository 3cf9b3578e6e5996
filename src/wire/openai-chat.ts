/** OpenAI's chat completions, and what others add to them: reasoning under several names, content lists, audio. */
import type {
  AnswerChoice,
  AnswerDelta,
  AnswerHead,
  FinishReason,
  SignedReasoning,
  ToolCall,
  WholeAnswer,
} from './answer.ts'
import type { OtherVisitor, TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { openaiRequest } from './openai.ts'
import { choicesWriter, DONE, hasFinishReason, writeChoice, writeHead, writeUsage } from './openai-choices.ts'
import { visitOtherOfChoice, visitOtherOfMessage } from './other-output.ts'
import { writeFingerprint } from './stamp.ts'
import { visitContent, visitReasoning, visitString, visitToolCalls, visitTranscript } from './text.ts'
import { type TokenUsage, usageIn } from './usage.ts'

export const openaiChat: WireFormat = {
  path: '/chat/completions',
  requestMembers: ['messages', 'prediction'],
  answerMembers: ['choices'],
  isEvent: isChat,
  isAnswer: isChat,
  eachEventText: ({ choices }, visit) => {
    for (const choice of objectsIn(choices)) visitMessage(asObject(choice.delta), visit)
  },
  eachAnswerText: ({ choices }, visit) => {
    for (const choice of objectsIn(choices)) visitMessage(asObject(choice.message), visit)
  },
  eachOtherOfEvent: (event, visit) => visitOther(event, 'delta', visit),
  eachOtherOfAnswer: (answer, visit) => visitOther(answer, 'message', visit),
  usageOf: usageIn,
  endsStream: () => false,
  finishes: hasFinishReason,
  buildRequest: (spec, text, prefix) => {
    const system = prefix === undefined ? [] : [{ role: 'system', content: prefix }]
    return openaiRequest(spec, { messages: [...system, { role: 'user', content: text }] })
  },
  buildConversation: (spec, messages) => openaiRequest(spec, { messages }),
}

/** Choices, but not those of legacy completions, which have a text of their own. */
function isChat({ choices }: JsonObject): boolean {
  return Array.isArray(choices) && typeof asObject(choices[0])?.text !== 'string'
}

/** A message, or the delta of one. */
function visitMessage(message: JsonObject | undefined, visit: TextVisitor): void {
  visitContent('visible', message, 'content', visit)
  visitString('visible', message, 'refusal', visit)
  visitTranscript(message?.audio, visit)
  visitReasoning(message, visit)
  visitToolCalls(message, visit)
}

function visitOther({ choices }: JsonObject, member: 'delta' | 'message', visit: OtherVisitor): void {
  for (const choice of objectsIn(choices)) {
    const message = asObject(choice[member])
    if (message) visitOtherOfMessage(message, `${member}.`, visit)
    visitOtherOfChoice(choice, member, visit)
  }
}

// --- Writing

const ANSWER = 'chat.completion'
const CHUNK = 'chat.completion.chunk'
const SAFE = '{"filtered":false,"severity":"safe"}'
const FILTER_RESULTS =
  `{"hate":${SAFE},"jailbreak":{"filtered":false,"detected":false},` +
  `"self_harm":${SAFE},"sexual":${SAFE},"violence":${SAFE}}`

export const openaiChatWriter = choicesWriter({
  idPrefix: 'chatcmpl-',
  answer: ANSWER,
  chunk: CHUNK,
  whole: ['"message":{"role":"assistant","content":"', '","refusal":null,"annotations":[]}'],
  delta: ['"delta":{"content":"', '"}'],
  begin: '"delta":{"role":"assistant","content":"","refusal":null}',
  finish: '"delta":{}',
  // Neither id nor model, and no choice.
  promptFilter:
    'data: {"choices":[],"created":0,"id":"","model":"","object":"",' +
    `"prompt_filter_results":[{"prompt_index":0,"content_filter_results":${FILTER_RESULTS}}]}\n\n`,
})

/** A translated answer. `created` is in Unix seconds. */
export function writeChatAnswer({ head, choices, usage }: WholeAnswer, created: number): string {
  const all = choices.map((choice, index) => writeChoice(index, writeMessage(choice), choice.finishReason))
  return `${writeAnyHead(ANSWER, head, created)},"choices":[${all}],"usage":${writeUsage(usage)}}`
}

function writeMessage({ text, reasoning, signed, toolCalls }: AnswerChoice): string {
  const message = {
    role: 'assistant',
    content: text === '' && toolCalls.length > 0 ? null : text,
    refusal: null,
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(signed.length > 0 && { reasoning_details: signed.map(toDetail) }),
    ...(toolCalls.length > 0 && { tool_calls: toolCalls.map(toToolCall) }),
  }
  return `"message":${JSON.stringify(message)}`
}

/** Where OpenRouter and Google put what a client must send back with a message or a call. */
function toToolCall({ id, name, arguments: given, signature }: ToolCall) {
  const extra = signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } }
  return { id, type: 'function', function: { name, arguments: given }, ...extra }
}

function toDetail({ text, signature }: SignedReasoning, index: number) {
  return text === ''
    ? { type: 'reasoning.encrypted', data: signature, index }
    : { type: 'reasoning.text', text, signature, index }
}

function writeAnyHead(object: string, { id, model, fingerprint }: AnswerHead, created: number): string {
  const head = writeHead(object, id, created, model)
  return fingerprint === undefined ? head : head + writeFingerprint(JSON.stringify(fingerprint).slice(1, -1))
}

/** The chunks of one translated stream, in which deltas may come in any order. */
export class ChatStreamWriter {
  readonly #created: number
  readonly #includeUsage: boolean
  #head = ''
  #signed = 0

  /** `created` is in Unix seconds. With `includeUsage` every chunk has a member for it, filled in the last one. */
  constructor(created: number, includeUsage: boolean) {
    this.#created = created
    this.#includeUsage = includeUsage
    this.setHead({ id: '', model: '', fingerprint: undefined })
  }

  setHead(head: AnswerHead): void {
    this.#head = writeAnyHead(CHUNK, head, this.#created)
  }

  write(delta: Extract<AnswerDelta, { choice: number }>): string {
    switch (delta.kind) {
      case 'begin':
        return this.#chunk(delta.choice, { role: 'assistant', content: '' })
      case 'text':
        return this.#chunk(delta.choice, { content: delta.text })
      case 'reasoning':
        return this.#chunk(delta.choice, { reasoning_content: delta.text })
      case 'signed':
        return this.#chunk(delta.choice, { reasoning_details: [toDetail(delta.signed, this.#signed++)] })
      case 'call':
        return this.#chunk(delta.choice, { tool_calls: [{ index: delta.call, ...toToolCall(delta.toolCall) }] })
      case 'arguments':
        return this.#chunk(delta.choice, { tool_calls: [{ index: delta.call, function: { arguments: delta.text } }] })
      case 'finish':
        return this.#chunk(delta.choice, {}, delta.reason)
      default:
        return delta satisfies never
    }
  }

  /** The usage, if the client asked for it, and the end mark. */
  end(usage: TokenUsage): string {
    return (this.#includeUsage ? this.#event('', writeUsage(usage)) : '') + DONE
  }

  #chunk(index: number, delta: object, reason?: FinishReason): string {
    return this.#event(writeChoice(index, `"delta":${JSON.stringify(delta)}`, reason), 'null')
  }

  #event(choices: string, usage: string): string {
    return `data: ${this.#head},"choices":[${choices}]${this.#includeUsage ? `,"usage":${usage}` : ''}}\n\n`
  }
}
