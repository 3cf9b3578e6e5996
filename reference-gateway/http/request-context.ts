/**
 * One request on its way through the gateway's stages: what is known of it, and what became of it. Stages read it, and
 * write only the fields that are theirs. Times are milliseconds of the process's monotonic clock.
 */
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Timings } from './timings.ts'

export type JsonObject = { readonly [key: string]: unknown }
export type ApiEndpoint = 'chat' | 'completions' | 'embeddings' | 'responses' | 'other'

/** What the gateway must know of every JSON body. */
export interface BodyFacts {
  model: string | undefined
  /** The client asked for a stream. */
  stream: boolean
  /** As the body has it. */
  temperature: unknown
  /** The provider is asked to keep the answer. */
  store: boolean
}

export type PolicyAction = 'block' | 'redact' | 'flag' | 'timeout'

const ENDPOINTS: Record<string, ApiEndpoint> = {
  '/chat/completions': 'chat',
  '/completions': 'completions',
  '/embeddings': 'embeddings',
  '/responses': 'responses',
}

/** What tells clients apart at a provider, where the gateway itself knows no keys. */
const IDENTITY_HEADERS = ['authorization', 'api-key', 'x-api-key', 'openai-organization', 'openai-project']
const ID_START = process.pid.toString(36) + Math.floor(performance.timeOrigin).toString(36)
const EMPTY = Buffer.alloc(0)
let requests = 0

export class RequestContext {
  /** Unique over processes and restarts; short. */
  readonly id: string
  readonly method: string
  /** What follows '/v1', query included. */
  readonly path: string
  readonly endpoint: ApiEndpoint
  readonly headers: IncomingHttpHeaders
  readonly timings = new Timings()
  /** The request's body as it goes upstream; empty where there is none. */
  body: Buffer = EMPTY
  model: string | undefined
  stream = false
  temperature: unknown
  store = false
  /** Name of the provider that was asked last. */
  provider: string | undefined
  /** Upstream requests made; more than 1 after a fallback. */
  attempts = 0
  /** Undefined where no cache is on. */
  cache: 'hit' | 'miss' | 'bypass' | undefined
  /** What each policy that found something did: name -> action. Written by policies. */
  policies: Record<string, PolicyAction> | undefined
  /** Of the answer; 0 while there is none. */
  status = 0
  /** The code of the gateway's own error answer, or why the answer broke off. */
  error: string | undefined
  /** The client left before the answer's end. */
  aborted = false
  /** When the first byte of the answer's body was written; 0 before. */
  firstByteMs = 0
  /** When the answer was complete, or broke off; 0 before. */
  endedMs = 0
  #isJson = false
  #json: JsonObject | undefined
  #tenant: string | undefined
  #abort: AbortController | undefined

  constructor(request: IncomingMessage, path: string) {
    this.id = `${ID_START}-${(++requests).toString(36)}`
    this.method = request.method ?? 'GET'
    this.path = path
    const query = path.indexOf('?')
    this.endpoint = ENDPOINTS[query < 0 ? path : path.slice(0, query)] ?? 'other'
    this.headers = request.headers
  }

  get isJson(): boolean {
    return this.#isJson
  }

  /**
   * The body parsed, for every body that is JSON. Parsed once: a large one, read in a thread, only when it is first asked for
   * here. After an input policy changed it, as changed.
   */
  get json(): JsonObject | undefined {
    if (this.#isJson) this.#json ??= JSON.parse(this.body.toString()) as JsonObject
    return this.#json
  }

  /** What the body was found to say; without `json`, it is JSON all the same. */
  setBody({ json, facts }: { json?: JsonObject; facts: BodyFacts }): void {
    this.#isJson = true
    this.#json = json
    this.model = facts.model
    this.stream = facts.stream
    this.temperature = facts.temperature
    this.store = facts.store
  }

  /** The name that `auth.keys` gives; without such keys, a digest of whatever the client identifies itself with. */
  get tenant(): string {
    this.#tenant ??= digestOf(this.headers)
    return this.#tenant
  }

  set tenant(name: string) {
    this.#tenant = name
  }

  /** Aborted when the client leaves. Made when first asked for. */
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

function digestOf(headers: IncomingHttpHeaders): string {
  const known = IDENTITY_HEADERS.filter((name) => headers[name] !== undefined)
  if (known.length === 0) return 'anonymous'
  const hash = createHash('sha256')
  for (const name of known) hash.update(`${name}:${String(headers[name])}\n`)
  return `client-${hash.digest('hex').slice(0, 32)}`
}
