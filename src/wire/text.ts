/** Reading text out of the places where formats put it: a string, or a list of parts. */
import type { TextKind, TextVisitor } from './format.ts'
import { asObject, type JsonObject, objectsIn, writeJson } from './json.ts'

/** `holder[key]` where it is a string that is not empty. True when there was one. */
export function visitString(kind: TextKind, holder: JsonObject | undefined, key: string, visit: TextVisitor): boolean {
  const text = holder?.[key]
  if (typeof text !== 'string' || text === '') return false
  visit(kind, text, holder as JsonObject, key)
  return true
}

/** A content that is a string, or a list of strings and of parts with a text, a refusal or a reasoning of their own. */
export function visitContent(kind: TextKind, holder: JsonObject | undefined, key: string, visit: TextVisitor): boolean {
  const content = holder?.[key]
  if (!Array.isArray(content)) return visitString(kind, holder, key, visit)
  let found = false
  for (const [i, item] of content.entries()) {
    if (typeof item === 'string' && item !== '') {
      visit(kind, item, content, i)
      found = true
    }
    const part = asObject(item)
    if (part && visitPart(kind, part, visit)) found = true
  }
  return found
}

/** Mistral and others put a model's reasoning into a part: `{type: 'thinking', thinking: [{text}]}`. */
function visitPart(kind: TextKind, part: JsonObject, visit: TextVisitor): boolean {
  const isReasoning = typeof part.type === 'string' && /thinking|reasoning/.test(part.type)
  const own = isReasoning ? 'reasoning' : kind
  const said = visitString(own, part, 'text', visit) || visitString(own, part, 'refusal', visit)
  return visitContent('reasoning', part, 'thinking', visit) || visitTranscript(part.audio, visit) || said
}

/** What an audio answer says, in words. */
export function visitTranscript(audio: unknown, visit: TextVisitor): boolean {
  return visitString('visible', asObject(audio), 'transcript', visit)
}

/** Where a message, or the delta of one, holds the model's reasoning. */
export const REASONING_KEYS = ['reasoning_content', 'reasoning', 'reasoning_details'] as const

/** The model's reasoning, under the first of its names that holds some: they all say the same. */
export function visitReasoning(holder: JsonObject | undefined, visit: TextVisitor): void {
  if (visitContent('reasoning', holder, 'reasoning_content', visit)) return
  if (visitContent('reasoning', holder, 'reasoning', visit)) return
  for (const detail of objectsIn(holder?.reasoning_details)) {
    if (!visitString('reasoning', detail, 'text', visit)) visitString('reasoning', detail, 'summary', visit)
  }
}

/** OpenAI's tool calls: functions, custom tools, and the one function call of old. */
export function visitToolCalls(holder: JsonObject | undefined, visit: TextVisitor): void {
  for (const call of objectsIn(holder?.tool_calls)) {
    visitString('tool', asObject(call.function), 'arguments', visit)
    visitString('tool', asObject(call.custom), 'input', visit)
  }
  visitString('tool', asObject(holder?.function_call), 'arguments', visit)
}

/** An argument object that travels as JSON and not as text counts as the JSON it would be. */
export function visitArguments(holder: JsonObject, key: string, visit: TextVisitor): void {
  if (holder[key] !== undefined) visit('tool', writeJson(holder[key]), holder, key)
}
