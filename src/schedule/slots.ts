/** How many requests a closed loop may have in flight, over time: the same number always, or a ramp's level rounded. */
import type { Ramp } from './ramp.ts'

export interface Slots {
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
