/**
 * The gateway's account of one request, in milliseconds of the process's monotonic clock. From its full arrival to the
 * response's end a request is at each moment in exactly one state:
 *   work      the gateway computes, or waits for what is its own: a connection, a policy, its cache   = overhead
 *   upstream  it waits for the provider
 *   hold      it waits for the provider while a stream filter holds text back on purpose
 *   client    it waits for a client that reads slowly
 * Work on a piece of a stream, behind the first, delays that piece. It does not delay what comes after it where the
 * provider needs longer for its next piece: so much of it is `overlapped`, and no overhead. The overhead is what the
 * client waits for.
 * The components (routing, cache, ...) are parts of the overhead, measured around each step; what output policies did
 * in the gaps is told as a part of the overlapped work. No state holds what the gateway cannot see: the time that bytes
 * lay in the kernel or in the event loop's queue before a callback ran. The provider's stamps show that time.
 */
import { OVERHEAD_COMPONENTS, type OverheadComponent } from '../../src/wire/overhead-components.ts'

type TimingState = 'work' | 'upstream' | 'hold' | 'client'

/** Components of streams that are no parts of the overhead. */
const APART: ReadonlySet<OverheadComponent> = new Set(['hold', 'overlapped_work', 'overlapped_policy'])
const PARTS = OVERHEAD_COMPONENTS.filter(({ name }) => !APART.has(name))
const OF_STREAMS = OVERHEAD_COMPONENTS.filter(({ name }) => APART.has(name))

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
  /** Work that fell into the provider's gaps; undefined where the answer has no pieces behind its first. */
  overlappedMs: number | undefined
  /** The part of it that output policies did. */
  overlappedPolicyMs = 0
  #workMs = 0
  /** Work on pieces behind the first since the provider was last waited for. */
  #pieceMs = 0
  /** The part of it that output policies did. */
  #piecePolicyMs = 0
  #state: TimingState = 'work'
  #holding = false
  #markMs = 0

  /** The request has arrived in full, at this moment or a little before. */
  arrived(atMs: number): void {
    this.arrivedMs = atMs
    this.#markMs = atMs
  }

  /** From now on the time counts as `next`. Returns the current time, which the caller may know already. */
  enter(next: TimingState, nowMs = performance.now()): number {
    const spentMs = nowMs - this.#markMs
    this.#markMs = nowMs
    const state = this.#state
    switch (state) {
      case 'work':
        this.#workMs += spentMs
        if (this.overlappedMs !== undefined) this.#pieceMs += spentMs
        break
      case 'upstream':
        this.upstreamMs += spentMs
        if (this.#pieceMs > 0) this.#overlap(spentMs)
        break
      case 'hold':
        this.holdMs += spentMs
        if (this.#pieceMs > 0) this.#overlap(spentMs)
        break
      case 'client':
        this.clientMs += spentMs
        break
      default:
        state satisfies never
    }
    this.#state = next === 'upstream' && this.#holding ? 'hold' : next
    return nowMs
  }

  /** A piece of the body was passed on, and the provider is waited for again. */
  passed(nowMs = performance.now()): void {
    this.enter('upstream', nowMs)
    this.overlappedMs ??= 0
  }

  /** The provider was waited for: work before that, as long as the wait at most, was done in a gap of its own. */
  #overlap(waitedMs: number): void {
    const hiddenMs = Math.min(this.#pieceMs, waitedMs)
    this.overlappedMs = (this.overlappedMs ?? 0) + hiddenMs
    this.#workMs -= hiddenMs
    if (this.#piecePolicyMs > 0 && this.outputPolicyMs !== undefined) {
      const policyMs = this.#piecePolicyMs * (hiddenMs / this.#pieceMs)
      this.overlappedPolicyMs += policyMs
      this.outputPolicyMs -= policyMs
    }
    this.#pieceMs = 0
    this.#piecePolicyMs = 0
  }

  /** Output policies have judged for so long. */
  judged(ms: number): void {
    this.outputPolicyMs = (this.outputPolicyMs ?? 0) + ms
    if (this.overlappedMs !== undefined) this.#piecePolicyMs += ms
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

  /** What the client waited for so far, the work in progress included. */
  get overheadMs(): number {
    return this.#workMs + (this.#state === 'work' ? performance.now() - this.#markMs : 0)
  }

  /** Undefined where its hook is off. */
  component(name: OverheadComponent): number | undefined {
    switch (name) {
      case 'input_policy':
        return this.inputPolicyMs
      case 'routing':
        return this.routingMs
      case 'cache':
        return this.cacheMs
      case 'injected_delay':
        return this.injectMs
      case 'connection_acquisition':
        return this.acquireMs
      case 'output_policy':
        return this.outputPolicyMs
      case 'event_emission':
        return this.eventsMs
      case 'hold':
        return this.outputPolicyMs === undefined ? undefined : this.holdMs
      case 'overlapped_work':
        return this.overlappedMs
      case 'overlapped_policy':
        return this.outputPolicyMs === undefined || this.overlappedMs === undefined
          ? undefined
          : this.overlappedPolicyMs
      default:
        return name satisfies never
    }
  }

  /** The value of the server-timing header, with `overheadMs` as total. */
  serverTiming(overheadMs: number): string {
    const upstream = `kt-upstream;dur=${this.upstreamMs.toFixed(3)}, `
    return `${this.#entries(PARTS)}${upstream}${this.#entries(OF_STREAMS)}kt-overhead;dur=${overheadMs.toFixed(3)}`
  }

  #entries(components: typeof OVERHEAD_COMPONENTS): string {
    let text = ''
    for (const { name, header } of components) {
      const ms = this.component(name)
      if (ms !== undefined) text += `${header};dur=${ms.toFixed(3)}, `
    }
    return text
  }
}
