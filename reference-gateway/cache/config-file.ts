/** The key `gateway.cache` of the config file. */
import { z } from 'zod'
import { duration, NOT_YET } from '../config-values.ts'

export const cacheFile = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .refine((on) => !on, `${NOT_YET} the response cache (use enabled: false)`),
    backend: z.enum(['memory', 'redis']).default('memory'),
    max_entries: z.int().min(1).default(10_000),
    ttl: duration.prefault('3600s'),
    cache_when: z.strictObject({ temperature: z.number().min(0).default(0) }).prefault({}),
    key_includes: z.array(z.string()).default(['model', 'messages', 'temperature', 'max_tokens']),
  })
  .prefault({})
