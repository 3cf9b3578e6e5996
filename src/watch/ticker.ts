/**
 * Calls back at the end of every second of a measurement, or of every few, so that what is watched stands on the
 * timeline of the run's series. It is called on the main thread, which sends nothing. A call that is late by a whole
 * interval is left out.
 */
import { now } from '../system/clock.ts'

export class Ticker {
  readonly #everyUs: number
  readonly #tick: (second: number) => void
  #startUs = Number.NaN
  #timer: NodeJS.Timeout | undefined

  /** `tick` receives the number of the second that has just ended. */
  constructor(everyS: number, tick: (second: number) => void) {
    this.#everyUs = everyS * 1e6
    this.#tick = tick
  }

  /** The measurement began at `startUs`, which may be a moment ago. Later calls do nothing. */
  begin(startUs: number): boolean {
    if (!Number.isNaN(this.#startUs)) return false
    this.#startUs = startUs
    this.#wait()
    return true
  }

  /** Seconds of the measurement that have passed; NaN before it began. */
  get elapsedS(): number {
    return (now() - this.#startUs) / 1e6
  }

  end(): void {
    clearTimeout(this.#timer)
  }

  #wait(): void {
    const passedUs = now() - this.#startUs
    // A timer may fire a millisecond early, and must not do so twice.
    const turn = Math.floor((passedUs + 2_000) / this.#everyUs) + 1
    const waitMs = (turn * this.#everyUs - passedUs) / 1_000
    this.#timer = setTimeout(() => {
      this.#wait()
      const lateUs = now() - this.#startUs - turn * this.#everyUs
      if (lateUs < this.#everyUs) this.#tick(Math.round((turn * this.#everyUs) / 1e6) - 1)
    }, waitMs)
    this.#timer.unref()
  }
}
