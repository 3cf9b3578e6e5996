/**
 * The gateway's own client keys (`auth.keys`). They are kept and compared as digests, and all of them are compared
 * every time, so that neither the time taken nor a log reveals anything about a key. They never go upstream.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { GatewayError } from './gateway-error.ts'
import type { RequestContext } from './request-context.ts'

export interface ClientKey {
  value: string
  tenant: string
}

const REFUSED: GatewayError = {
  status: 401,
  code: 'invalid_api_key',
  message: 'no valid key of this gateway was sent (authorization: Bearer …)',
  headers: ['www-authenticate', 'Bearer'],
}

/** The headers that clients send keys in. None of them goes upstream when the gateway checks keys itself. */
export const CLIENT_KEY_HEADERS = ['authorization', 'x-api-key', 'api-key'] as const

export class ClientKeys {
  readonly #keys: { digest: Buffer; tenant: string }[]

  constructor(keys: readonly ClientKey[]) {
    this.#keys = keys.map(({ value, tenant }) => ({ digest: digestKey(value), tenant }))
  }

  /** Sets the context's tenant, or returns why the request is refused. */
  check(context: RequestContext): GatewayError | undefined {
    const given = readKey(context)
    if (given === undefined) return REFUSED
    const digest = digestKey(given)
    let tenant: string | undefined
    for (const key of this.#keys) if (timingSafeEqual(key.digest, digest)) tenant = key.tenant
    if (tenant === undefined) return REFUSED
    context.tenant = tenant
    return undefined
  }
}

function readKey({ headers }: RequestContext): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  if (bearer !== undefined) return bearer
  const other = headers['x-api-key'] ?? headers['api-key']
  return typeof other === 'string' && other !== '' ? other : undefined
}

function digestKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
