/**
 * What goes wrong, how often, and for whom: each request draws at most one fault, from its own seed and attempt, so
 * that the same request fails in the same way in every arm and run, and a retry draws anew. And the refusals: answers
 * that are errors, in OpenAI's terms (status, message, type, param, code); each API writes them in its own shape. Pure.
 *
 * rate_limit, server_error, overloaded   429 (with retry-after), 500, 503, at once
 * reset           the connection is reset (over HTTP/2 the stream) when the answer would have begun
 * truncate        the answer breaks off in the middle: a stream without its end mark, a body shorter than its length
 * stall           silence in the middle of the answer for `stallMs`, and then the rest
 * malformed       one event more, which is no JSON, in the middle of a stream; a JSON answer lacks its end
 * error_event     a stream of status 200 ends in the middle with an error event; a JSON answer is a 500
 * slow_headers    nothing at all for `slowHeadersMs` longer than the model takes
 */
import { randomFrom } from '../stats/random.ts'
import type { ErrorAnswer } from '../wire/answer.ts'

export const FAULTS = [
  'rate_limit',
  'server_error',
  'overloaded',
  'reset',
  'truncate',
  'stall',
  'malformed',
  'error_event',
  'slow_headers',
] as const

export type Fault = (typeof FAULTS)[number]

export type FaultShares = Partial<Record<Fault, number>>

/** What happens in an answer, after its first event or in the middle of its body. */
const MID_ANSWER_FAULTS = ['truncate', 'stall', 'malformed', 'error_event'] as const satisfies readonly Fault[]
export type MidAnswerFault = (typeof MID_ANSWER_FAULTS)[number]

export function isMidAnswerFault(fault: Fault): fault is MidAnswerFault {
  return MID_ANSWER_FAULTS.some((one) => one === fault)
}

export interface FaultPlan {
  /** Of all requests; together at most 1. */
  shares: FaultShares
  retryAfterMs: number
  stallMs: number
  slowHeadersMs: number
}

export const FAULT_TIMES = { retryAfterMs: 1_000, stallMs: 30_000, slowHeadersMs: 5_000 }

/** The fault of the request whose own seed is `requestSeed`, if it has one. */
export function drawFault({ shares }: FaultPlan, requestSeed: string): Fault | undefined {
  let drawn = randomFrom(`${requestSeed}:fault`)()
  for (const fault of FAULTS) {
    drawn -= shares[fault] ?? 0
    if (drawn < 0) return fault
  }
  return undefined
}

/** The refusal that a fault is, or undefined for a fault of another kind. */
export function faultRefusal(fault: Fault, stream: boolean, plan: FaultPlan): Refusal | undefined {
  switch (fault) {
    case 'rate_limit': {
      const seconds = Math.ceil(plan.retryAfterMs / 1_000)
      const headers = ['retry-after', String(seconds), 'retry-after-ms', String(Math.round(plan.retryAfterMs))]
      return { ...refusalFor(429, `Rate limit reached. Please try again in ${seconds}s.`), headers }
    }
    case 'overloaded':
      return refusalFor(503, 'The engine is currently overloaded, please try again later.')
    case 'server_error':
      return brokenOff()
    case 'error_event':
      return stream ? undefined : brokenOff()
    case 'reset':
    case 'truncate':
    case 'stall':
    case 'malformed':
    case 'slow_headers':
      return undefined
    default:
      return fault satisfies never
  }
}

/** What an error in the middle of an answer says. */
export function brokenOff(): Refusal {
  return refusalFor(500, 'The server had an error while processing your request.')
}

export interface Refusal extends ErrorAnswer {
  headers?: string[]
}

/** A 400 for a request that parses and is wrong. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): Refusal {
  return { status: 400, message, type: 'invalid_request_error', param, code }
}

/** A refusal that is the provider's own fault, or the quota's. */
function refusalFor(status: 429 | 500 | 503, message: string): Refusal {
  const [type, code] =
    status === 429 ? ['requests', 'rate_limit_exceeded'] : ['server_error', status === 500 ? null : 'overloaded']
  return { status, message, type: type ?? '', param: null, code: code ?? null }
}

export function unknownUrl(method: string, path: string): Refusal {
  return { ...badRequest(`Unknown request URL: ${method} ${path}.`, null, 'unknown_url'), status: 404 }
}

export function wrongMethod(method: string, path: string, allowed: string): Refusal {
  return {
    ...badRequest(`Not allowed to ${method} on ${path} (allowed: ${allowed}).`, null, 'method_not_supported'),
    status: 405,
    headers: ['allow', allowed],
  }
}

export function unknownModel(model: string): Refusal {
  const message = `The model \`${model}\` does not exist or you do not have access to it.`
  return { ...badRequest(message, null, 'model_not_found'), status: 404 }
}

/** The refusal of a model that is not served: `gpt-unknown`, and every name that starts with `unknown`. */
export function modelRefusal(model: string): Refusal | undefined {
  return model === 'gpt-unknown' || model.startsWith('unknown') ? unknownModel(model) : undefined
}

/** The refusal of a request that a cassette holds no answer for. */
export function notRecorded({ kind, stream }: { kind: string; stream: boolean }, holds: string): Refusal {
  const message = `The cassette holds no ${stream ? 'stream' : 'whole answer'} for ${kind}; it holds: ${holds}.`
  return { ...badRequest(message, null, 'not_recorded'), status: 404 }
}

/** `how` says where the flavor wants its key: 'Authorization: Bearer KEY'. */
export function wrongKey(given: boolean, how: string): Refusal {
  const message = given ? 'Incorrect API key provided.' : `You did not provide an API key (${how}).`
  return { ...badRequest(message, null, 'invalid_api_key'), status: 401 }
}

export function tooLarge(limitBytes: number): Refusal {
  const message = `The request body is larger than ${limitBytes / 2 ** 20} MiB.`
  return { ...badRequest(message, null, 'request_too_large'), status: 413 }
}

export function unsupportedEncoding(encoding: string): Refusal {
  const message = `Content-Encoding '${encoding}' is not supported; send the body as it is.`
  return { ...badRequest(message, null, 'unsupported_encoding'), status: 415 }
}
