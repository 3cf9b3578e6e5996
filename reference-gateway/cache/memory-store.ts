/** Entries in this process: the least recently used goes when there are too many of them, or too many bytes. */
import { LRUCache } from 'lru-cache'
import type { CacheConfig } from '../config/cache-file.ts'
import { type Entry, sizeOf } from './entry.ts'
import type { CacheStore, StoreStats } from './store.ts'

export class MemoryStore implements CacheStore {
  readonly shared = false
  readonly #entries: LRUCache<string, Entry>
  #evicted = 0

  constructor(config: CacheConfig) {
    this.#entries = new LRUCache({
      max: config.max_entries,
      maxSize: config.max_size,
      maxEntrySize: config.max_entry_size + 64 * 1024,
      sizeCalculation: sizeOf,
      ttl: config.ttl,
      dispose: (_entry, _key, reason) => {
        if (reason === 'evict') this.#evicted++
      },
    })
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: Entry): void {
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
