/**
 * OpenAI's Responses: a whole answer is a list of output items, a stream a sequence of typed events. A text comes in
 * deltas; the `.done` and `.added` events, and the response at the end, only repeat it.
 */

import { errorText } from './answer-error.ts'
import type { TextKind, TextVisitor, WireFormat } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { joinPrefix, openaiRequest } from './openai.ts'
import { visitContent, visitString } from './text.ts'
import { usageIn } from './usage.ts'

/** What the `delta` of each event adds to. Others (audio bytes, annotations) add no text. */
const DELTAS: Record<string, TextKind> = {
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
const ENDS = new Set(['response.completed', 'response.incomplete'])

export const openaiResponses: WireFormat = {
  path: '/responses',
  requestMembers: ['input', 'instructions'],
  isEvent: ({ type }) => typeof type === 'string' && type.startsWith('response.'),
  isAnswer: ({ output }) => Array.isArray(output),
  eachEventText: (event, visit) => {
    const kind = DELTAS[String(event.type)]
    if (kind) visitString(kind, event, 'delta', visit)
  },
  eachAnswerText: ({ output }, visit) => {
    for (const item of objectsIn(output)) visitItem(item, visit)
  },
  usageOf: (json) => usageIn(asObject(json.response) ?? json),
  endsStream: ({ type }) => ENDS.has(String(type)),
  errorOf: ({ type, response }) =>
    type === 'response.failed' ? (errorText(asObject(response) ?? {}) ?? 'the response failed') : undefined,
  buildRequest: (spec, text, prefix) => openaiRequest(spec, { input: joinPrefix(text, prefix) }),
}

/** A message, the model's reasoning, or a call of a tool. */
function visitItem(item: JsonObject, visit: TextVisitor): void {
  const isReasoning = item.type === 'reasoning'
  visitContent(isReasoning ? 'reasoning' : 'visible', item, 'content', visit)
  if (isReasoning) visitContent('reasoning', item, 'summary', visit)
  for (const key of ['arguments', 'input', 'code']) visitString('tool', item, key, visit)
}
