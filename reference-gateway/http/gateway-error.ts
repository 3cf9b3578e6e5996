/**
 * What the gateway answers itself when it passes no response on: errors in OpenAI's shape, so that the official clients
 * raise their usual exceptions. A failed upstream connection becomes 502 or 504, a bug in the gateway 500.
 */
import type { ServerResponse } from 'node:http'
import type { Result } from '../../src/errors.ts'
import { printableJson } from '../../src/system/printable.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { openaiError } from '../../src/wire/openai.ts'
import { UnreadableAnswer } from '../../src/wire/strict.ts'

export interface GatewayError {
  status: number
  /** A stable word for programs. */
  code: string
  message: string
  headers?: readonly string[]
}

/** What the gateway may refuse to a client. */
export type GatewayResult<T> = Result<T, { error: GatewayError }>

export const OVERLOADED: GatewayError = {
  status: 503,
  code: 'overloaded',
  message: 'too many requests are in flight; try again in a moment',
  headers: ['retry-after', '1'],
}

export function refused(error: GatewayError): { ok: false; error: GatewayError } {
  return { ok: false, error }
}

export function invalidRequest(code: string, message: string, status = 400): GatewayError {
  return { status, code, message }
}

/** The error for what a provider sent where the gateway must read it. */
export function unreadable(message: string): GatewayError {
  return { status: 502, code: 'upstream_unreadable', message }
}

const TYPES: Record<number, string> = { 401: 'authentication_error', 403: 'permission_error', 429: 'rate_limit_error' }

/** `error` as OpenAI words it: the body of a response, or the data of an event in a stream. */
export function errorBody({ status, code, message }: GatewayError): JsonObject {
  const type = TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
  return openaiError({ message, type, param: null, code })
}

/**
 * Writes `error` as the whole response; `extra` holds further header names and values, alternating. Returns the body.
 */
export function sendError(response: ServerResponse, error: GatewayError, extra: readonly string[] = []): Buffer {
  return sendJson(response, error.status, errorBody(error), [...(error.headers ?? []), ...extra])
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: readonly string[] = [],
): Buffer {
  const body = Buffer.from(printableJson(value))
  response.writeHead(status, ['content-type', 'application/json', 'content-length', String(body.length), ...headers])
  response.end(body)
  return body
}

/** What /readyz answers: `reason` says why not. */
export function sendReadiness(response: ServerResponse, reason: string | undefined): void {
  if (reason === undefined) sendJson(response, 200, { ready: true })
  else sendJson(response, 503, { ready: false, reason })
}

/** Why a request to a provider failed, where neither the system nor the reader of the answer says it. */
type FailureCode =
  | 'KT_CONNECT_TIMEOUT'
  | 'KT_HEAD_TIMEOUT'
  | 'KT_BODY_TIMEOUT'
  /** Over HTTP/2: a PING was not acknowledged. */
  | 'KT_NO_PING_ANSWER'
  /** The other side has ended the connection in order, or the stream. */
  | 'KT_CLOSED'
  /** The gateway closed the connection for another request on it. */
  | 'KT_GIVEN_UP'
  /** The request cannot be written, and nothing of it was. */
  | 'KT_NOT_SENDABLE'
  /** The request waited in vain for a connection. */
  | 'KT_NO_CONNECTION'

export class UpstreamFailure extends Error {
  readonly code: FailureCode

  constructor(code: FailureCode, message = '') {
    super(message)
    this.code = code
  }
}

/** The code of a connection that was open, and on which the other machine answers nothing any more. */
const DEAD = 'KT_DEAD'

const TIMEOUTS: Record<string, string> = {
  KT_CONNECT_TIMEOUT: 'accepted no connection in time',
  ETIMEDOUT: 'accepted no connection in time',
  [DEAD]: 'does not answer any more on its connection',
  KT_NO_PING_ANSWER: 'does not answer any more on its connection',
  KT_HEAD_TIMEOUT: 'sent no answer in time',
  KT_BODY_TIMEOUT: 'stopped sending in the middle of its answer',
}

const FAILURES: Record<string, string> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has a host name that cannot be resolved',
  EAI_AGAIN: 'has a host name that cannot be resolved now',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ECONNRESET: 'reset the connection before its answer was complete',
  EPIPE: 'reset the connection before its answer was complete',
  KT_CLOSED: 'closed the connection before its answer was complete',
  KT_GIVEN_UP: 'shared its connection with a request that was given up',
  KT_BAD_ANSWER: 'did not answer in HTTP/1.1',
  KT_HEAD_TOO_LARGE: 'sent too many headers',
}

/** The error for a provider that failed before any of its response was passed on. */
export function upstreamError(provider: string, error: Error): GatewayError {
  const code = codeOf(error)
  if (code === 'KT_NO_CONNECTION') {
    const message = `all connections to provider '${provider}' are in use`
    return { status: 503, code: 'no_connection', message, headers: ['retry-after', '1'] }
  }
  const late = TIMEOUTS[code]
  if (late) return { status: 504, code: 'upstream_timeout', message: `provider '${provider}' ${late}` }
  if (code === 'KT_NOT_SENDABLE') {
    return invalidRequest('invalid_request', `the request cannot be passed on: ${error.message}`)
  }
  const reason = FAILURES[code] ?? `failed (${code})`
  return { status: 502, code: 'upstream_failed', message: `provider '${provider}' ${reason}` }
}

/** The code of the system or of kt. Where several addresses were tried, the first one's code counts. */
function codeOf(error: Error): string {
  if ('code' in error && error.code === 'ETIMEDOUT' && 'syscall' in error && error.syscall !== 'connect') return DEAD
  if ('code' in error && typeof error.code === 'string') return error.code
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0])
  return error.name
}

/** What the client reads about something that was thrown: the provider's fault where the error says so, else a bug. */
export function errorOfThrown(error: unknown): GatewayError {
  if (error instanceof UnreadableAnswer) return unreadable(`the provider’s answer cannot be read: ${error.message}`)
  const what = error instanceof Error ? `${error.name}: ${error.message}` : 'an unknown error'
  return { status: 500, code: 'internal_error', message: `the gateway failed over this request (${what})` }
}
