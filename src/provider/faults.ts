/**
 * What goes wrong, how often, and for whom: each request draws at most one fault, from its own seed and attempt, so that the
 * same request fails in the same way in every arm and run, and a retry draws anew. Pure.
 *
 * rate_limit, server_error, overloaded   429 (with retry-after), 500, 503, at once, in the dialect's own shape
 * reset           the connection is reset (over HTTP/2 the stream) when the answer would have begun
 * truncate        the answer breaks off in the middle: a stream without its end mark, a body shorter than its length
 * stall           silence in the middle of the answer for `stallMs`, and then the rest
 * malformed       one event more, which is no JSON, in the middle of a stream; a JSON answer lacks its end
 * error_event     a stream of status 200 ends in the middle with an error event; a JSON answer is a 500
 * slow_headers    nothing at all for `slowHeadersMs` longer than the model takes
 */
import { randomFrom } from '../stats/random.ts'
import { type Refusal, refusalFor } from './refusal.ts'

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
export type Mishap = Extract<Fault, 'truncate' | 'stall' | 'malformed' | 'error_event'>

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
export function refusalOfFault(fault: Fault, stream: boolean, plan: FaultPlan): Refusal | undefined {
  if (fault === 'rate_limit') {
    const seconds = Math.ceil(plan.retryAfterMs / 1_000)
    const headers = ['retry-after', String(seconds), 'retry-after-ms', String(Math.round(plan.retryAfterMs))]
    return { ...refusalFor(429, `Rate limit reached. Please try again in ${seconds}s.`), headers }
  }
  if (fault === 'overloaded') return refusalFor(503, 'The engine is currently overloaded, please try again later.')
  if (fault === 'server_error' || (fault === 'error_event' && !stream)) return brokenOff()
  return undefined
}

/** What an error in the middle of an answer says. */
export function brokenOff(): Refusal {
  return refusalFor(500, 'The server had an error while processing your request.')
}
