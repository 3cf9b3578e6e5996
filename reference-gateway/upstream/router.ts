/**
 * Which providers serve a model, in the order in which they are asked: an exact name before the longest prefix ('gpt-*'),
 * that before '*'. Among equals the order of the file decides, or, where weights are given, shares in proportion to them
 * (smooth weighted round-robin, as nginx does it: exact shares, no bursts). The rest of the list is what a failure falls
 * back to. A request that names no model goes to the first provider.
 */
import type { GatewayError } from '../http/gateway-error.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Upstream } from './upstream.ts'

interface WeightedUpstream {
  upstream: Upstream
  weight: number
  current: number
}

/** Equals: providers that know the model by patterns of the same kind and length. */
interface Tier {
  places: WeightedUpstream[]
  /** As the file has them. */
  upstreams: readonly Upstream[]
  weighted: boolean
}

const MOST_PLANS = 1_000

export class Router {
  readonly #all: readonly Upstream[]
  readonly #tiers = new Map<string, Tier[]>()
  readonly #weights = new Map<string, Tier>()

  constructor(upstreams: readonly Upstream[]) {
    this.#all = upstreams
  }

  /** The providers for `model`, best first; empty when no pattern knows it. */
  route(model: string | undefined): readonly Upstream[] {
    if (model === undefined) return this.#all.slice(0, 1)
    const tiers = this.#tiers.get(model) ?? this.#plan(model)
    const [only] = tiers
    if (tiers.length === 1 && only && !only.weighted) return only.upstreams
    return tiers.flatMap(orderTier)
  }

  #plan(model: string): Tier[] {
    const byLength = new Map<number, { pattern: string; places: WeightedUpstream[] }>()
    for (const upstream of this.#all) {
      const best = Math.max(...upstream.provider.models.map((pattern) => matchLength(pattern, model)))
      if (best < 0) continue
      const pattern = best === Number.POSITIVE_INFINITY ? model : `${model.slice(0, best)}*`
      const tier = byLength.get(best) ?? { pattern, places: [] }
      byLength.set(best, tier)
      tier.places.push({ upstream, weight: upstream.provider.weight ?? 1, current: 0 })
    }
    const tiers = [...byLength].sort(([a], [b]) => b - a).map(([, tier]) => this.#shared(tier))
    // Clients choose the names: what they could fill without end is emptied instead.
    if (this.#tiers.size >= MOST_PLANS) this.#tiers.clear()
    this.#tiers.set(model, tiers)
    return tiers
  }

  /** Models that fall under the same pattern share its round-robin. */
  #shared({ pattern, places }: { pattern: string; places: WeightedUpstream[] }): Tier {
    const weighted = places.length > 1 && places.some(({ upstream }) => upstream.provider.weight !== undefined)
    const upstreams = places.map(({ upstream }) => upstream)
    if (!weighted) return { places, upstreams, weighted }
    const key = `${pattern}\n${upstreams.map(({ provider }) => provider.name).join('\n')}`
    const known = this.#weights.get(key) ?? { places, upstreams, weighted }
    if (pattern.endsWith('*')) this.#weights.set(key, known)
    return known
  }
}

/** The more of the model's name a pattern spells out, the better; -1 for none. */
function matchLength(pattern: string, model: string): number {
  if (pattern === model) return Number.POSITIVE_INFINITY
  return pattern.endsWith('*') && model.startsWith(pattern.slice(0, -1)) ? pattern.length - 1 : -1
}

function orderTier(tier: Tier): Upstream[] {
  if (!tier.weighted) return [...tier.upstreams]
  let total = 0
  let [chosen] = tier.places
  for (const place of tier.places) {
    place.current += place.weight
    total += place.weight
    if (chosen && place.current > chosen.current) chosen = place
  }
  if (chosen) chosen.current -= total
  const rest = tier.places.filter((place) => place !== chosen).sort((a, b) => b.weight - a.weight)
  return [chosen, ...rest].flatMap((place) => (place ? [place.upstream] : []))
}

export class ProviderCandidates {
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
    const found = this.next() ?? this.#take(() => true)
    if (!found) this.waitMs = Math.min(...this.#left.map(({ breaker }) => breaker?.waitMs(performance.now()) ?? 0))
    return found
  }

  /** Another one, after one that failed. */
  next(): Upstream | undefined {
    const nowMs = performance.now()
    return this.#take((upstream) => !upstream.isCoolingDown(this.#context, nowMs))
  }

  #take(wanted: (upstream: Upstream) => boolean): Upstream | undefined {
    const nowMs = performance.now()
    const index = this.#left.findIndex((one) => wanted(one) && (one.breaker?.admits(nowMs) ?? true))
    return index < 0 ? undefined : this.#left.splice(index, 1)[0]
  }
}

/** Where every provider of a model is left alone for now. */
export function allCircuitsOpen(waitMs: number): GatewayError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  const message = `no provider for this model is well at the moment; try again in ${seconds} s`
  return { status: 503, code: 'circuit_open', message, headers: ['retry-after', String(seconds)] }
}
