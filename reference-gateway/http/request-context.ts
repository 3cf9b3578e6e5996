/**
 * One request on its way through the gateway's hooks: what is known about it, and how it ended. Each hook reads the
 * context, and writes only its own fields. Times are milliseconds of the process's monotonic clock.
 */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { formatOfEndpoint } from '../../src/wire/endpoints.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { ACCOUNT_HEADERS, CLIENT_KEY_HEADERS, type ClientKey } from './client-key.ts'
import { modelInPath, type Route } from './endpoints.ts'
import { requestIdOf } from './request-id.ts'
import { Timings } from './timings.ts'

/** The endpoints of OpenAI's API whose requests the gateway knows. */
const KNOWN = ['chat', 'completions', 'embeddings', 'responses'] as const
export type GatewayEndpoint = (typeof KNOWN)[number] | 'other'

/** What the gateway must know about every JSON body. */
export interface BodyFacts {
  model: string | undefined
  /** The client asked for a stream. */
  stream: boolean
  /** The value in the body, of any type. */
  temperature: unknown
  /** The client asks the provider to keep the response. */
  store: boolean
  /** It names an answer or a conversation that the provider has stored. */
  namesStored: boolean
}

type PolicyAction = 'block' | 'redact' | 'flag' | 'timeout'

const ENDPOINT_OF_PATH = new Map<string, GatewayEndpoint>(KNOWN.map((name) => [formatOfEndpoint(name).path, name]))

/** Headers that identify a client to a provider. They tell tenants apart where the gateway has no keys of its own. */
const IDENTITY_HEADERS = [...CLIENT_KEY_HEADERS, ...ACCOUNT_HEADERS]
const EMPTY = Buffer.alloc(0)

export class RequestContext {
  /** See request-id.ts. */
  readonly id: string
  readonly method: string
  /** What follows '/v1', query included. */
  readonly path: string
  readonly endpoint: GatewayEndpoint
  readonly route: Route
  /** The client's key, where the gateway checks keys. */
  key: ClientKey | undefined
  readonly headers: IncomingHttpHeaders
  readonly timings = new Timings()
  /** The request's body as it goes upstream; empty where there is none. */
  body: Buffer = EMPTY
  model: string | undefined
  stream = false
  temperature: unknown
  store = false
  namesStored = false
  /** Name of the provider that was asked last. */
  provider: string | undefined
  /** Number of upstream requests; more than 1 after a fallback. */
  attempts = 0
  /** Undefined without a cache. */
  cache: 'hit' | 'miss' | 'bypass' | undefined
  /** What each policy that found something did: name -> action. Policies write it. */
  policies: Record<string, PolicyAction> | undefined
  /** The response's status; 0 while there is none. */
  status = 0
  /** The code of the gateway's own error, or why the response broke off. */
  error: string | undefined
  /** The client left before the response's end. */
  aborted = false
  /** When the first byte of the response's body was written; 0 before that. */
  firstByteMs = 0
  /** When the response was complete, or broke off; 0 before that. */
  endedMs = 0
  #isJson = false
  #json: JsonObject | undefined
  #tenant: string | undefined
  #abort: AbortController | undefined

  constructor(request: IncomingMessage, path: string, route: Route) {
    this.id = requestIdOf(request.headers)
    this.method = request.method ?? 'GET'
    this.path = path
    this.route = route
    if (route.endpoint === 'gemini') this.model = modelInPath(path)
    const query = path.indexOf('?')
    this.endpoint = ENDPOINT_OF_PATH.get(query < 0 ? path : path.slice(0, query)) ?? 'other'
    this.headers = request.headers
  }

  get isJson(): boolean {
    return this.#isJson
  }

  /**
   * The parsed body, for every body that is JSON, parsed once. A body that a thread has parsed is parsed here only when
   * somebody asks for it. After an input policy changed the body, this is the changed body.
   */
  get json(): JsonObject | undefined {
    if (this.#isJson) this.#json ??= JSON.parse(this.body.toString()) as JsonObject
    return this.#json
  }

  /** Sets what the body says. A body without `json` is JSON all the same. */
  setBody({ json, facts }: { json?: JsonObject; facts: BodyFacts }): void {
    this.#isJson = true
    this.#json = json
    // A provider of that protocol serves what the path names, whatever the body says.
    if (this.route.endpoint !== 'gemini') this.model = facts.model
    this.stream = facts.stream
    this.temperature = facts.temperature
    this.store = facts.store
    this.namesStored = facts.namesStored
  }

  /** The name that `auth.keys` gives; without such keys, a digest of the headers that identify the client. */
  get tenant(): string {
    this.#tenant ??= digestIdentity(this.headers)
    return this.#tenant
  }

  set tenant(name: string) {
    this.#tenant = name
  }

  /** Aborted when the client leaves. Created at the first use. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.aborted) this.#abort.abort()
    return this.#abort.signal
  }

  /** The client left. */
  abort(): void {
    this.aborted = true
    this.#abort?.abort()
  }
}

function digestIdentity(headers: IncomingHttpHeaders): string {
  const known = IDENTITY_HEADERS.filter((name) => headers[name] !== undefined)
  if (known.length === 0) return 'anonymous'
  const hash = createHash('sha256')
  for (const name of known) hash.update(`${name}:${String(headers[name])}\n`)
  return `client-${hash.digest('hex').slice(0, 32)}`
}
