/**
 * What the simulated provider at an address really did, as it tells it at /__kt/truth (one record a nonce and attempt) and
 * /__kt/stats. These paths answer only directly, never through a gateway.
 */
import { createInterface } from 'node:readline'
import { request } from 'undici'
import { z } from 'zod'

const WITHIN_MS = 10_000

const opened = z.object({ opened: z.number() })
const statsSchema = z.object({
  connectionsOpened: z.number(),
  connections: z.object({ http1: opened, http2: opened }),
})

const recordSchema = z.object({
  nonce: z.string(),
  attempt: z.number(),
  connection: z.number().optional(),
  receivedUs: z.number(),
  firstWriteUs: z.number().nullable(),
  lastWriteUs: z.number().nullable(),
  tokens: z.number(),
  stream: z.boolean(),
  aborted: z.boolean(),
})

export type ProviderStatistics = z.infer<typeof statsSchema>
export type ProviderRecord = z.infer<typeof recordSchema>

/** Its records, oldest first; none where `origin` is no simulated provider. Throws where nobody answers, or something else does. */
export async function* readTruth(origin: string): AsyncGenerator<ProviderRecord> {
  const { statusCode, body } = await request(`${origin}/__kt/truth`, { signal: AbortSignal.timeout(WITHIN_MS) })
  if (statusCode !== 200) {
    await body.dump()
    return
  }
  for await (const line of createInterface({ input: body })) yield recordSchema.parse(JSON.parse(line))
}

/** What it has counted since its start. Throws where no simulated provider answers. */
export async function readStats(origin: string, withinMs = WITHIN_MS): Promise<ProviderStatistics> {
  const { body } = await request(`${origin}/__kt/stats`, { signal: AbortSignal.timeout(withinMs) })
  return statsSchema.parse(await body.json())
}
