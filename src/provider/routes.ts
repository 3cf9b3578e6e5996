/**
 * Which path and method is what: OpenAI's API and Anthropic's Messages under /v1, Gemini's under /v1beta, and kt's own
 * view into the simulation under /__kt.
 */
import type { FormatName } from '../wire/formats.ts'
import { type ListedModel, writeModel, writeModelList } from '../wire/model-list.ts'
import { messagesApi } from './anthropic.ts'
import type { ApiFlavor, Named, ProviderApi, ProviderEndpoint } from './api.ts'
import { embeddingsApi } from './embeddings.ts'
import { modelRefusal, type Refusal, unknownModel, unknownUrl, wrongMethod } from './faults.ts'
import { generateApi } from './gemini.ts'
import { chatApi, completionsApi, openai, responsesApi } from './openai.ts'
import { rerankApi } from './rerank.ts'

/** The APIs that are simulated. */
export const APIS: Record<FormatName, ProviderApi> = {
  'openai-chat': chatApi,
  'openai-completions': completionsApi,
  'openai-embeddings': embeddingsApi,
  'openai-responses': responsesApi,
  rerank: rerankApi,
  anthropic: messagesApi,
  gemini: generateApi,
}
const ALL = Object.values(APIS)

export type ApiRoute = { flavor: ApiFlavor } & (
  | { kind: 'ask'; endpoint: ProviderEndpoint }
  | { kind: 'models' }
  | { kind: 'model'; model: string }
  | { kind: 'refusal'; refusal: Refusal }
)

/** kt's own view: neither counted as a request nor asked for a key. */
export interface ControlRoute {
  kind: 'control'
  action: 'truth' | 'clear-truth' | 'stats' | 'health'
}

type Route = ApiRoute | ControlRoute

/**
 * The models that GET /v1/models names; any other name is served all the same, but for those that start with 'unknown'.
 */
const LISTED_MODELS = ['gpt-4o', 'gpt-4o-mini', 'gpt-5', 'text-embedding-3-small', 'text-embedding-3-large']

const ROUTES: Record<string, Record<string, Route>> = {
  ...Object.fromEntries(ALL.filter(({ readPath }) => !readPath).map((api) => [api.path, { POST: toRoute(api) }])),
  '/v1/models': { GET: { kind: 'models', flavor: openai } },
  '/__kt/truth': { GET: { kind: 'control', action: 'truth' }, DELETE: { kind: 'control', action: 'clear-truth' } },
  // What routers of vLLM and SGLang ask of a server before they send it anything.
  '/health': { GET: { kind: 'control', action: 'health' } },
  '/__kt/stats': { GET: { kind: 'control', action: 'stats' } },
}
const MODEL_PATH = '/v1/models/'

export function findRoute(method: string, url: string): Route {
  const [path = '', query = ''] = url.split('?', 2)
  const methods = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  if (methods) return methods[method] ?? refused(wrongMethod(method, path, Object.keys(methods).join(', ')), path)
  for (const api of ALL) {
    const read = api.readPath?.(path, query)
    if (!read) continue
    const refuse = (refusal: Refusal): Route => ({ kind: 'refusal', flavor: api.flavor, refusal })
    if (method !== 'POST') return refuse(wrongMethod(method, path, 'POST'))
    if (!read.ok) return refuse(read.refusal)
    const model = decodeSegment(read.value.model)
    return model === undefined ? refuse(unknownModel(read.value.model)) : toRoute(api, { ...read.value, model })
  }
  if (!path.startsWith(MODEL_PATH) || path === MODEL_PATH) return refused(unknownUrl(method, path), path)
  if (method !== 'GET') return refused(wrongMethod(method, path, 'GET'), path)
  const model = decodeSegment(path.slice(MODEL_PATH.length))
  if (model === undefined) return refused(unknownModel(path.slice(MODEL_PATH.length)), path)
  const refusal = modelRefusal(model)
  return refusal ? refused(refusal, path) : { kind: 'model', flavor: openai, model }
}

export function modelsBody(): string {
  return writeModelList(LISTED_MODELS.map(toListed))
}

export function modelBody(model: string): string {
  return writeModel(toListed(model))
}

function toListed(id: string): ListedModel {
  return { id, created: 1_700_000_000, owner: 'kt' }
}

function toRoute({ flavor, parse }: ProviderApi, named: Named = { model: '', stream: false }): Route {
  return { kind: 'ask', flavor, endpoint: { parse, named } }
}

function refused(refusal: Refusal, path: string): Route {
  const flavor = ALL.find((api) => path.startsWith(api.path))?.flavor ?? openai
  return { kind: 'refusal', flavor, refusal }
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
