/**
 * The APIs that kt asks, as `--endpoint` names them: a record each, and the one list of them. A record says where an
 * API is, where its key goes and how a request limits its answer; how requests and answers look says its format
 * (formats.ts).
 */
import { anthropic } from './anthropic.ts'
import type { RequestSpec, WireFormat } from './format.ts'
import { gemini, generatePath, readGeneratePath } from './gemini.ts'
import { openaiChat } from './openai-chat.ts'
import { openaiCompletions } from './openai-completions.ts'
import { openaiEmbeddings } from './openai-embeddings.ts'
import { openaiResponses } from './openai-responses.ts'
import { rerank } from './rerank.ts'

type Header = readonly [name: string, value: string]

export interface Endpoint {
  /** How its requests and answers look; undefined where kt reads neither. */
  readonly format: WireFormat | undefined
  /** What stands before the path at an origin. */
  readonly version: string
  /** Addresses without a version that gateways and providers give to this API's own clients as their base. */
  readonly bases: RegExp
  /** What the clients put between such a base and the path. */
  readonly belowBase: string
  /** What follows the version in the address. */
  path(request: RequestSpec): string
  /** Whether an address's path, without the query, is a whole one of this API. */
  isPath(path: string): boolean
  /** The address says which model is asked and whether to stream, and the body does not. */
  readonly inPath: boolean
  keyHeader(key: string): Header
  /** Without which the API refuses. */
  readonly headers: Readonly<Record<string, string>>
  /** The member that limits the output tokens, from the outside in; undefined where an answer has no tokens. */
  readonly limit: readonly [string, ...string[]] | undefined
  /** The limit of a request that asks for none, where the API insists on one. */
  readonly usualLimit?: number
  readonly streams: boolean
  /** The member that makes an answer the same each time, at 0; undefined where every answer is. */
  readonly temperature: readonly [string, ...string[]] | undefined
  /** By the semantic conventions for generative AI: the operation, and whose protocol it is. */
  readonly operation: string
  readonly provider: string
}

const bearer = (key: string): Header => ['authorization', `Bearer ${key}`]
/** In place of `bearer`, at Azure. */
export const azureKey = (key: string): Header => ['api-key', key]

function openai(format: WireFormat, own: Pick<Endpoint, 'limit' | 'operation'> & Partial<Endpoint>): Endpoint {
  return {
    format,
    version: '/v1',
    bases: /\/openai(?:_passthrough)?$/,
    belowBase: '',
    path: () => format.path,
    isPath: (path) => path.endsWith(format.path),
    inPath: false,
    keyHeader: bearer,
    headers: {},
    streams: true,
    temperature: ['temperature'],
    provider: 'openai',
    ...own,
  }
}

const TABLE = {
  chat: openai(openaiChat, { limit: ['max_tokens'], operation: 'chat' }),
  completions: openai(openaiCompletions, {
    limit: ['max_tokens'],
    operation: 'text_completion',
    isPath: (path) => path.endsWith(openaiCompletions.path) && !path.endsWith(openaiChat.path),
  }),
  embeddings: openai(openaiEmbeddings, {
    limit: undefined,
    streams: false,
    temperature: undefined,
    operation: 'embeddings',
  }),
  responses: openai(openaiResponses, { limit: ['max_output_tokens'], operation: 'chat' }),
  messages: {
    format: anthropic,
    version: '/v1',
    bases: /\/anthropic$/,
    belowBase: '/v1',
    path: () => anthropic.path,
    isPath: (path) => path.endsWith(anthropic.path),
    inPath: false,
    keyHeader: (key) => ['x-api-key', key],
    headers: { 'anthropic-version': '2023-06-01' },
    limit: ['max_tokens'],
    usualLimit: 256,
    streams: true,
    temperature: ['temperature'],
    operation: 'chat',
    provider: 'anthropic',
  },
  gemini: {
    format: gemini,
    version: '/v1beta',
    bases: /\/(?:genai|gemini)$/,
    belowBase: '/v1beta',
    path: ({ model, stream }) => generatePath(model, stream),
    isPath: (path) => readGeneratePath(path.slice(Math.max(0, path.lastIndexOf(gemini.path)))) !== undefined,
    inPath: true,
    keyHeader: (key) => ['x-goog-api-key', key],
    headers: {},
    limit: ['generationConfig', 'maxOutputTokens'],
    streams: true,
    temperature: ['generationConfig', 'temperature'],
    operation: 'generate_content',
    provider: 'gcp.gemini',
  },
  rerank: openai(rerank, {
    limit: undefined,
    streams: false,
    temperature: undefined,
    operation: 'rerank',
    bases: /\/cohere$/,
    belowBase: '/v1',
    provider: 'cohere',
  }),
  raw: {
    format: undefined,
    version: '',
    bases: /$^/,
    belowBase: '',
    path: () => '',
    isPath: () => false,
    inPath: false,
    keyHeader: bearer,
    headers: {},
    limit: undefined,
    streams: false,
    temperature: undefined,
    operation: 'raw',
    provider: '_OTHER',
  },
} satisfies Record<string, Endpoint>

/** What `--endpoint` names. */
export type ApiEndpoint = keyof typeof TABLE

export const ENDPOINTS = Object.keys(TABLE) as [ApiEndpoint, ...ApiEndpoint[]]

export function endpointOf(name: ApiEndpoint): Endpoint {
  return TABLE[name]
}

/** The format of an endpoint that has one. */
export function formatOfEndpoint(name: ApiEndpoint): WireFormat {
  const { format } = endpointOf(name)
  if (!format) throw new Error(`${name}: kt builds no request of it`)
  return format
}

/** Headers that carry a key, in any API. */
export const KEY_HEADERS: readonly string[] = [
  ...new Set([azureKey(''), ...ENDPOINTS.map((name) => endpointOf(name).keyHeader(''))].map(([name]) => name)),
]

/** Headers that an API insists on, in any API. */
export const API_HEADERS: readonly string[] = ENDPOINTS.flatMap((name) => Object.keys(endpointOf(name).headers))

/** Writes the member of a body that limits its answer, with a comma before it; `field` is another name for it. */
export function limitWriter(name: ApiEndpoint, field?: string): (tokens: number) => string {
  const { limit = [] } = field === undefined ? endpointOf(name) : { limit: [field] }
  const before = `,${limit.map((member) => `${JSON.stringify(member)}:`).join('{')}`
  const after = '}'.repeat(Math.max(0, limit.length - 1))
  return (tokens) => before + tokens + after
}
