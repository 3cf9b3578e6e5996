/**
 * Reading text out of the places where formats put it: a string, or a list of parts; and every string that may be text.
 */
import type { TextKind, TextVisitor } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'

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
  if (holder[key] !== undefined) visit('tool', JSON.stringify(holder[key]), holder, key)
}

/** Keys whose strings are structure and no text: roles, ids, enumerations, addresses, data. */
const STRUCTURE_KEYS: readonly string[] = [
  ...['role', 'id', 'type', 'name', 'object', 'model', 'status', 'finish_reason', 'format', 'detail'],
  ...['call_id', 'tool_call_id', 'item_id', 'file_id', 'media_type', 'mime_type', 'url', 'image_url', 'file_url'],
  ...['data', 'file_data', 'b64_json', 'encrypted_content', 'signature'],
]
const structure = new Set(STRUCTURE_KEYS)

/** A key or an index, and the way to what it belongs to. */
interface Step {
  key: string | number
  up: Step | undefined
}

export interface TextPlace {
  at: Step
  text: string
}

/**
 * Every string inside of these members, in their order, but those under structure keys and those of logprobs, which
 * repeat the text. Found without recursion, so that no depth of nesting is too deep.
 */
export function stringsUnder(json: JsonObject, members: readonly string[]): TextPlace[] {
  const places: TextPlace[] = []
  const stack: { value: unknown; at: Step }[] = []
  for (const key of members.toReversed()) if (key in json) stack.push({ value: json[key], at: { key, up: undefined } })
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value, at } = next
    if (typeof value === 'string') {
      if (value !== '') places.push({ at, text: value })
    } else if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) stack.push({ value: value[i], at: { key: i, up: at } })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value).reverse()) {
        if (key === 'logprobs' || (typeof inner === 'string' && structure.has(key))) continue
        stack.push({ value: inner, at: { key, up: at } })
      }
    }
  }
  return places
}
