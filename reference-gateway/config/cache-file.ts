/** The key `gateway.cache` of the config file. */
import { z } from 'zod'
import { bytes, duration } from '../../src/parse/config-values.ts'

/** A member of the request's body (they all count already), or a header that shall count as well. */
const keyPart = z
  .string()
  .regex(
    /^(?:[a-z_][\w.]*|header:[a-z0-9-]+)$/i,
    "a part of the key is a member of the body ('model') or 'header:<name>'",
  )

export const cacheFile = z
  .strictObject({
    enabled: z.boolean().default(false),
    backend: z.enum(['memory', 'redis']).default('memory'),
    max_entries: z.int().min(1).max(10_000_000).default(10_000),
    /** An answer larger than this is not stored. */
    max_entry_size: bytes.prefault('1MB'),
    /** The memory backend drops what was used longest ago beyond this. */
    max_size: bytes.prefault('256MB'),
    ttl: duration.prefault('3600s'),
    cache_when: z.strictObject({ temperature: z.number().min(0).default(0) }).prefault({}),
    key_includes: z.array(keyPart).default(['model', 'messages', 'temperature', 'max_tokens']),
    redis: z
      .strictObject({
        url: z.string().min(1).default('redis://127.0.0.1:6379'),
        /** Longer than this no request waits for Redis. */
        timeout: duration.prefault('100ms'),
        prefix: z
          .string()
          .regex(/^[\w.-]+$/, 'a prefix has letters, digits and _ . - only')
          .default('kt'),
      })
      .prefault({}),
  })
  .prefault({})

export type CacheConfig = z.output<typeof cacheFile>

/** What is wrong with `url` as the address of a Redis server, if anything. The URL may hold a password: it is not shown. */
export function redisUrlProblem(url: string): string | undefined {
  const parsed = URL.parse(url)
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol)) return 'not a redis:// or rediss:// URL'
  return /^(?:\/\d*)?$/.test(parsed.pathname) ? undefined : 'the path of a redis URL is the number of a database'
}
