/**
 * The providers that one request may still ask. One with an open circuit is left out; one that said `retry-after` is asked
 * before its time only where no other is left: the limit it spoke of may not be this request's.
 */

import type { RequestContext } from '../http/context.ts'
import type { GatewayError } from '../http/openai-error.ts'
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

  /** The one to begin with. */
  first(): Upstream | undefined {
    const found = this.second() ?? this.#take(() => true)
    if (!found) this.waitMs = Math.min(...this.#left.map(({ breaker }) => breaker?.waitMs(performance.now()) ?? 0))
    return found
  }

  /** Another one, after one that failed. */
  second(): Upstream | undefined {
    const nowMs = performance.now()
    return this.#take((upstream) => !upstream.rests(this.#context, nowMs))
  }

  #take(wanted: (upstream: Upstream) => boolean): Upstream | undefined {
    const nowMs = performance.now()
    const index = this.#left.findIndex((one) => wanted(one) && (one.breaker?.admits(nowMs) ?? true))
    return index < 0 ? undefined : this.#left.splice(index, 1)[0]
  }
}

/** Where every provider of a model is left alone for now. */
export function allOpen(waitMs: number): GatewayError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  const message = `no provider for this model is well at the moment; try again in ${seconds} s`
  return { status: 503, code: 'circuit_open', message, headers: ['retry-after', String(seconds)] }
}
