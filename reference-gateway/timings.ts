/**
 * The gateway's own account of one request, in milliseconds of the process's monotonic clock.
 *
 *   overhead = time between the request's full arrival and the answer's end that was spent neither waiting for the
 *              upstream nor for a client that reads slowly
 *
 * It holds what the gateway can see: not the time that bytes lay in the kernel or in the event loop's queue before a
 * callback ran. For that, compare with the provider's stamps.
 */

export class Timings {
  arrivedMs = 0
  routingMs = 0
  injectMs = 0
  /** Waiting for a slot, connecting where needed, until the request is handed to its connection. */
  acquireMs = 0
  /** Waiting for the upstream: from the request handed over to the head, and between the pieces of the body. */
  upstreamMs = 0
  #beforeSentMs = 0
  #afterSentMs = 0
  #markMs = 0

  sent(acquireStartMs: number): void {
    const nowMs = performance.now()
    this.acquireMs = nowMs - acquireStartMs
    this.#beforeSentMs = nowMs - this.arrivedMs
    this.#markMs = nowMs
  }

  /** The wait for the upstream is over for now: the gateway works. */
  working(): void {
    const nowMs = performance.now()
    this.upstreamMs += nowMs - this.#markMs
    this.#markMs = nowMs
  }

  /** The gateway's work is done for now. */
  waiting(): void {
    const nowMs = performance.now()
    this.#afterSentMs += nowMs - this.#markMs
    this.#markMs = nowMs
  }

  /** What passed since `waiting` was the client's time, not the upstream's. */
  resumed(): void {
    this.#markMs = performance.now()
  }

  /** Work in progress included: to be read between `working` and `waiting`. */
  get overheadMs(): number {
    return this.#beforeSentMs + this.#afterSentMs + (performance.now() - this.#markMs)
  }

  /** The value of the server-timing header, with `overheadMs` as total. */
  serverTiming(overheadMs: number): string {
    const inject = this.injectMs > 0 ? `kt-inject;dur=${this.injectMs.toFixed(3)}, ` : ''
    return (
      `kt-routing;dur=${this.routingMs.toFixed(3)}, ${inject}kt-acquire;dur=${this.acquireMs.toFixed(3)}, ` +
      `kt-upstream;dur=${this.upstreamMs.toFixed(3)}, kt-overhead;dur=${overheadMs.toFixed(3)}`
    )
  }
}
