/**
 * How long before it is due a request of a schedule (or one that follows a think time) is to be woken for: waking takes its time, and so does building a request and taking
 * it through the client (a tenth of a millisecond, more where caches are cold), and it is to be ready for its socket when it is due.
 * Learnt from how ready the ones before were. What is ready too early waits (wire.ts), so that none leaves before its time.
 */
const FIRST_US = 40
const STEP_US = 4
const MOST_US = 300
/** Of all time, what may be spent waiting: the machine is shared with the target. */
const WAIT_SHARE = 0.05
const SMOOTHED_OVER = 16

export class HeadStart {
  us = FIRST_US
  #lastDueUs = Number.NaN
  #gapUs = 0
  #waitedUs = 0

  /** A request that was woken for was ready at `readyUs`, NaN if never. Half of them are to be ready in time, as far as the share allows. */
  learn(dueUs: number, readyUs: number): void {
    if (Number.isNaN(readyUs)) return
    if (!Number.isNaN(this.#lastDueUs)) this.#gapUs += (dueUs - this.#lastDueUs - this.#gapUs) / SMOOTHED_OVER
    this.#lastDueUs = dueUs
    this.#waitedUs += (Math.max(0, dueUs - readyUs) - this.#waitedUs) / SMOOTHED_OVER
    const more = readyUs > dueUs && this.#waitedUs <= this.#gapUs * WAIT_SHARE
    this.us = more ? Math.min(MOST_US, this.us + STEP_US) : Math.max(0, this.us - STEP_US)
  }
}
