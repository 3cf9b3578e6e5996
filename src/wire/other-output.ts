/** Reading what an event or an answer holds of the model beside texts, where several formats put it alike. */
import type { OtherVisitor } from './format.ts'
import { asObject, type JsonObject, objectsIn } from './json.ts'
import { STRUCTURE_KEYS } from './strings.ts'
import { REASONING_KEYS } from './text.ts'

const DEEPEST = 8

/** Whether a value says anything: a text, or something that holds one. Numbers and flags say nothing of the model. */
export function holdsText(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value !== ''
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return false
  return Object.values(value).some((inner) => holdsText(inner, depth + 1))
}

const STRUCTURE = new Set(STRUCTURE_KEYS)

/** The members of `holder` that hold something and that `known` does not name. */
export function visitUnknown(holder: JsonObject, known: ReadonlySet<string>, at: string, visit: OtherVisitor): void {
  for (const [key, value] of Object.entries(holder)) {
    if (!known.has(key) && !STRUCTURE.has(key) && holdsText(value)) visit('unknown', `${at}${key}`)
  }
}

const KNOWN_OF_MESSAGE = new Set<string>([
  ...['content', 'refusal', 'annotations', 'audio', 'images', 'tool_calls', 'function_call'],
  ...REASONING_KEYS,
])

/** A message of OpenAI's chat completions, or the delta of one. */
export function visitOtherOfMessage(message: JsonObject, at: string, visit: OtherVisitor): void {
  for (const call of objectsIn(message.tool_calls)) {
    if (isNamed(call.function) || isNamed(call.custom)) visit('shown', `${at}tool_calls`)
  }
  if (isNamed(message.function_call)) visit('shown', `${at}function_call`)
  if (holdsText(asObject(message.audio)?.data)) visit('shown', `${at}audio`)
  if (holdsText(message.images)) visit('shown', `${at}images`)
  for (const part of objectsIn(message.content)) visitPart(part, `${at}content.`, visit)
  for (const detail of objectsIn(message.reasoning_details)) {
    if (holdsText(detail.data)) visit('hidden', `${at}reasoning_details`)
  }
  visitUnknown(message, KNOWN_OF_MESSAGE, at, visit)
}

const KNOWN_OF_PART = new Set(['text', 'refusal', 'thinking', 'audio', 'image_url', 'index'])

function visitPart(part: JsonObject, at: string, visit: OtherVisitor): void {
  if (holdsText(part.image_url) || holdsText(asObject(part.audio)?.data)) visit('shown', `${at}${part.type}`)
  if (holdsText(part.signature)) visit('hidden', `${at}signature`)
  visitUnknown(part, KNOWN_OF_PART, at, visit)
}

function isNamed(called: unknown): boolean {
  return holdsText(asObject(called)?.name)
}

/** Members of a choice that are no output; strings beside its message are none either. */
const KNOWN_OF_CHOICE = new Set(['logprobs', 'error', 'content_filter_results', 'content_filter_offsets', 'usage'])

/** Choices whose output stands in `own`: what stands elsewhere in them may be output that kt does not know. */
export function visitOtherOfChoice(choice: JsonObject, own: string, visit: OtherVisitor): void {
  for (const [key, value] of Object.entries(choice)) {
    if (key === own || typeof value === 'string' || KNOWN_OF_CHOICE.has(key)) continue
    if (holdsText(value)) visit('unknown', `choices.${key}`)
  }
}
