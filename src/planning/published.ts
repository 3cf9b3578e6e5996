/** Reads what other vendors publish: profiles/sizing/published.yaml. */
import { z } from 'zod'
import { readYaml } from '../parse/file.ts'
import type { Published } from '../plan/published.ts'
import { packaged } from '../system/machine.ts'

const positive = z.number().positive()
const entrySchema = z.strictObject({
  instances: z.int().positive(),
  vcpu: positive,
  memory_gib: positive,
  requests_per_sec: positive,
  tokens_per_sec: positive.optional(),
  p99_ms: positive,
  source: z.string(),
  date: z.string(),
})

export function readPublished(): Published[] {
  const path = packaged('profiles', 'sizing', 'published.yaml')
  return Object.entries(readYaml(path, z.record(z.string(), entrySchema), 'file of published sizing')).map(
    ([
      name,
      {
        memory_gib: memoryGib,
        requests_per_sec: requestsPerSec,
        tokens_per_sec: tokensPerSec,
        p99_ms: p99Ms,
        ...entry
      },
    ]) => ({
      name,
      ...entry,
      ...(tokensPerSec === undefined ? {} : { tokensPerSec }),
      memoryGib,
      requestsPerSec,
      p99Ms,
    }),
  )
}
