/**
 * The providers that one request may still ask. One with an open circuit is left out; one that said `retry-after` is asked
 * before its time only where no other is left: the limit it spoke of may not be this request's.
 */
import type { RequestContext } from '../pipeline/context.ts'
import type { Upstream } from './upstream.ts'

export class Candidates {
  readonly #context: RequestContext
  readonly #left: Upstream[]
  /** How long until a circuit closes, where only open ones were found. */
  waitMs = 0

  constructor(upstreams: readonly Upstream[], context: RequestContext) {
    this.#left = [...upstreams]
    this.#context = context
  }

  next(): Upstream | undefined {
    if (this.#left.length === 0) return undefined
    const nowMs = performance.now()
    const rested = this.#left.find((upstream) => !upstream.rests(this.#context, nowMs) && admits(upstream, nowMs))
    const found = rested ?? this.#left.find((upstream) => admits(upstream, nowMs))
    if (found) this.#left.splice(this.#left.indexOf(found), 1)
    else {
      const waits = this.#left.map(({ breaker }) => breaker?.waitMs(nowMs) ?? 0)
      this.waitMs = Math.min(...waits)
    }
    return found
  }

  /** Whether there would be another one to ask. */
  get more(): boolean {
    if (this.#left.length === 0) return false
    const nowMs = performance.now()
    return this.#left.some(
      (upstream) => upstream.breaker?.state(nowMs) !== 'open' && !upstream.rests(this.#context, nowMs),
    )
  }
}

function admits({ breaker }: Upstream, nowMs: number): boolean {
  return breaker?.admits(nowMs) ?? true
}
