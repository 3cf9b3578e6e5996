/**
 * The gateway's account of one request, in milliseconds of the process's monotonic clock. From its full arrival to the
 * response's end a request is at each moment in exactly one state:
 *   work      the gateway computes, or waits for what is its own: a connection, a policy, its cache   = overhead
 *   upstream  it waits for the provider
 *   hold      it waits for the provider while a stream filter holds text back on purpose
 *   client    it waits for a client that reads slowly
 * The components (routing, cache, ...) are parts of `work`, measured around each step. No state holds what the gateway
 * cannot see: the time that bytes lay in the kernel or in the event loop's queue before a callback ran. The provider's
 * stamps show that time.
 */

type TimingState = 'work' | 'upstream' | 'hold' | 'client'

/** Parts of `work`, in the order in which they are printed. */
export const COMPONENTS = ['input-policy', 'routing', 'cache', 'inject', 'acquire', 'output-policy', 'events'] as const
type OverheadComponent = (typeof COMPONENTS)[number]

export class Timings {
  arrivedMs = 0
  routingMs = 0
  /** Each of the following is undefined where its hook is off. */
  inputPolicyMs: number | undefined
  cacheMs: number | undefined
  injectMs: number | undefined
  outputPolicyMs: number | undefined
  eventsMs: number | undefined
  /**
   * Waiting for a free connection, connecting where needed, until the connection has the request; over all attempts.
   */
  acquireMs = 0
  upstreamMs = 0
  holdMs = 0
  clientMs = 0
  #workMs = 0
  #state: TimingState = 'work'
  #holding = false
  #markMs = 0

  /** The request has arrived in full, at this moment or a little before. */
  arrived(atMs: number): void {
    this.arrivedMs = atMs
    this.#markMs = atMs
  }

  /** From now on the time counts as `next`. Returns the current time. */
  enter(next: TimingState): number {
    const nowMs = performance.now()
    const spentMs = nowMs - this.#markMs
    this.#markMs = nowMs
    if (this.#state === 'work') this.#workMs += spentMs
    else if (this.#state === 'upstream') this.upstreamMs += spentMs
    else if (this.#state === 'hold') this.holdMs += spentMs
    else this.clientMs += spentMs
    this.#state = next === 'upstream' && this.#holding ? 'hold' : next
    return nowMs
  }

  /** Adds the time since `startMs`, which events and tracing spent on the request. */
  observed(startMs: number): void {
    this.eventsMs = (this.eventsMs ?? 0) + performance.now() - startMs
  }

  /** A stream filter sets it while it holds text back: waiting for the upstream then counts as hold. */
  set holding(on: boolean) {
    if (on === this.#holding) return
    this.#holding = on
    if (this.#state === 'upstream' || this.#state === 'hold') this.enter('upstream')
  }

  /** Includes the work in progress. */
  get overheadMs(): number {
    return this.#workMs + (this.#state === 'work' ? performance.now() - this.#markMs : 0)
  }

  /** A component by its printed name; undefined where its hook is off. */
  component(name: OverheadComponent): number | undefined {
    switch (name) {
      case 'input-policy':
        return this.inputPolicyMs
      case 'routing':
        return this.routingMs
      case 'cache':
        return this.cacheMs
      case 'inject':
        return this.injectMs
      case 'acquire':
        return this.acquireMs
      case 'output-policy':
        return this.outputPolicyMs
      case 'events':
        return this.eventsMs
    }
  }

  /** The value of the server-timing header, with `overheadMs` as total. */
  serverTiming(overheadMs: number): string {
    let text = ''
    for (const name of COMPONENTS) {
      const ms = this.component(name)
      if (ms !== undefined) text += `kt-${name};dur=${ms.toFixed(3)}, `
    }
    text += `kt-upstream;dur=${this.upstreamMs.toFixed(3)}, `
    if (this.outputPolicyMs !== undefined) text += `kt-hold;dur=${this.holdMs.toFixed(3)}, `
    return `${text}kt-overhead;dur=${overheadMs.toFixed(3)}`
  }
}
