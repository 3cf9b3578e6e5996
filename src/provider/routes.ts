/**
 * Which path and method is what: OpenAI's API and Anthropic's Messages under /v1, Gemini's under /v1beta, and kt's own view
 * into the simulation under /__kt.
 */
import { anthropic, understandMessages } from './anthropic/messages.ts'
import type { Dialect } from './ask.ts'
import { type Endpoint, endpointOf } from './ask.ts'
import { badRequest, type Refusal, refusalOfModel, unknownModel, unknownUrl, wrongMethod } from './faults.ts'
import { gemini, understandGenerate } from './gemini/generate.ts'
import { openai } from './openai/chat.ts'
import {
  understandChat,
  understandCompletions,
  understandEmbeddings,
  understandResponses,
} from './openai/understand.ts'

export type ApiRoute = { dialect: Dialect } & (
  | { kind: 'ask'; endpoint: Endpoint }
  | { kind: 'models' }
  | { kind: 'model'; model: string }
  | { kind: 'refusal'; refusal: Refusal }
)

/** kt's own view: neither counted as a request nor asked for a key. */
export interface ControlRoute {
  kind: 'control'
  action: 'truth' | 'clear-truth' | 'stats'
}

export type Route = ApiRoute | ControlRoute

/** The models that GET /v1/models names; any other name is served all the same, but for those that start with 'unknown'. */
const LISTED_MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'text-embedding-3-small', 'text-embedding-3-large']

const ROUTES: Record<string, Record<string, Route>> = {
  '/v1/chat/completions': { POST: { kind: 'ask', dialect: openai, endpoint: endpointOf(understandChat) } },
  '/v1/completions': { POST: { kind: 'ask', dialect: openai, endpoint: endpointOf(understandCompletions) } },
  '/v1/embeddings': { POST: { kind: 'ask', dialect: openai, endpoint: endpointOf(understandEmbeddings) } },
  '/v1/responses': { POST: { kind: 'ask', dialect: openai, endpoint: endpointOf(understandResponses) } },
  '/v1/messages': { POST: { kind: 'ask', dialect: anthropic, endpoint: endpointOf(understandMessages) } },
  '/v1/models': { GET: { kind: 'models', dialect: openai } },
  '/__kt/truth': { GET: { kind: 'control', action: 'truth' }, DELETE: { kind: 'control', action: 'clear-truth' } },
  '/__kt/stats': { GET: { kind: 'control', action: 'stats' } },
}
const MODEL_PATH = '/v1/models/'
const GEMINI_PATH = /^\/v1(?:beta)?\/models\/([^/:]+):(generateContent|streamGenerateContent)$/

export function routeOf(method: string, url: string): Route {
  const [path = '', query = ''] = url.split('?', 2)
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  if (methods) return methods[method] ?? refused(wrongMethod(method, path, Object.keys(methods).join(', ')), path)
  const named = GEMINI_PATH.exec(path)
  if (named?.[1]) return generateRoute(method, path, query, named[1], named[2] === 'streamGenerateContent')
  if (!path.startsWith(MODEL_PATH) || path === MODEL_PATH) return refused(unknownUrl(method, path), path)
  if (method !== 'GET') return refused(wrongMethod(method, path, 'GET'), path)
  const model = decoded(path.slice(MODEL_PATH.length))
  if (model === undefined) return refused(unknownModel(path.slice(MODEL_PATH.length)), path)
  const refusal = refusalOfModel(model)
  return refusal ? refused(refusal, path) : { kind: 'model', dialect: openai, model }
}

export function modelsBody(): string {
  return JSON.stringify({ object: 'list', data: LISTED_MODELS.map(modelOf) })
}

export function modelBody(model: string): string {
  return JSON.stringify(modelOf(model))
}

function modelOf(id: string) {
  return { id, object: 'model', created: 1_700_000_000, owned_by: 'kt' }
}

function generateRoute(method: string, path: string, query: string, segment: string, stream: boolean): Route {
  const refuse = (refusal: Refusal): Route => ({ kind: 'refusal', dialect: gemini, refusal })
  if (method !== 'POST') return refuse(wrongMethod(method, path, 'POST'))
  const model = decoded(segment)
  if (model === undefined) return refuse(unknownModel(segment))
  // Without it, Gemini streams a JSON array.
  if (stream && new URLSearchParams(query).get('alt') !== 'sse') {
    return refuse(badRequest('Only streams of server-sent events are simulated: add ?alt=sse to the URL.'))
  }
  return { kind: 'ask', dialect: gemini, endpoint: endpointOf(understandGenerate, { model, stream }) }
}

function refused(refusal: Refusal, path: string): Route {
  const dialect = path.startsWith('/v1/messages') ? anthropic : path.startsWith('/v1beta/') ? gemini : openai
  return { kind: 'refusal', dialect, refusal }
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
