/**
 * WHEN requests are sent: pure functions of (elapsed, sent), after vegeta's Pacer. The engine asks; the schedule answers with
 * an instant or an end, and knows neither clock nor socket.
 */
import { type Arrival, CONSTANT, drawPositions } from './arrivals.ts'
import type { Ramp } from './ramp.ts'

/** How many requests a closed loop may have in flight, over time: the same number always, or a ramp's level rounded. */

interface Slots {
  count: number
  /** The next instant at which the count may be another; Infinity when it stays. */
  untilUs: number
}

export type SlotsAt = (elapsedUs: number) => Slots

export function fixedSlots(count: number): SlotsAt {
  const slots = { count, untilUs: Number.POSITIVE_INFINITY }
  return () => slots
}

/** How often a ramp is looked at: finer than a slot's answer ever is. */
const LOOK_US = 10_000

/** A worker takes its share of the slots: with `count` workers, number `index` holds every count-th one. */
export function rampedSlots(ramp: Ramp, lastsUs: number, index = 0, count = 1): SlotsAt {
  return (elapsedUs) => ({
    count: elapsedUs >= lastsUs ? 0 : Math.floor((Math.round(ramp.levelAt(elapsedUs)) + count - 1 - index) / count),
    untilUs: elapsedUs >= lastsUs ? Number.POSITIVE_INFINITY : Math.min(lastsUs, elapsedUs + LOOK_US),
  })
}

/** The next request is due at `atUs` after the start, or there is none. */
export type NextDue = { kind: 'due'; atUs: number } | { kind: 'end' }

/** `sent` requests have been released after `elapsedUs`, `leftOut` of them beyond a limit of requests; when is the next one due? */
export type Schedule = (elapsedUs: number, sent: number, leftOut?: number) => NextDue

/** Whichever comes first ends the schedule; a schedule without limits never ends by itself. */
export interface ScheduleLimits {
  requests?: number | undefined
  durationUs?: number | undefined
}

const END: NextDue = { kind: 'end' }

/** Closed loop: a request is due as soon as a slot is free, so at once; slots are the engine's to count. */
export function closedLoop({
  requests = Number.POSITIVE_INFINITY,
  durationUs = Number.POSITIVE_INFINITY,
}: ScheduleLimits): Schedule {
  return (elapsedUs, sent, leftOut = 0) =>
    sent - leftOut >= requests || elapsedUs >= durationUs ? END : { kind: 'due', atUs: elapsedUs }
}

/**
 * Open loop: request i is due when the rate has made room for it, however late the earlier ones are answered. A random arrival
 * moves i by its gaps, so that the rate over time stays the ramp's (time rescaling). The end is decided by the due time, not by
 * the clock, so a late sender still owes every request of the duration.
 */
export function openLoop(
  rate: Ramp,
  { requests = Number.POSITIVE_INFINITY, durationUs = Number.POSITIVE_INFINITY }: ScheduleLimits,
  arrival: Arrival = CONSTANT,
  seed = 0,
): Schedule {
  const positionOf = drawPositions(arrival, seed)
  return (_elapsedUs, sent, leftOut = 0) => {
    if (sent - leftOut >= requests) return END
    const atUs = rate.reaches(positionOf(sent))
    return atUs >= durationUs ? END : { kind: 'due', atUs }
  }
}

/** The schedule, ended after `requests`. */
export function limitRequests(schedule: Schedule, requests: number | undefined): Schedule {
  if (requests === undefined) return schedule
  return (elapsedUs, sent, leftOut = 0) => (sent - leftOut >= requests ? END : schedule(elapsedUs, sent))
}

/** Of a schedule that several workers share: every `count`-th request, from the `index`-th on. */
export function slice(schedule: Schedule, index: number, count: number): Schedule {
  return count === 1 ? schedule : (elapsedUs, sent) => schedule(elapsedUs, sent * count + index)
}
