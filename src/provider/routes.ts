/**
 * Which path and method is what: OpenAI's API and Anthropic's Messages under /v1, Gemini's under /v1beta, and kt's own
 * view into the simulation under /__kt.
 */
import { anthropic, parseMessages } from './anthropic/messages.ts'
import type { ApiFlavor } from './api.ts'
import { type ProviderEndpoint, toEndpoint } from './api.ts'
import { badRequest, modelRefusal, type Refusal, unknownModel, unknownUrl, wrongMethod } from './faults.ts'
import { gemini, parseGenerate } from './gemini/generate.ts'
import { openai } from './openai/chat.ts'
import { parseEmbeddings } from './openai/embeddings.ts'
import { parseChat, parseCompletions, parseResponses } from './openai/parse.ts'

export type ApiRoute = { flavor: ApiFlavor } & (
  | { kind: 'ask'; endpoint: ProviderEndpoint }
  | { kind: 'models' }
  | { kind: 'model'; model: string }
  | { kind: 'refusal'; refusal: Refusal }
)

/** kt's own view: neither counted as a request nor asked for a key. */
export interface ControlRoute {
  kind: 'control'
  action: 'truth' | 'clear-truth' | 'stats'
}

type Route = ApiRoute | ControlRoute

/**
 * The models that GET /v1/models names; any other name is served all the same, but for those that start with 'unknown'.
 */
const LISTED_MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'text-embedding-3-small', 'text-embedding-3-large']

const ROUTES: Record<string, Record<string, Route>> = {
  '/v1/chat/completions': { POST: { kind: 'ask', flavor: openai, endpoint: toEndpoint(parseChat) } },
  '/v1/completions': { POST: { kind: 'ask', flavor: openai, endpoint: toEndpoint(parseCompletions) } },
  '/v1/embeddings': { POST: { kind: 'ask', flavor: openai, endpoint: toEndpoint(parseEmbeddings) } },
  '/v1/responses': { POST: { kind: 'ask', flavor: openai, endpoint: toEndpoint(parseResponses) } },
  '/v1/messages': { POST: { kind: 'ask', flavor: anthropic, endpoint: toEndpoint(parseMessages) } },
  '/v1/models': { GET: { kind: 'models', flavor: openai } },
  '/__kt/truth': { GET: { kind: 'control', action: 'truth' }, DELETE: { kind: 'control', action: 'clear-truth' } },
  '/__kt/stats': { GET: { kind: 'control', action: 'stats' } },
}
const MODEL_PATH = '/v1/models/'
const GEMINI_PATH = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent)$/

export function findRoute(method: string, url: string): Route {
  const [path = '', query = ''] = url.split('?', 2)
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  if (methods) return methods[method] ?? refused(wrongMethod(method, path, Object.keys(methods).join(', ')), path)
  const named = GEMINI_PATH.exec(path)
  if (named?.[1]) return generateRoute(method, path, query, named[1], named[2] === 'streamGenerateContent')
  if (!path.startsWith(MODEL_PATH) || path === MODEL_PATH) return refused(unknownUrl(method, path), path)
  if (method !== 'GET') return refused(wrongMethod(method, path, 'GET'), path)
  const model = decodeSegment(path.slice(MODEL_PATH.length))
  if (model === undefined) return refused(unknownModel(path.slice(MODEL_PATH.length)), path)
  const refusal = modelRefusal(model)
  return refusal ? refused(refusal, path) : { kind: 'model', flavor: openai, model }
}

export function modelsBody(): string {
  return JSON.stringify({ object: 'list', data: LISTED_MODELS.map(modelEntry) })
}

export function modelBody(model: string): string {
  return JSON.stringify(modelEntry(model))
}

function modelEntry(id: string) {
  return { id, object: 'model', created: 1_700_000_000, owned_by: 'kt' }
}

function generateRoute(method: string, path: string, query: string, segment: string, stream: boolean): Route {
  const refuse = (refusal: Refusal): Route => ({ kind: 'refusal', flavor: gemini, refusal })
  if (method !== 'POST') return refuse(wrongMethod(method, path, 'POST'))
  const model = decodeSegment(segment)
  if (model === undefined) return refuse(unknownModel(segment))
  // Without it, Gemini streams a JSON array.
  if (stream && new URLSearchParams(query).get('alt') !== 'sse') {
    return refuse(badRequest('Only streams of server-sent events are simulated: add ?alt=sse to the URL.'))
  }
  return { kind: 'ask', flavor: gemini, endpoint: toEndpoint(parseGenerate, { model, stream }) }
}

function refused(refusal: Refusal, path: string): Route {
  const flavor = path.startsWith('/v1/messages') ? anthropic : path.startsWith('/v1beta/') ? gemini : openai
  return { kind: 'refusal', flavor, refusal }
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
