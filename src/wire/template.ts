/**
 * The JSON of a request, serialised before the run with holes in it: one for a shared prefix, and one for the end of
 * the last message (the nonce, after generated text where there is some). Filling the holes is a concatenation.
 */

import { type BodyChanges, changeBody, marked } from './body-changes.ts'
import { type ApiEndpoint, endpointOf, formatOfEndpoint, limitWriter } from './endpoints.ts'
import type { RequestSpec } from './format.ts'
import { type JsonObject, objectsIn, parseObject } from './json.ts'

export interface RequestTemplate {
  before: string
  /** Between the shared prefix and the end of the last message; '' where there is no hole for a prefix. */
  between: string
  /** Without the closing brace: the limit of the answer may come before it. */
  after: string
  /** Bytes of it that are no text: its images. */
  attached?: number
}

export interface RequestShape extends RequestSpec {
  endpoint: ApiEndpoint
  /** What the user changes in what kt writes. */
  changes?: BodyChanges | undefined
}

/** A request whose last message is `text`, followed by the hole for its end. */
export function promptTemplate(shape: RequestShape, text: string): RequestTemplate {
  return bodyTemplate((hole) => buildBody(shape, marked(text, hole)), shape.model + text, shape.changes)
}

/** A request whose last message is the hole, `prefixed` by one for a text that requests share. */
export function generatedTemplate(shape: RequestShape, prefixed: boolean): RequestTemplate {
  const prefix = prefixed ? PREFIX : undefined
  // The hole is that of the text: there is one without a nonce too.
  const changes = { ...shape.changes, nonce: true }
  const { before, after } = bodyTemplate((hole) => buildBody(shape, hole, prefix), shape.model, changes)
  if (!prefixed) return { before, between: '', after }
  const at = before.lastIndexOf(PREFIX)
  return { before: before.slice(0, at), between: before.slice(at + PREFIX.length), after }
}

function buildBody({ endpoint, changes: _, ...spec }: RequestShape, text: string, prefix?: string): JsonObject {
  return formatOfEndpoint(endpoint).buildRequest(spec, text, prefix)
}

/**
 * Any request, with the user's changes: `build` puts the hole where the nonce belongs, or nothing where it gets ''. The
 * hole's text must not occur in `texts`.
 */
export function bodyTemplate(
  build: (hole: string) => JsonObject,
  texts: string,
  changes: BodyChanges = {},
): RequestTemplate {
  const attached = changes.images?.reduce((sum, { length }) => sum + length, 0) ?? 0
  const write = (hole: string): string => JSON.stringify(changeBody(build(hole), changes))
  if (changes.nonce === false) return { before: write('').slice(0, -1), between: '', after: '', attached }
  const taken = texts + JSON.stringify(changes.extra ?? {})
  let hole = 'kt-hole'
  while (taken.includes(hole)) hole += '-hole'
  const [before = '', after = ''] = write(hole).split(hole)
  return { before, between: '', after: after.slice(0, -1), attached }
}

const PREFIX = 'kt-prefix'

/**
 * Turns the body of a chat request into one of `endpoint`, for conversations: what was said before comes into their
 * requests as messages of chat. Members that all have are translated; further ones go along as they stand.
 */
export function chatTranslator(endpoint: ApiEndpoint): (body: string) => string {
  const { usualLimit } = endpointOf(endpoint)
  const limit = limitWriter(endpoint)
  return (body) => {
    const { model, messages, stream, stream_options, max_tokens, ...others } = parseObject(body) ?? {}
    const request = buildConversation({ endpoint, model: String(model), stream: stream === true }, objectsIn(messages))
    const most = max_tokens ?? usualLimit
    const written = JSON.stringify({ ...request, ...others })
    return typeof most === 'number' ? `${written.slice(0, -1)}${limit(most)}}` : written
  }
}

/** A request that is a conversation, given in OpenAI's words. */
export function buildConversation(
  { endpoint, changes: _, ...spec }: RequestShape,
  messages: readonly JsonObject[],
): JsonObject {
  const { buildConversation: build } = formatOfEndpoint(endpoint)
  if (!build) throw new Error(`${endpoint}: its requests are no conversations`)
  return build(spec, messages)
}
