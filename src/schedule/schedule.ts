/**
 * When requests are sent and how many may be in flight: pure functions of the elapsed time and the number of requests
 * sent, after vegeta's Pacer. The engine asks; the schedule answers with an instant or an end. It knows neither clock
 * nor socket.
 */
import { type Arrival, DEFAULT_ARRIVAL, drawPositions } from './arrivals.ts'
import type { Ramp } from './ramp.ts'

/** How many requests a closed loop may have in flight. */
interface Slots {
  count: number
  /** The next instant at which the count may change; Infinity when it never does. */
  untilUs: number
}

export type SlotsAt = (elapsedUs: number) => Slots

export function fixedSlots(count: number): SlotsAt {
  const slots = { count, untilUs: Number.POSITIVE_INFINITY }
  return () => slots
}

/** The step at which a ramp's level is read again: shorter than any answer takes. */
const STEP_US = 10_000

/** The ramp's level, rounded. Of `count` workers, number `index` holds every count-th slot. */
export function rampedSlots(ramp: Ramp, lastsUs: number, index = 0, count = 1): SlotsAt {
  return (elapsedUs) => ({
    count: elapsedUs >= lastsUs ? 0 : Math.floor((Math.round(ramp.levelAt(elapsedUs)) + count - 1 - index) / count),
    untilUs: elapsedUs >= lastsUs ? Number.POSITIVE_INFINITY : Math.min(lastsUs, elapsedUs + STEP_US),
  })
}

/**
 * The next request is due at `atUs` after the start; or there is none (and one more would have been due at `atUs`); or
 * that is not known before `atUs`.
 */
type NextDue = { kind: 'due'; atUs: number } | { kind: 'end'; atUs?: number } | { kind: 'unknown'; atUs: number }

/**
 * When the next request is due, after `sent` requests have been released within `elapsedUs`. `excluded` of them, the
 * first ones, count towards no limit: they come on top of what was asked for.
 */
export type Schedule = (elapsedUs: number, sent: number, excluded?: number) => NextDue

/** The limit reached first ends the schedule; a schedule without limits never ends by itself. */
export interface ScheduleLimits {
  requests?: number | undefined
  durationUs?: number | undefined
}

const END: NextDue = { kind: 'end' }

/** Closed loop: a request is due at once, as soon as a slot is free; the engine counts the slots. */
export function closedLoop({
  requests = Number.POSITIVE_INFINITY,
  durationUs = Number.POSITIVE_INFINITY,
}: ScheduleLimits): Schedule {
  return (elapsedUs, sent, excluded = 0) =>
    sent - excluded >= requests || elapsedUs >= durationUs ? END : { kind: 'due', atUs: elapsedUs }
}

/**
 * Open loop: request i is due when the rate has made room for it, however late the earlier ones are answered. A random
 * arrival process shifts i by its gaps, so that the rate over time remains that of the ramp (time rescaling). The due
 * time decides the end, not the clock, so a late sender still owes every request of the duration. The time in which
 * excluded requests were due is no part of the duration.
 */
export function openLoop(
  rate: Ramp,
  { requests = Number.POSITIVE_INFINITY, durationUs = Number.POSITIVE_INFINITY }: ScheduleLimits,
  arrival: Arrival = DEFAULT_ARRIVAL,
  seed = 0,
): Schedule {
  const positionOf = drawPositions(arrival, seed)
  return (_elapsedUs, sent, excluded = 0) => {
    if (sent - excluded >= requests) return END
    const atUs = rate.reaches(positionOf(sent))
    const fromUs = excluded === 0 ? 0 : rate.reaches(positionOf(excluded))
    return !(atUs < fromUs + durationUs) ? END : { kind: 'due', atUs }
  }
}

/** The same schedule, ended after `requests`. */
export function limitRequests(schedule: Schedule, requests: number | undefined): Schedule {
  if (requests === undefined) return schedule
  return (elapsedUs, sent, excluded = 0) => (sent - excluded >= requests ? END : schedule(elapsedUs, sent, excluded))
}

/** One worker's part of a schedule that several share: every `count`-th request, from the `index`-th on. */
export function slice(schedule: Schedule, index: number, count: number): Schedule {
  if (count === 1) return schedule
  return (elapsedUs, sent, excluded = 0) => schedule(elapsedUs, sent * count + index, excluded * count)
}
