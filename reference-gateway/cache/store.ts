/** Entries in this process: the least recently used goes when there are too many of them, or too many bytes. */
import { LRUCache } from 'lru-cache'
import type { CacheConfig } from '../config/config-file.ts'
import type { Maybe } from '../http/hooks.ts'
import { type CacheEntry, entryBytes } from './entry.ts'

export interface CacheStore {
  /** Whether all processes see the same entries. */
  readonly shared: boolean
  get(key: string, model: string): Maybe<CacheEntry | undefined>
  set(key: string, entry: CacheEntry): Maybe<void>
  /** Forgets everything, or what was asked of `model`. Undefined: the backend could not be asked. */
  clear(model: string | undefined): Maybe<number | undefined>
  stats(): Maybe<StoreStats>
  close(): Maybe<void>
}

export interface StoreStats {
  /** Null where that cannot be known now. */
  entries: number | null
  /** Of the bodies and headers; null where the backend keeps no account of it. */
  bytes: number | null
  /** Dropped to make room. */
  evicted: number
  /** Operations of the backend that failed or came too late. */
  errors: number
}

export class MemoryStore implements CacheStore {
  readonly shared = false
  readonly #entries: LRUCache<string, CacheEntry>
  #evicted = 0

  constructor(config: CacheConfig) {
    this.#entries = new LRUCache({
      max: config.max_entries,
      maxSize: config.max_size,
      maxEntrySize: config.max_entry_size + 64 * 1024,
      sizeCalculation: entryBytes,
      ttl: config.ttl,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.#evicted++
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

  stats(): StoreStats {
    this.#entries.purgeStale()
    return { entries: this.#entries.size, bytes: this.#entries.calculatedSize, evicted: this.#evicted, errors: 0 }
  }

  close(): void {
    this.#entries.clear()
  }
}
