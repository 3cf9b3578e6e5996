/**
 * Which providers serve a model, in the order in which they are asked: an exact name before the longest prefix
 * ('gpt-*'), a prefix before '*'. Among equals the order of the file decides, or, where weights are given, shares in
 * proportion to them (smooth weighted round-robin, as in nginx: exact shares, no bursts). The rest of the list serves
 * as fallback. A request that names no model goes to the first provider.
 */
import { matchesModel } from '../http/client-key.ts'
import type { GatewayError } from '../http/gateway-error.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { Upstream } from './upstream.ts'

interface WeightedUpstream {
  upstream: Upstream
  weight: number
  current: number
}

/** Providers whose patterns for the model are equally specific. */
interface Tier {
  places: WeightedUpstream[]
  /** In the file's order. */
  upstreams: readonly Upstream[]
  weighted: boolean
}

const MAX_PLANS = 1_000

export class Router {
  readonly #all: readonly Upstream[]
  readonly #tiers = new Map<string, Tier[]>()
  readonly #weights = new Map<string, Tier>()

  constructor(upstreams: readonly Upstream[]) {
    this.#all = upstreams
  }

  /** The providers for `model`, best first; empty where no pattern matches. */
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
    // Clients choose the names, and could fill the map without end: it is emptied instead.
    if (this.#tiers.size >= MAX_PLANS) this.#tiers.clear()
    this.#tiers.set(model, tiers)
    return tiers
  }

  /** Models that match the same pattern share its round-robin. */
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

/** The length that the pattern spells out of the model's name: more is better; -1 for no match. */
function matchLength(pattern: string, model: string): number {
  if (pattern === model) return Number.POSITIVE_INFINITY
  return matchesModel(pattern, model) ? pattern.length - 1 : -1
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

/**
 * The providers that one request may still ask. A provider with an open circuit is left out. A provider that sent
 * `retry-after` is asked before its time only where no other is left: that limit may not be this request's.
 */
export class ProviderCandidates {
  readonly #context: RequestContext
  readonly #left: Upstream[]
  /** How long until a circuit closes, where all circuits are open. */
  waitMs = 0

  constructor(upstreams: readonly Upstream[], context: RequestContext) {
    this.#left = [...upstreams]
    this.#context = context
  }

  /** The provider to begin with. */
  first(): Upstream | undefined {
    const found = this.next() ?? this.#take(() => true)
    if (!found) {
      const nowMs = performance.now()
      this.waitMs = Math.min(...this.#left.map(({ circuits }) => circuits?.waitMs(this.#context, nowMs) ?? 0))
    }
    return found
  }

  /** Another provider, after one that failed. */
  next(): Upstream | undefined {
    const nowMs = performance.now()
    return this.#take((upstream) => !upstream.isCoolingDown(this.#context, nowMs))
  }

  #take(wanted: (upstream: Upstream) => boolean): Upstream | undefined {
    const nowMs = performance.now()
    const index = this.#left.findIndex((one) => wanted(one) && (one.circuits?.admits(this.#context, nowMs) ?? true))
    return index < 0 ? undefined : this.#left.splice(index, 1)[0]
  }
}

/** The error where the circuits of all providers of a model are open. */
export function allCircuitsOpen(waitMs: number): GatewayError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000))
  const message = `no provider for this model is well at the moment; try again in ${seconds} s`
  return { status: 503, code: 'circuit_open', message, headers: ['retry-after', String(seconds)] }
}
