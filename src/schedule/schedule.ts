/**
 * WHEN requests are sent: pure functions of (elapsed, sent), after vegeta's Pacer. The engine asks; the schedule answers with
 * an instant or an end, and knows neither clock nor socket.
 */

/** The next request is due at `atUs` after the start, or there is none. */
export type Pace = { kind: 'due'; atUs: number } | { kind: 'end' }

/** `sent` requests have been released after `elapsedUs`; when is the next one due? */
export type Schedule = (elapsedUs: number, sent: number) => Pace

/** Whichever comes first ends the schedule; a schedule without limits never ends by itself. */
export interface Limits {
  requests?: number | undefined
  durationUs?: number | undefined
}

const END: Pace = { kind: 'end' }

/** Closed loop: a request is due as soon as a slot is free, so at once; slots are the engine's to count. */
export function closedLoop({
  requests = Number.POSITIVE_INFINITY,
  durationUs = Number.POSITIVE_INFINITY,
}: Limits): Schedule {
  return (elapsedUs, sent) => (sent >= requests || elapsedUs >= durationUs ? END : { kind: 'due', atUs: elapsedUs })
}

/**
 * Open loop at a constant rate: request i is due at i/rate, however late the earlier ones are answered. The end is decided
 * by the due time, not by the clock, so a late sender still owes every request of the duration.
 */
export function constantRate(
  rps: number,
  { requests = Number.POSITIVE_INFINITY, durationUs = Number.POSITIVE_INFINITY }: Limits,
): Schedule {
  return (_elapsedUs, sent) => {
    const atUs = (sent * 1_000_000) / rps
    return sent >= requests || atUs >= durationUs ? END : { kind: 'due', atUs }
  }
}
