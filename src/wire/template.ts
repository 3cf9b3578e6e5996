/**
 * The JSON of a request, serialised before the run with holes in it: one for a shared prefix, and one for the end of
 * the last message (the nonce, after generated text where there is some). Filling the holes is a concatenation.
 */

export type ApiEndpoint = 'chat' | 'completions' | 'embeddings'

export interface RequestTemplate {
  before: string
  /** The text between the two holes; '' where there is no hole for a prefix. */
  between: string
  /** Without the closing brace: max_tokens may be added before it. */
  after: string
}

export interface RequestShape {
  endpoint: ApiEndpoint
  model: string
  stream: boolean
}

export type JsonObject = Record<string, unknown>

/** A request whose last message is `text`, followed by the hole for its end. */
export function promptTemplate(shape: RequestShape, text: string): RequestTemplate {
  return bodyTemplate((hole) => buildRequest(shape, promptField(shape.endpoint, `${text} ${hole}`)), shape.model + text)
}

/**
 * A request whose last message is only the hole for its end; with `prefixed`, a hole for a shared prefix comes before.
 */
export function generatedTemplate(shape: RequestShape, prefixed: boolean): RequestTemplate {
  const prefix = prefixed ? PREFIX : undefined
  const { before, after } = bodyTemplate(
    (hole) => buildRequest(shape, promptField(shape.endpoint, hole, prefix)),
    shape.model,
  )
  if (!prefixed) return { before, between: '', after }
  const at = before.lastIndexOf(PREFIX)
  return { before: before.slice(0, at), between: before.slice(at + PREFIX.length), after }
}

/** Any request: `build` puts the hole where the nonce belongs. The hole's text must not occur in `texts`. */
export function bodyTemplate(build: (hole: string) => JsonObject, texts: string): RequestTemplate {
  let hole = 'kt-hole'
  while (texts.includes(hole)) hole += '-hole'
  const [before = '', after = ''] = JSON.stringify(build(hole)).split(hole)
  return { before, between: '', after: after.slice(0, -1) }
}

/** A request of this shape with fields of its own. */
export function buildRequest({ model, stream }: RequestShape, own: JsonObject): JsonObject {
  return { model, ...own, ...(stream ? { stream: true, stream_options: { include_usage: true } } : {}) }
}

const PREFIX = 'kt-prefix'

/**
 * A shared prefix is a system message, like an application's instructions; an endpoint without messages gets it first.
 */
function promptField(endpoint: ApiEndpoint, text: string, prefix?: string): JsonObject {
  if (endpoint === 'chat') {
    const system = prefix === undefined ? [] : [{ role: 'system', content: prefix }]
    return { messages: [...system, { role: 'user', content: text }] }
  }
  const whole = prefix === undefined ? text : `${prefix} ${text}`
  return endpoint === 'embeddings' ? { input: whole } : { prompt: whole }
}
