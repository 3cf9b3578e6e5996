/**
 * OpenAI's Responses: a whole answer is a list of output items, a stream a sequence of typed events. A text comes in
 * deltas; the `.done` and `.added` events, and the response at the end, only repeat it.
 */

import type { AnswerWriter, FinishReason, StreamWriter, TextAnswer } from './answer.ts'
import { errorText } from './answer-error.ts'
import { turnsOf } from './chat-turns.ts'
import type { OtherVisitor, RequestSpec, TextKind, TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { writePadding } from './openai.ts'
import { holdsText } from './other-output.ts'
import { visitContent, visitString } from './text.ts'
import { responsesItems } from './turn-writers.ts'
import { type TokenUsage, usageIn } from './usage.ts'

/** What the `delta` of each event adds to. Others (audio bytes, annotations) add no text. */
export const TEXT_DELTAS: Record<string, TextKind> = {
  'response.output_text.delta': 'visible',
  'response.refusal.delta': 'visible',
  'response.audio_transcript.delta': 'visible',
  'response.output_audio_transcript.delta': 'visible',
  'response.reasoning_text.delta': 'reasoning',
  'response.reasoning_summary_text.delta': 'reasoning',
  'response.function_call_arguments.delta': 'tool',
  'response.mcp_call_arguments.delta': 'tool',
  'response.custom_tool_call_input.delta': 'tool',
  'response.code_interpreter_call_code.delta': 'tool',
}
const PARTIAL_IMAGE = 'partial_image_b64'
const ENDS = new Set(['response.completed', 'response.incomplete'])

export const openaiResponses: WireFormat = {
  path: '/responses',
  requestMembers: ['input', 'instructions'],
  answerMembers: ['output', 'output_text'],
  isEvent: ({ type }) => typeof type === 'string' && type.startsWith('response.'),
  isAnswer: ({ output }) => Array.isArray(output),
  eachEventText: (event, visit) => {
    const kind = TEXT_DELTAS[String(event.type)]
    if (kind) visitString(kind, event, 'delta', visit)
  },
  eachAnswerText: ({ output }, visit) => {
    for (const item of objectsIn(output)) visitItem(item, visit)
  },
  eachOtherOfEvent: (event, visit) => {
    const type = String(event.type)
    const item = asObject(event.item)
    if (item && type === 'response.output_item.added') visitOtherOfItem(item, visit)
    if (ENDS.has(type) && holdsOutput(asObject(event.response))) visit('hidden', type)
    if (PARTIAL_IMAGE in event || (type.endsWith('.delta') && holdsText(event.delta))) visit('shown', type)
  },
  eachOtherOfAnswer: ({ output }, visit) => {
    for (const item of objectsIn(output)) visitOtherOfItem(item, visit)
  },
  usageOf: (json) => usageIn(asObject(json.response) ?? json),
  endsStream: ({ type }) => ENDS.has(String(type)),
  finishes: ({ type }) => ENDS.has(String(type)),
  errorOf: ({ type, response }) =>
    type === 'response.failed' ? (errorText(asObject(response) ?? {}) ?? 'the response failed') : undefined,
  buildRequest: (spec, text, prefix) => responsesRequest(spec, prefix, text),
  buildConversation: (spec, messages) => {
    const { system, turns } = turnsOf(messages)
    return responsesRequest(spec, system, responsesItems(turns))
  },
}

function responsesRequest(
  { model, stream }: RequestSpec,
  instructions: string | undefined,
  input: string | readonly JsonObject[],
): JsonObject {
  // It tells its usage unasked, and has no option for it.
  return { model, ...(instructions !== undefined && { instructions }), input, ...(stream && { stream: true }) }
}

/** A message, the model's reasoning, or a call of a tool. */
function visitItem(item: JsonObject, visit: TextVisitor): void {
  const isReasoning = item.type === 'reasoning'
  visitContent(isReasoning ? 'reasoning' : 'visible', item, 'content', visit)
  if (isReasoning) visitContent('reasoning', item, 'summary', visit)
  for (const key of ['arguments', 'input', 'code']) visitString('tool', item, key, visit)
}

/** Whether a response holds anything. At the end of its stream it repeats what came, or is all that came. */
function holdsOutput(response: JsonObject = {}): boolean {
  let found = false
  const note = (): void => {
    found = true
  }
  for (const item of objectsIn(response.output)) {
    visitItem(item, note)
    visitOtherOfItem(item, note)
  }
  return found
}

/** Every item but a message and reasoning is a call of some tool, or what came of it. */
function visitOtherOfItem(item: JsonObject, visit: OtherVisitor): void {
  const type = String(item.type)
  if (type !== 'message' && type !== 'reasoning') visit('shown', type)
  if (holdsText(item.encrypted_content)) visit('hidden', 'encrypted_content')
}

// --- Writing

/** Why an answer is incomplete. */
const REASONS: Record<FinishReason, string | undefined> = {
  stop: undefined,
  tool_calls: undefined,
  length: 'max_output_tokens',
  content_filter: 'content_filter',
}

/**
 * Streams have named events with sequence numbers, and no [DONE]. Further members stand beside those of an event: the
 * format has no extension point within a delta.
 */
export const openaiResponsesWriter: AnswerWriter = {
  whole: (answer, text) => (members, textEnd) => `${writeFinished(answer, text + textEnd)}${members}}`,
  stream: writeStream,
}

function writeStream(answer: TextAnswer): StreamWriter {
  const { id, obfuscation } = answer
  const at = `"item_id":"msg_${id}","output_index":0,"content_index":0`
  const item = '"output_index":0,"item":'
  const before = `event: response.output_text.delta\ndata: {"type":"response.output_text.delta",${at},"delta":"`
  let sequence = 0
  let whole = ''
  const named = (type: string, content: string, members: string): string =>
    `event: ${type}\ndata: {"type":"${type}",${content},"sequence_number":${sequence++}${members}}\n\n`
  return {
    open: (members) => {
      const response = `"response":${writeResponse(answer, 'in_progress', '', 'null')}}`
      return (
        named('response.created', response, members) +
        named('response.in_progress', response, members) +
        named('response.output_item.added', item + writeItem(id, 'in_progress', ''), members) +
        named('response.content_part.added', `${at},"part":${writePart('')}`, members)
      )
    },
    event: (text, _tokens, members) => {
      whole += text
      const pad = obfuscation ? writePadding(text.length) : ''
      return `${before + text}","logprobs":[]${pad},"sequence_number":${sequence++}${members}}\n\n`
    },
    close: (members) => {
      const status = statusOf(answer)
      return (
        named('response.output_text.done', `${at},"text":"${whole}","logprobs":[]`, members) +
        named('response.content_part.done', `${at},"part":${writePart(whole)}`, members) +
        named('response.output_item.done', item + writeItem(id, status, writePart(whole)), members) +
        named(`response.${status}`, `"response":${writeFinished(answer, whole)}}`, members)
      )
    },
    fail: ({ message, type }, members) =>
      named('error', `"code":"${type}","message":${JSON.stringify(message)},"param":null`, members),
  }
}

function writePart(text: string): string {
  return `{"type":"output_text","annotations":[],"logprobs":[],"text":"${text}"}`
}

function writeItem(id: string, status: string, content: string): string {
  return `{"id":"msg_${id}","type":"message","status":"${status}","content":[${content}],"role":"assistant"}`
}

function statusOf({ finishReason }: TextAnswer): string {
  return REASONS[finishReason] === undefined ? 'completed' : 'incomplete'
}

/** The response object without its closing brace. */
function writeResponse(answer: TextAnswer, status: string, output: string, usage: string): string {
  const reason = status === 'incomplete' ? `{"reason":"${REASONS[answer.finishReason]}"}` : 'null'
  return (
    `{"id":"resp_${answer.id}","object":"response","created_at":${answer.created},"status":"${status}",` +
    `"background":false,"error":null,"incomplete_details":${reason},"instructions":null,` +
    `"max_output_tokens":${answer.limit},` +
    `"model":${JSON.stringify(answer.model)},"output":[${output}],"parallel_tool_calls":true,` +
    '"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,' +
    '"text":{"format":{"type":"text"}},' +
    `"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","usage":${usage},"user":null,"metadata":{}`
  )
}

function writeFinished(answer: TextAnswer, text: string): string {
  const status = statusOf(answer)
  return writeResponse(answer, status, writeItem(answer.id, status, writePart(text)), writeUsage(answer.usage))
}

function writeUsage({ input, output, cached, reasoning }: TokenUsage): string {
  return (
    `{"input_tokens":${input},"input_tokens_details":{"cached_tokens":${cached}},"output_tokens":${output},` +
    `"output_tokens_details":{"reasoning_tokens":${reasoning}},"total_tokens":${input + output}}`
  )
}
