/** What the endpoints of one provider have in common: where the key is, and how an error is said. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Refusal } from './refusal.ts'

export interface Dialect {
  /** How a key is given, in words. */
  keyPlace: string
  keyOf: (headers: IncomingHttpHeaders, url: string) => string | undefined
  /** A refusal for headers that the API insists on, if one is missing. */
  refusalOfHeaders?: (headers: IncomingHttpHeaders) => Refusal | undefined
  statusOf: (refusal: Refusal) => number
  refusalBody: (refusal: Refusal, requestId: string) => string
  requestIdHeader: string
}

/** The token of `Authorization: Bearer KEY`; '' where something else is given. */
export function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined
  return authorization.startsWith('Bearer ') ? authorization.slice('Bearer '.length) : ''
}
