/** Which path and method is what: OpenAI's API under /v1, and kt's own view into the simulation under /__kt. */
import { type Endpoint, refusalOfModel } from './ask.ts'
import { type Refusal, unknownModel, unknownUrl, wrongMethod } from './refusal.ts'

export type ApiRoute =
  | { kind: 'ask'; endpoint: Endpoint }
  | { kind: 'models' }
  | { kind: 'model'; model: string }
  | { kind: 'refusal'; refusal: Refusal }

/** kt's own view: neither counted as a request nor asked for a key. */
export interface ControlRoute {
  kind: 'control'
  action: 'truth' | 'clear-truth' | 'stats'
}

export type Route = ApiRoute | ControlRoute

/** The models that GET /v1/models names; any other name is served all the same, but for those that start with 'unknown'. */
export const LISTED_MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'text-embedding-3-small', 'text-embedding-3-large']

const ROUTES: Record<string, Record<string, Route>> = {
  '/v1/chat/completions': { POST: { kind: 'ask', endpoint: 'chat' } },
  '/v1/completions': { POST: { kind: 'ask', endpoint: 'completions' } },
  '/v1/embeddings': { POST: { kind: 'ask', endpoint: 'embeddings' } },
  '/v1/models': { GET: { kind: 'models' } },
  '/__kt/truth': { GET: { kind: 'control', action: 'truth' }, DELETE: { kind: 'control', action: 'clear-truth' } },
  '/__kt/stats': { GET: { kind: 'control', action: 'stats' } },
}
const MODEL_PATH = '/v1/models/'

export function routeOf(method: string, url: string): Route {
  const path = url.split('?', 1)[0] ?? ''
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  if (methods) return methods[method] ?? refused(wrongMethod(method, path, Object.keys(methods).join(', ')))
  if (!path.startsWith(MODEL_PATH) || path === MODEL_PATH) return refused(unknownUrl(method, path))
  if (method !== 'GET') return refused(wrongMethod(method, path, 'GET'))
  const model = decoded(path.slice(MODEL_PATH.length))
  if (model === undefined) return refused(unknownModel(path.slice(MODEL_PATH.length)))
  const refusal = refusalOfModel(model)
  return refusal ? refused(refusal) : { kind: 'model', model }
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

function refused(refusal: Refusal): Route {
  return { kind: 'refusal', refusal }
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
