/**
 * Entries in Redis, shared by all processes that use the same server, prefix, routes and policies. Each entry is a key
 * with a time to live. A sorted set holds all keys by expiry, so that max_entries and clearing need no scan. A server
 * that is gone or stalled costs a request at most `timeout`; after a few failures requests skip Redis for a second.
 * Such requests go on uncached, and every failure is counted.
 */
import type { Redis } from 'ioredis'
import { requireOptional } from '../../src/system/optional-package.ts'
import { plainReason } from '../../src/wire/connection-errors.ts'
import type { CacheConfig } from '../config/config-file.ts'
import { type CacheEntry, decodeEntry, encodeEntry } from './entry.ts'
import type { CacheStore, StoreSize } from './store.ts'

const FAILURES_IN_A_ROW = 3
const PAUSE_MS = 1_000
const CONNECT_MS = 2_000
const MAX_RETRY_MS = 2_000

/** Redis's own clock in milliseconds, which is the same for all processes. */
const NOW = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`

/** KEYS: index, entry. ARGV: ttl, max entries, value. Returns how many entries were dropped to make room. */
const SET = `${NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[1], KEYS[2])
local gone = 0
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if over > 0 then
  local oldest = redis.call('ZPOPMIN', KEYS[1], over)
  for i = 1, #oldest, 2 do gone = gone + redis.call('UNLINK', oldest[i]) end
end
return gone`

/** KEYS: index. Returns how many entries have not expired. */
const COUNT = `${NOW}
return redis.call('ZCOUNT', KEYS[1], now, '+inf')`

/** KEYS: index. ARGV: the prefix of the keys to clear. Returns how many entries were cleared. */
const CLEAR = `
local gone = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if string.sub(key, 1, #ARGV[1]) == ARGV[1] then
    redis.call('ZREM', KEYS[1], key)
    gone = gone + redis.call('UNLINK', key)
  end
end
return gone`

export class RedisStore implements CacheStore {
  readonly shared = true
  readonly #redis: Redis
  readonly #config: CacheConfig
  /** Holds one hash tag: all keys lie in one slot of a cluster, where scripts may use them together. */
  readonly #prefix: string
  readonly counts = { evicted: 0, errors: 0 }
  #failuresInARow = 0
  #pausedUntilMs = 0

  private constructor(redis: Redis, config: CacheConfig) {
    this.#redis = redis
    this.#config = config
    this.#prefix = `{${config.redis.prefix}:cache}:`
  }

  /** Resolves once connected, or with a store that will connect later. `report` receives each change of that state. */
  static async open(config: CacheConfig, report: (problem: string) => void): Promise<RedisStore> {
    const { Redis: Client } = await requireOptional(['ioredis'], 'cache.backend: redis', () => import('ioredis'))
    const redis = new Client(config.redis.url, {
      lazyConnect: true,
      // A command fails at once while the server is gone, instead of waiting for it.
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      autoResendUnfulfilledCommands: false,
      commandTimeout: config.redis.timeout,
      connectTimeout: CONNECT_MS,
      retryStrategy: (times) => Math.min(100 * times, MAX_RETRY_MS),
    })
    let lost = false
    redis.on('ready', () => {
      if (lost) report('Redis is back')
      lost = false
    })
    const onLoss = (reason: string): void => {
      if (!lost) report(`Redis cannot be used (${reason}); requests go on uncached, trying again`)
      lost = true
    }
    redis.on('error', (error: Error) => onLoss(plainReason(error)))
    redis.on('close', () => onLoss('connection lost'))
    await redis.connect().catch(() => {})
    return new RedisStore(redis, config)
  }

  async get(key: string, model: string): Promise<CacheEntry | undefined> {
    const found = await this.#ask(() => this.#redis.getBuffer(this.#entryKey(key, model)))
    const entry = found && decodeEntry(found)
    // A value that somebody else wrote says nothing about the server's health.
    if (found && !entry) this.counts.errors++
    return entry ?? undefined
  }

  async set(key: string, entry: CacheEntry): Promise<void> {
    const { ttl, max_entries } = this.#config
    await this.#ask(async () => {
      const name = this.#entryKey(key, entry.model)
      const value = encodeEntry(entry)
      const gone = await this.#redis.eval(SET, 2, this.#index, name, ttl, max_entries, value)
      this.counts.evicted += Number(gone)
    })
  }

  async clear(model: string | undefined): Promise<number | undefined> {
    // A user who clears the cache wants to know whether Redis answers now, so a pause does not apply.
    this.#pausedUntilMs = 0
    return this.#ask(async () => {
      const start = model === undefined ? this.#prefix : this.#entryKey('', model)
      return Number(await this.#redis.eval(CLEAR, 1, this.#index, start))
    })
  }

  async size(): Promise<StoreSize> {
    const entries = await this.#ask(async () => Number(await this.#redis.eval(COUNT, 1, this.#index)))
    return { entries: entries ?? null, bytes: null }
  }

  close(): void {
    this.#redis.removeAllListeners('close')
    this.#redis.disconnect()
  }

  get #index(): string {
    return `${this.#prefix}index`
  }

  #entryKey(key: string, model: string): string {
    return `${this.#prefix}${Buffer.from(model).toString('base64url')}:${key}`
  }

  async #ask<T>(operation: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < this.#pausedUntilMs) return undefined
    try {
      const result = await operation()
      this.#failuresInARow = 0
      return result
    } catch {
      this.counts.errors++
      if (++this.#failuresInARow >= FAILURES_IN_A_ROW) this.#pausedUntilMs = performance.now() + PAUSE_MS
      return undefined
    }
  }
}
