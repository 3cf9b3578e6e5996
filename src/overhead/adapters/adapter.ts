/**
 * What the headers of one answer say of the gateway that passed it on. An adapter reads the headers of one gateway
 * into microseconds and states what its figures exclude. It checks only their form; self-reported.ts rejects
 * impossible figures. The header comment of each adapter lists signals, units and known bugs. There are two kinds of
 * figures, which are never mixed: the time that the gateway says it added, and the time that it says it waited.
 */
import type { ResponseHeaders } from '../../http1/fields.ts'

/** How coarse a figure is. */
export interface Coarseness {
  /** The unit of the figure: 1,000 where the gateway gives whole milliseconds. */
  resolutionUs: number
  /**
   * What the figure lacks on average, which a reading adds to it: half a unit where it is cut off, nothing where it is
   * the difference of two clocks that are.
   */
  centreUs: number
}

/** Milliseconds cut off to whole ones: the true time is up to one more. */
export const CUT_TO_MS: Coarseness = { resolutionUs: 1_000, centreUs: 500 }
/** The difference of two instants in whole milliseconds: up to one more or less, and right on average. */
export const BETWEEN_MS: Coarseness = { resolutionUs: 1_000, centreUs: 0 }
/** A fraction of a millisecond is told. */
export const FINE: Coarseness = { resolutionUs: 1, centreUs: 0 }

/** By how much a centred reading may be wrong at most. */
export function errorUs({ resolutionUs, centreUs }: Coarseness): number {
  return resolutionUs - centreUs
}

export interface Reading extends Coarseness {
  us: number
  /** The name of the header. */
  source: string
  /** What the figure is and what it excludes. */
  note: string
}

export interface Statement {
  /** The gateway's name; '' where only a generic signal was found. */
  gateway: string
  /** The headers may be the provider's own: they do not prove that a gateway stands there. */
  unsure?: true
  /** What the gateway says it added itself. */
  overhead?: Reading
  /**
   * The time that the gateway says it waited for its upstream. The client's time less this wait is what the gateway
   * added.
   */
  upstream?: Reading
  /** The time that the provider says it took. The client's time less this time is everything between them. */
  provider?: Reading
  /** Parts of the overhead, by the names of profiles/budgets.yaml where one fits. */
  componentsUs?: Record<string, number>
  /** Why the figures of this answer cannot be used, where the adapter knows it. */
  unusable?: string
  /** A note on a gateway that gives no figure at all. */
  caveat?: string
}

export interface Adapter {
  /**
   * The headers and trailers that may identify this gateway. The adapter is not asked about an answer without any of
   * them.
   */
  names: readonly string[]
  /**
   * Undefined when the answer did not come through this gateway. `tookUs` is the client's own time, from sent to end.
   */
  read(headers: ResponseHeaders, trailers: ResponseHeaders, tookUs: number): Statement | undefined
}

export const FROM_CACHE = "answered from the gateway's cache"

/**
 * A header that holds one number of milliseconds, in microseconds. Undefined when absent, NaN when it is not a
 * number.
 */
export function millisecondsUs(value: string | string[] | undefined): number | undefined {
  if (value === undefined) return undefined
  const text = (Array.isArray(value) ? (value[0] ?? '') : value).trim()
  return text === '' ? Number.NaN : Number(text) * 1_000
}

/** The first value of a header, lower case; '' when absent. */
export function word(value: string | string[] | undefined): string {
  return (Array.isArray(value) ? (value[0] ?? '') : (value ?? '')).toLowerCase()
}
