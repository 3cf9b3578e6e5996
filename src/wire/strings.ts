/** Every string of a request or an answer that may be text, wherever it stands, and the same JSON with other texts. */
import { asObject, type JsonObject } from './json.ts'

/** Keys whose strings are structure and no text: roles, ids, enumerations, addresses, data. */
export const STRUCTURE_KEYS: readonly string[] = [
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

/** Of values that repeat a text token by token. */
export const LOGPROBS_KEY = 'logprobs'

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
        if (key === LOGPROBS_KEY || (typeof inner === 'string' && structure.has(key))) continue
        stack.push({ value: inner, at: { key, up: at } })
      }
    }
  }
  return places
}

/**
 * A copy of `json` with other texts in the same places. Values that repeat a text token by token (logprobs) are
 * removed.
 */
export function withStrings(json: JsonObject, places: readonly TextPlace[], texts: readonly string[]): JsonObject {
  const copy = structuredClone(json)
  for (const [i, { at, text }] of places.entries()) {
    const replaced = texts[i] ?? ''
    if (replaced !== text) set(copy, at, replaced)
  }
  return copy
}

function set(root: unknown, at: Step, text: string): void {
  const keys: (string | number)[] = []
  for (let step: Step | undefined = at; step; step = step.up) keys.unshift(step.key)
  const last = keys.pop() ?? ''
  let parent = root
  for (const key of keys) {
    dropLogprobs(parent)
    parent = typeof parent === 'object' && parent !== null ? Reflect.get(parent, key) : undefined
  }
  dropLogprobs(parent)
  if (typeof parent === 'object' && parent !== null) Reflect.set(parent, last, text)
}

function dropLogprobs(value: unknown): void {
  const holder = asObject(value)
  if (holder?.[LOGPROBS_KEY]) holder[LOGPROBS_KEY] = Array.isArray(holder[LOGPROBS_KEY]) ? [] : null
}
