/**
 * Waits for an instant on the monotonic clock. Never early: Node's timers count whole milliseconds of a cached loop time and
 * may fire up to one too soon. Up to about a millisecond late, on purpose: spinning for the last part would take the
 * processor from the gateway under test, and a stamp reports the time really taken.
 */
import type { Clock } from '../system/clock.ts'

/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Alarm {
  readonly #clock: Clock
  #timer: NodeJS.Timeout | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls `ring` at `dueUs`, replacing what was set before; at once, without a timer, when that has passed. */
  at(dueUs: number, ring: () => void): void {
    this.stop()
    const leftMs = (dueUs - this.#clock()) / 1_000
    if (leftMs <= 0) ring()
    else this.#timer = setTimeout(() => this.at(dueUs, ring), Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
