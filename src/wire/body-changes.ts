/**
 * What a user changes in every request that kt writes: members of their own, merged deep into the body; no
 * `stream_options`; images beside the prompt; no nonce. All of it happens once, before the run.
 */
import { asObject, type JsonObject } from './json.ts'

/** What a request asks for its output tokens with: newer models of OpenAI take only the second. */
export const MAX_TOKENS_FIELDS = ['max_tokens', 'max_completion_tokens'] as const
export type MaxTokensField = (typeof MAX_TOKENS_FIELDS)[number]

/** Plain data. */
export interface BodyChanges {
  /** Merged deep into each body: objects member by member, anything else replaces what stands there. */
  extra?: JsonObject | undefined
  /** False: a stream is asked for without `stream_options`, which some targets refuse. */
  usage?: boolean | undefined
  /** False: no nonce ends the prompt. */
  nonce?: boolean | undefined
  /** Data URLs of images that stand before the text of the last message. */
  images?: readonly string[] | undefined
}

export function changeBody(body: JsonObject, { extra, usage = true, images = [] }: BodyChanges): JsonObject {
  const { stream_options: asked, ...rest } = body
  const kept = usage || asked === undefined ? body : rest
  const pictured = images.length > 0 ? withImages(kept, images) : kept
  return extra ? mergeDeep(pictured, extra) : pictured
}

/** Neither side is changed. */
export function mergeDeep(into: JsonObject, from: JsonObject): JsonObject {
  // Entries and no assignment: a member named `__proto__` is a member like any other.
  const merged = new Map(Object.entries(into))
  for (const [name, value] of Object.entries(from)) {
    const [mine, theirs] = [asObject(merged.get(name)), asObject(value)]
    merged.set(name, mine && theirs ? mergeDeep(mine, theirs) : value)
  }
  return Object.fromEntries(merged)
}

/** The text of the last message becomes the last part of its content, after the images. */
function withImages(body: JsonObject, images: readonly string[]): JsonObject {
  const messages = Array.isArray(body.messages) ? body.messages : []
  const last = asObject(messages.at(-1))
  if (!last) return body
  const { content } = last
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : Array.isArray(content) ? content : []
  const pictures = images.map((url) => ({ type: 'image_url', image_url: { url } }))
  return { ...body, messages: [...messages.slice(0, -1), { ...last, content: [...pictures, ...parts] }] }
}

/** `text` with a mark at its end; by itself where there is none. */
export function marked(text: string, mark: string): string {
  return mark === '' ? text : `${text} ${mark}`
}
