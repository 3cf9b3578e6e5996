/** What OpenAI's formats share: the fields around every request, errors, and the padding of a stream's events. */
import type { AnswerError } from './answer.ts'
import type { RequestSpec } from './format.ts'
import type { JsonObject } from './json.ts'

/** The fields that every request has, around those of its own. */
export function openaiRequest({ model, stream }: RequestSpec, own: JsonObject): JsonObject {
  return { model, ...own, ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}) }
}

/** Where there are no messages, a shared prefix begins the text. */
export function joinPrefix(text: string, prefix: string | undefined): string {
  return prefix === undefined ? text : `${prefix} ${text}`
}

/** An error answer. */
export function openaiError({ message, type, param, code }: AnswerError): JsonObject {
  return { error: { message, type, param, code } }
}

export function writeOpenaiError(error: AnswerError): string {
  return JSON.stringify(openaiError(error))
}

/** The event that ends a stream of completions in which something went wrong. */
export function writeOpenaiErrorEvent(error: AnswerError): string {
  return `data: ${writeOpenaiError(error)}\n\n`
}

const LETTERS = 'hQ7xkTz2mWbLr9cVfN4sYpJd'
const SHORT = 10
const STEP = 16

/**
 * Fills a text to 10 characters, a longer one to 26, 42, ..., as the sizes in recorded streams of April 2025 models do.
 */
export function paddingFor(chars: number): string {
  const filled = chars <= SHORT ? SHORT : SHORT + STEP * Math.ceil((chars - SHORT) / STEP)
  return LETTERS.slice(0, filled - chars)
}

/** The padding of an event whose text has `chars` characters, as a member. */
export function writePadding(chars: number): string {
  return `,"obfuscation":"${paddingFor(chars)}"`
}
