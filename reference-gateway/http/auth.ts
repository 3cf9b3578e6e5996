/**
 * The gateway's own client keys (`auth.keys`). They are kept and compared as digests, and all of them are compared
 * every time, so that neither the time taken nor a log reveals anything about a key. They never go upstream.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { type ClientKey, matchesModel } from './client-key.ts'
import type { GatewayError } from './gateway-error.ts'
import type { RequestContext } from './request-context.ts'

const REFUSED: GatewayError = {
  status: 401,
  code: 'invalid_api_key',
  message: 'no valid key of this gateway was sent (authorization: Bearer …)',
  headers: ['www-authenticate', 'Bearer'],
}

export class ClientKeys {
  readonly #keys: { digest: Buffer; key: ClientKey }[]

  constructor(keys: readonly ClientKey[]) {
    this.#keys = keys.map((key) => ({ digest: digestKey(key.value), key }))
  }

  /** Sets the context's tenant, or returns why the request is refused. Called before the body is read. */
  check(context: RequestContext): GatewayError | undefined {
    const given = readKey(context)
    if (given === undefined) return REFUSED
    const digest = digestKey(given)
    let found: ClientKey | undefined
    for (const one of this.#keys) if (timingSafeEqual(one.digest, digest)) found = one.key
    if (found === undefined) return REFUSED
    context.tenant = found.tenant
    context.key = found
    const { endpoint, stored } = context.route
    return this.#mayAsk(found, endpoint, stored) ? undefined : forbidden(`the endpoint '${endpoint}'`)
  }

  /** What the body asks for. A form is not read: a key of some models only may send none. */
  checkBody({ key, model, route, namesStored }: RequestContext): GatewayError | undefined {
    if (!key) return undefined
    if (namesStored && !this.#mayAsk(key, 'stored_answers', true)) return forbidden('stored answers')
    if (!key.models || (model === undefined && (route.stored || route.endpoint === 'models'))) return undefined
    const allowed = model !== undefined && key.models.some((pattern) => matchesModel(pattern, model))
    return allowed ? undefined : forbidden(model === undefined ? 'a request without a model' : `the model '${model}'`)
  }

  #mayAsk({ endpoints }: ClientKey, endpoint: string, stored: boolean): boolean {
    return endpoints ? endpoints.includes(endpoint) : !stored || this.#keys.length === 1
  }
}

function forbidden(what: string): GatewayError {
  return { status: 403, code: 'forbidden', message: `this key has no right to ${what}` }
}

function readKey({ headers }: RequestContext): string | undefined {
  const bearer = bearerOf(headers.authorization)
  if (bearer !== undefined) return bearer
  const other = headers['x-api-key'] ?? headers['api-key']
  return typeof other === 'string' && other !== '' ? other : undefined
}

/** The key in a header `authorization`. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

/** All digests have the same length, whatever was given. */
export function digestKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
