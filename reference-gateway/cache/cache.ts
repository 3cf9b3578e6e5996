/**
 * The response cache as a hook of the pipeline. A lookup is a bypass, a hit, or a miss whose response answers everybody
 * who asks for it meanwhile. The store decides where entries lie.
 */
import type { CacheConfig } from '../config/config-file.ts'
import type { CacheFill, CacheHook, CacheLookup, Maybe, StoredResponse } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import { buildEntry, type CacheEntry, cacheKey, isCacheable, isComplete, type KeyRules, keyRules } from './entry.ts'
import type { CacheStore, StoreCounts, StoreSize } from './store.ts'
import { MemoryStore } from './store.ts'

export interface ResponseCacheStats extends StoreSize, ResponseCacheCounts {
  backend: 'memory' | 'redis'
  shared: boolean
  max_entries: number
  ttl_ms: number
}

interface ResponseCacheCounts extends StoreCounts {
  /** Requests since the start, by outcome. Requests that waited for another request's response count as hits. */
  hits: number
  coalesced: number
  misses: number
  bypassed: number
  stored: number
}

const BYPASS: CacheLookup = { kind: 'bypass' }

export class ResponseCache implements CacheHook {
  readonly #config: CacheConfig
  readonly #rules: KeyRules
  readonly #store: CacheStore
  readonly #inFlight = new Map<string, SingleFlight>()
  /** Raised by clear: a response that was requested before a clear is not stored after it. */
  #generation = 0
  /** Of all responses that are being collected. */
  #collectedBytes = 0
  #counts = { hits: 0, coalesced: 0, misses: 0, bypassed: 0, stored: 0 }

  constructor(config: CacheConfig, store: CacheStore, scope: unknown) {
    this.#config = config
    this.#rules = keyRules(config, scope)
    this.#store = store
  }

  /**
   * `scope` holds whatever in the config decides who answers and what is filtered: other configs never share entries.
   */
  static async open(config: CacheConfig, scope: unknown, report: (problem: string) => void): Promise<ResponseCache> {
    switch (config.backend) {
      case 'memory':
        return new ResponseCache(config, new MemoryStore(config), scope)
      case 'redis': {
        const { RedisStore } = await import('./redis-store.ts')
        return new ResponseCache(config, await RedisStore.open(config, report), scope)
      }
      default:
        return config.backend satisfies never
    }
  }

  lookup(context: RequestContext): Maybe<CacheLookup> {
    if (!isCacheable(context, this.#rules)) {
      this.#counts.bypassed++
      return BYPASS
    }
    const key = cacheKey(context, this.#rules)
    const underWay = this.#inFlight.get(key)
    if (underWay) return this.#follow(underWay, key, context)
    const found = this.#store.get(key, context.model ?? '')
    if (!(found instanceof Promise))
      return found ? this.#hit(found, context) : this.#lead(key, new SingleFlight(), context)
    const flight = new SingleFlight()
    this.#inFlight.set(key, flight)
    return found.then((entry) => {
      if (!entry) return this.#lead(key, flight, context)
      this.#forget(key, flight)
      flight.settle({ kind: 'entry', entry })
      return this.#hit(entry, context)
    })
  }

  async clear(model: string | undefined): Promise<number | undefined> {
    this.#generation++
    this.#inFlight.clear()
    return this.#store.clear(model)
  }

  async stats(): Promise<ResponseCacheStats> {
    const { backend, max_entries, ttl } = this.#config
    const size = await this.#store.size()
    return { backend, shared: this.#store.shared, max_entries, ttl_ms: ttl, ...size, ...this.counts() }
  }

  counts(): ResponseCacheCounts {
    return { ...this.#counts, ...this.#store.counts }
  }

  async close(): Promise<void> {
    for (const flight of this.#inFlight.values()) flight.settle({ kind: 'alone' })
    this.#inFlight.clear()
    await this.#store.close()
  }

  #hit(entry: CacheEntry, context: RequestContext): CacheLookup {
    this.#counts.hits++
    context.provider ??= entry.provider
    const ageMs = performance.timeOrigin + performance.now() - entry.storedMs
    return { kind: 'hit', answer: entry, ageSeconds: Math.max(0, Math.floor(ageMs / 1_000)) }
  }

  /** Another request is about to get this response. Waiting for that request counts as waiting for the provider. */
  async #follow(flight: SingleFlight, key: string, context: RequestContext): Promise<CacheLookup> {
    context.timings.enter('upstream')
    const outcome = await flight.wait(context.signal)
    context.timings.enter('work')
    switch (outcome.kind) {
      case 'lead':
        return this.#lead(key, flight, context)
      case 'entry':
        this.#counts.coalesced++
        return this.#hit(outcome.entry, context)
      case 'alone':
        return context.aborted ? BYPASS : this.#alone(key, context)
      default:
        return outcome satisfies never
    }
  }

  #lead(key: string, flight: SingleFlight, context: RequestContext): CacheLookup {
    this.#counts.misses++
    if (!this.#inFlight.has(key)) this.#inFlight.set(key, flight)
    const generation = this.#generation
    const abandon = (): void => {
      if (context.aborted && flight.promoteFollower()) return
      this.#forget(key, flight)
      flight.settle({ kind: 'alone' })
    }
    const store = (answer: StoredResponse): void => {
      const entry = this.#entryOf(answer, context)
      if (!entry) {
        abandon()
        return
      }
      const kept = generation === this.#generation ? this.#keep(key, entry) : undefined
      flight.settle({ kind: 'entry', entry })
      // Until a slow backend has stored the entry, the next request finds it here.
      if (kept instanceof Promise) void kept.then(() => this.#forget(key, flight))
      else this.#forget(key, flight)
    }
    return { kind: 'miss', fill: this.#collecting(store, abandon) }
  }

  /** The request asks for itself, beside others that want the same response. */
  #alone(key: string, context: RequestContext): CacheLookup {
    this.#counts.misses++
    const generation = this.#generation
    const store = (answer: StoredResponse): void => {
      const entry = this.#entryOf(answer, context)
      if (entry && generation === this.#generation) void this.#keep(key, entry)
    }
    return { kind: 'miss', fill: this.#collecting(store, () => {}) }
  }

  /** Counts what is kept of a response that is still arriving: one may be as large as an entry, all as the cache. */
  #collecting(store: CacheFill['store'], abandon: () => void): CacheFill {
    const { max_entry_size: most, max_size: mostOfAll } = this.#config
    let kept = 0
    const release = (): void => {
      this.#collectedBytes -= kept
      kept = 0
    }
    return {
      reserve: (bytes) => {
        kept += bytes
        this.#collectedBytes += bytes
        return kept <= most && this.#collectedBytes <= mostOfAll
      },
      store: (answer) => {
        release()
        store(answer)
      },
      abandon: () => {
        release()
        abandon()
      },
    }
  }

  #entryOf(answer: StoredResponse, context: RequestContext): CacheEntry | undefined {
    if (context.status !== 200 || !isComplete(answer) || wasUnchecked(context)) return undefined
    return buildEntry(answer, context)
  }

  #keep(key: string, entry: CacheEntry): Maybe<void> {
    if (entry.body.length > this.#config.max_entry_size) return
    this.#counts.stored++
    return this.#store.set(key, entry)
  }

  #forget(key: string, flight: SingleFlight): void {
    if (this.#inFlight.get(key) === flight) this.#inFlight.delete(key)
  }
}

/** A policy that failed open let this one response pass unjudged; such a response must not answer later requests. */
function wasUnchecked({ policies }: RequestContext): boolean {
  return policies !== undefined && Object.values(policies).includes('timeout')
}

type FlightOutcome = { kind: 'entry'; entry: CacheEntry } | { kind: 'lead' } | { kind: 'alone' }
type FinalOutcome = Exclude<FlightOutcome, { kind: 'lead' }>

/**
 * Of all requests that want the same response at the same time, one leads and asks the provider; the others follow and
 * wait. When the leader's client leaves, the next follower leads. When the response cannot be shared (an error, too
 * large), every follower asks for itself.
 */
class SingleFlight {
  #outcome: FinalOutcome | undefined
  readonly #followers = new Set<(outcome: FlightOutcome) => void>()

  /** Resolves when the follower can go on. It goes on `alone` at once when `signal` says that its client left. */
  async wait(signal: AbortSignal): Promise<FlightOutcome> {
    if (this.#outcome) return this.#outcome
    return new Promise((resolve) => {
      const leave = (): void => settle({ kind: 'alone' })
      const settle = (outcome: FlightOutcome): void => {
        this.#followers.delete(settle)
        signal.removeEventListener('abort', leave)
        resolve(outcome)
      }
      this.#followers.add(settle)
      signal.addEventListener('abort', leave)
      if (signal.aborted) leave()
    })
  }

  settle(outcome: FinalOutcome): void {
    this.#outcome = outcome
    for (const settle of [...this.#followers]) settle(outcome)
  }

  /** Makes the follower that waited longest the leader. False: nobody waits. */
  promoteFollower(): boolean {
    const [next] = this.#followers
    next?.({ kind: 'lead' })
    return next !== undefined
  }
}
