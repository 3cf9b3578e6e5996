/** Gemini's dialect: the key in x-goog-api-key or ?key=, and errors as `{error: {code, message, status}}`. */
import type { Dialect } from '../dialect.ts'
import type { Refusal } from '../refusal.ts'

const STATUSES: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
}

export const gemini: Dialect = {
  keyPlace: 'x-goog-api-key: KEY',
  keyOf: (headers, url) => {
    const key = headers['x-goog-api-key']
    if (typeof key === 'string') return key
    return new URLSearchParams(url.split('?', 2)[1]).get('key') ?? undefined
  },
  statusOf: ({ status }) => status,
  refusalBody: errorBody,
  requestIdHeader: 'x-request-id',
}

export function errorBody({ status, message }: Refusal): string {
  return JSON.stringify({ error: { code: status, message, status: STATUSES[status] ?? 'INVALID_ARGUMENT' } })
}
