/**
 * Where text lies in the JSON of a request or of a response: every string below the members that hold messages, except
 * roles, ids, types, names, URLs and data. Found without recursion, so that no nesting is too deep.
 */
import type { JsonObject } from '../../../src/wire/json.ts'

export interface JsonText {
  at: Step
  text: string
}

/** A key or an index, and the step to its parent. */
interface Step {
  key: string | number
  up: Step | undefined
}

const IN_REQUESTS = ['messages', 'prompt', 'suffix', 'input', 'instructions', 'system', 'contents', 'prediction']
const IN_ANSWERS = ['choices', 'output', 'output_text', 'text', 'content', 'candidates', 'message', 'summary']

const NO_TEXT = new Set(
  (
    'role id type name object model index finish_reason status call_id tool_call_id item_id file_id format ' +
    'detail media_type mime_type url image_url file_url data file_data b64_json logprobs encrypted_content ' +
    'signature'
  ).split(' '),
)

export function findRequestTexts(json: JsonObject): JsonText[] {
  return textsUnder(json, IN_REQUESTS)
}

export function textsIn(places: readonly JsonText[]): string[] {
  return places.map(({ text }) => text)
}

export function findResponseTexts(json: JsonObject): JsonText[] {
  return textsUnder(json, IN_ANSWERS)
}

/**
 * A copy of `json` with other texts in the same places. Values that repeat a text token by token (logprobs) are
 * removed.
 */
export function withTexts(json: JsonObject, places: readonly JsonText[], texts: readonly string[]): JsonObject {
  const copy = structuredClone(json) as Record<string, unknown>
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
  if (typeof value === 'object' && value !== null && 'logprobs' in value && value.logprobs) {
    value.logprobs = Array.isArray(value.logprobs) ? [] : null
  }
}

function textsUnder(json: JsonObject, roots: readonly string[]): JsonText[] {
  const places: JsonText[] = []
  const stack: { value: unknown; at: Step }[] = []
  for (const key of [...roots].reverse()) if (key in json) stack.push({ value: json[key], at: { key, up: undefined } })
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { value, at } = next
    if (typeof value === 'string') {
      if (value !== '') places.push({ at, text: value })
    } else if (Array.isArray(value)) {
      for (let i = value.length - 1; i >= 0; i--) stack.push({ value: value[i], at: { key: i, up: at } })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value).reverse()) {
        if (key === 'logprobs' || (typeof inner === 'string' && NO_TEXT.has(key))) continue
        stack.push({ value: inner, at: { key, up: at } })
      }
    }
  }
  return places
}
