/** What the gateway's admin port answers to the questions that kt's commands ask. */
import { z } from 'zod'

export const cacheStatsSchema = z.object({
  backend: z.enum(['memory', 'redis']),
  shared: z.boolean(),
  max_entries: z.number(),
  ttl_ms: z.number(),
  /** Null: the backend cannot say, or not now. */
  entries: z.number().nullable(),
  bytes: z.number().nullable(),
  hits: z.number(),
  coalesced: z.number(),
  misses: z.number(),
  bypassed: z.number(),
  stored: z.number(),
  evicted: z.number(),
  errors: z.number(),
})
export type CacheStats = z.output<typeof cacheStatsSchema>

export const clearedSchema = z.object({ cleared: z.number(), model: z.string().optional() })

export const eventSourceSchema = z.object({
  events: z.object({ file: z.string().nullable(), kept: z.number() }).nullable(),
})
