/**
 * What the simulated provider at an address really did, as it tells it at /__kt/truth: one record a nonce and attempt. Its control
 * path answers only directly, never through a gateway.
 */
import { createInterface } from 'node:readline'
import { request } from 'undici'
import { z } from 'zod'

const WITHIN_MS = 10_000

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
