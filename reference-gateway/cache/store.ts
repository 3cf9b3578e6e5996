/**
 * Where entries are kept: the interface, and the store in this process's memory. A store never throws and never
 * rejects: a failed operation is a miss, and is counted.
 */
import { LRUCache } from 'lru-cache'
import type { CacheConfig } from '../config/config-file.ts'
import type { Maybe } from '../http/hooks.ts'
import { type CacheEntry, entryBytes } from './entry.ts'

export interface CacheStore {
  /** Whether all processes see the same entries. */
  readonly shared: boolean
  get(key: string, model: string): Maybe<CacheEntry | undefined>
  set(key: string, entry: CacheEntry): Maybe<void>
  /** Removes all entries, or those of `model`. Undefined: the backend did not answer. */
  clear(model: string | undefined): Maybe<number | undefined>
  size(): Maybe<StoreSize>
  readonly counts: Readonly<StoreCounts>
  close(): Maybe<void>
}

export interface StoreSize {
  /** Null where the number is not known now. */
  entries: number | null
  /** Size of bodies and headers; null where the backend does not count it. */
  bytes: number | null
}

export interface StoreCounts {
  /** Dropped to make room. */
  evicted: number
  /** Operations of the backend that failed or took too long. */
  errors: number
}

export class MemoryStore implements CacheStore {
  readonly shared = false
  readonly #entries: LRUCache<string, CacheEntry>
  readonly counts = { evicted: 0, errors: 0 }

  constructor(config: CacheConfig) {
    this.#entries = new LRUCache({
      max: config.max_entries,
      maxSize: config.max_size,
      maxEntrySize: config.max_entry_size + 64 * 1024,
      sizeCalculation: entryBytes,
      ttl: config.ttl,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.counts.evicted++
      },
    })
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: CacheEntry): void {
    this.#entries.set(key, entry)
  }

  clear(model: string | undefined): number {
    this.#entries.purgeStale()
    const keys = [...this.#entries.entries()].filter(([, entry]) => model === undefined || entry.model === model)
    for (const [key] of keys) this.#entries.delete(key)
    return keys.length
  }

  size(): StoreSize {
    this.#entries.purgeStale()
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize }
  }

  close(): void {
    this.#entries.clear()
  }
}
