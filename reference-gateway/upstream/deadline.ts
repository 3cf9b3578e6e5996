/**
 * Calls back when a time has come that is put off again and again, mostly long before it comes: putting it off costs a
 * look at the clock, and no timer is set anew.
 */
/** No timer is longer. */
const MOST_MS = 2 ** 31 - 1

export class Deadline {
  readonly #onDue: () => void
  #dueMs = Number.POSITIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #timerMs = 0

  constructor(onDue: () => void) {
    this.#onDue = onDue
  }

  /** So long from now. */
  set(ms: number): void {
    const nowMs = performance.now()
    this.#dueMs = nowMs + ms
    if (this.#timer === undefined || this.#timerMs > this.#dueMs) this.#start(nowMs)
  }

  clear(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #start(nowMs: number): void {
    clearTimeout(this.#timer)
    this.#timerMs = Math.min(this.#dueMs, nowMs + MOST_MS)
    this.#timer = setTimeout(this.#onTimer, Math.min(MOST_MS, Math.ceil(this.#dueMs - nowMs)))
    this.#timer.unref()
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    const nowMs = performance.now()
    if (nowMs < this.#dueMs) this.#start(nowMs)
    else {
      this.#dueMs = Number.POSITIVE_INFINITY
      this.#onDue()
    }
  }
}
