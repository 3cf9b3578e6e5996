/** OpenAI's dialect: a bearer token, and errors as `{error: {message, type, param, code}}`. */
import { bearerOf, type Dialect } from '../dialect.ts'
import type { Refusal } from '../refusal.ts'

export const openai: Dialect = {
  keyPlace: 'Authorization: Bearer KEY',
  keyOf: ({ authorization }) => bearerOf(authorization),
  statusOf: ({ status }) => status,
  refusalBody: errorBody,
  requestIdHeader: 'x-request-id',
}

export function errorBody({ message, type, param, code }: Refusal): string {
  return JSON.stringify({ error: { message, type, param, code } })
}
