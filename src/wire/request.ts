/** What the requests of OpenAI's formats share. */
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
