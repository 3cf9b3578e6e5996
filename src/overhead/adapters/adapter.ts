/**
 * What one answer's headers say of the gateway that passed it on. An adapter reads the headers of one gateway into microseconds
 * and says what its figures leave out; it judges nothing but the form (validity.ts does). Signals, units and known bugs: each
 * adapter's own header. Two kinds of figure, never mixed: what the gateway says it added, and how long it says it waited.
 */
import type { ResponseHeaders } from '../../client/request-result.ts'

export interface Reading {
  us: number
  /** The header, as a reader would look for it. */
  source: string
  /** What the figure is and leaves out. */
  note: string
  /** The figure's own step: 1,000 where the gateway gives whole milliseconds. */
  resolutionUs: number
}

export interface Statement {
  /** The gateway's name; '' where only a generic signal was found. */
  gateway: string
  /** The headers may be the provider's own: they do not prove that a gateway stands there. */
  unsure?: true
  /** What the gateway says it added itself. */
  overhead?: Reading
  /** How long it says it waited for its upstream: the client's time less this is what it added. */
  upstream?: Reading
  /** How long the provider says it took itself: the client's time less this is all that lies between them. */
  provider?: Reading
  /** Parts of the overhead, by the names of profiles/budgets.yaml where one fits. */
  componentsUs?: Record<string, number>
  /** Why this answer's figures cannot be used, where the adapter knows. */
  unusable?: string
  /** Said of a gateway that gives no figure at all. */
  caveat?: string
}

export interface Adapter {
  /** The headers and trailers by which an answer may be known to come through this gateway: without any of them it is not asked. */
  names: readonly string[]
  /** Undefined when the answer does not come through it. `tookUs`: the client's own time, from sent to end. */
  read(headers: ResponseHeaders, trailers: ResponseHeaders, tookUs: number): Statement | undefined
}

export const FROM_CACHE = "answered from the gateway's cache"

/** A header that holds one number of milliseconds, in microseconds. Undefined when absent, NaN when it is not a number. */
export function millisecondsUs(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined
  const text = (Array.isArray(value) ? (value[0] ?? '') : value).trim()
  return text === '' ? Number.NaN : Number(text) * 1_000
}

/** The first value of a header, lower case; '' when absent. */
export function word(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).toLowerCase()
}
