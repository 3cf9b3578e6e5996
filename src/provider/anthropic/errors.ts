/** Anthropic's dialect: the key in x-api-key, a version header, and errors as `{type: 'error', error: {type, message}}`. */
import { bearerOf, type Dialect } from '../dialect.ts'
import { badRequest, type Refusal } from '../refusal.ts'

const TYPES: Record<number, string> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  500: 'api_error',
  529: 'overloaded_error',
}

export const anthropic: Dialect = {
  keyPlace: 'x-api-key: KEY',
  keyOf: (headers) => {
    const key = headers['x-api-key']
    return typeof key === 'string' ? key : bearerOf(headers.authorization)
  },
  refusalOfHeaders: (headers) =>
    headers['anthropic-version'] === undefined ? badRequest('anthropic-version: header is required') : undefined,
  statusOf,
  refusalBody: (refusal, requestId) =>
    JSON.stringify({ type: 'error', error: errorOf(refusal), request_id: requestId }),
  requestIdHeader: 'request-id',
}

/** Anthropic has a status of its own for "overloaded". */
function statusOf({ status }: Refusal): number {
  return status === 503 ? 529 : status
}

export function errorOf(refusal: Refusal): { type: string; message: string } {
  return { type: TYPES[statusOf(refusal)] ?? 'invalid_request_error', message: refusal.message }
}
