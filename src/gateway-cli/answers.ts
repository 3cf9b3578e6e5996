/**
 * What a gateway's admin port answers, and what `kt cache` and `kt gateway check` print of it with --json: the same,
 * under the name of the format.
 */
import { z } from 'zod'

const total = (what: string) => z.number().describe(what)

export const cacheStatsSchema = z.object({
  backend: z.enum(['memory', 'redis']).describe('where entries are kept'),
  shared: z.boolean().describe('whether all keys share them'),
  max_entries: total('most entries'),
  ttl_ms: total('how long an entry is kept, in milliseconds'),
  entries: z.number().nullable().describe('entries now; null: the backend cannot say, or not now'),
  bytes: z.number().nullable().describe('their size; null: the backend cannot say, or not now'),
  hits: total('requests answered from the cache'),
  coalesced: total('requests that waited for the answer to one like them'),
  misses: total('requests that found nothing'),
  bypassed: total('requests that may not be cached'),
  stored: total('answers that were kept'),
  evicted: total('entries that gave way to others'),
  errors: total('failures of the backend'),
})

export type CacheStatsAnswer = z.output<typeof cacheStatsSchema>

export const clearedSchema = z.object({
  cleared: total('entries that were cleared'),
  model: z.string().optional().describe('only those of this model'),
})

export const CACHE_STATS_SCHEMA = 'kt.cache.stats/1'
export const CACHE_CLEAR_SCHEMA = 'kt.cache.clear/1'

const format = <const Name extends string>(name: Name) => z.literal(name).describe('name and version of this format')

export const cacheStatsReport = z
  .strictObject({ schema: format(CACHE_STATS_SCHEMA), ...cacheStatsSchema.shape })
  .describe("kt cache stats: size and hits of the gateway's cache")

export const cacheClearReport = z
  .strictObject({ schema: format(CACHE_CLEAR_SCHEMA), ...clearedSchema.shape })
  .describe("kt cache clear: what was cleared of the gateway's cache")

export const eventStatsSchema = z
  .strictObject({
    schema: format('kt.events.stats/1'),
    metric: z.string().describe('name of the metric'),
    unit: z.enum(['ms', 'tokens']).describe('its unit'),
    count: z.number().describe('requests that have it'),
    failed: z.number().describe('of these, the failed ones: status 400 and above, or broken off'),
    mean: z.number().nullable().describe('mean; null without a value'),
    max: z.number().nullable().describe('largest value; null without one'),
    percentiles: z
      .array(
        z.strictObject({
          percentile: z.number().describe('which one, in percent'),
          value: z.number().describe('its value'),
          low: z.number().describe('lower end of its 95 % order-statistic interval'),
          high: z.number().nullable().describe('upper end; null: open'),
        }),
      )
      .describe('the percentiles that were asked for'),
    dropped: z.number().describe('events that the gateway dropped in between'),
    unreadable: z.number().describe('lines that are no event'),
    from: z.string().nullable().describe('the first that counted, ISO 8601'),
    to: z.string().nullable().describe('the last that counted, ISO 8601'),
    source: z.string().describe('where the events come from'),
  })
  .describe("kt events stats: percentiles over the gateway's requests")

export type EventStats = Omit<z.output<typeof eventStatsSchema>, 'schema' | 'source'>

export const gatewayCheckSchema = z
  .strictObject({
    schema: format('kt.gateway.check/1'),
    file: z.string().nullable().describe('file of the config; null: the defaults'),
    listens: z
      .strictObject({
        host: z.string().describe('address'),
        port: z.number().describe('port of the gateway'),
        adminPort: z.number().nullable().describe('port of its administration; null: none'),
        workers: z.number().describe('processes'),
      })
      .describe('where it would listen'),
    notices: z.array(z.string()).readonly().describe('what a reader should know of it'),
    config: z.unknown().describe("every effective key, in the file's own form; secrets are masked"),
  })
  .describe('kt gateway check: the effective config of the reference gateway')

export type GatewayCheckJson = z.output<typeof gatewayCheckSchema>
