/**
 * Overhead by the provider's stamp: (end − sent) − what the provider says it took itself (DESIGN 4.5). Counts from `sent`,
 * never from `intended`. The body's stamp is preferred, as it carries the nonce; the header serves whole JSON answers whose
 * body was rewritten, but was written too early to speak for a stream.
 */

import { createInterface } from 'node:readline'
import { request } from 'undici'
import { z } from 'zod'
import type { RequestResult } from '../client/request-result.ts'
import { parseServerTiming } from '../wire/server-timing.ts'

/**
 * What the simulated provider at an address really did, as it tells it at /__kt/truth (one record a nonce and attempt) and
 * /__kt/stats. These paths answer only directly, never through a gateway.
 */

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

type ProviderStatistics = z.infer<typeof statsSchema>

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

export type StampedOverhead =
  | { kind: 'overhead'; us: number }
  /** The stamp belongs to another request: the answer came from a cache. */
  | { kind: 'cache-hit' }
  /** The gateway asked the provider more than once; what the first attempt took is not in the stamp. */
  | { kind: 'retried' }
  | { kind: 'none' }

const NONE: StampedOverhead = { kind: 'none' }

export function stampedOverhead(result: RequestResult, nonce: string): StampedOverhead {
  const tookUs = result.endUs - result.sentUs
  const { stamp } = result
  if (stamp) {
    if (stamp.nonce !== nonce) return { kind: 'cache-hit' }
    if (stamp.attempt > 1) return { kind: 'retried' }
    return { kind: 'overhead', us: tookUs - stamp.providerUs }
  }
  if (result.streamed || result.headers['server-timing'] === undefined) return NONE
  const providerUs = parseServerTiming(result.headers['server-timing']).get('kt-provider')
  return providerUs === undefined ? NONE : { kind: 'overhead', us: tookUs - providerUs }
}
