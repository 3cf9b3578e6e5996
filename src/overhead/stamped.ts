/**
 * Overhead by the provider's stamp: (end - sent) minus the time that the provider states it took itself. It counts
 * from `sent`, never from `intended`. The stamp in the body is preferred because it carries the nonce. The header
 * serves JSON answers whose body was rewritten; of a stream it says nothing, as it is written too early. The file
 * also reads what the simulated provider records of itself, at /__kt/truth and /__kt/stats.
 */
import { createInterface } from 'node:readline'
import { buildConnector, Client, request } from 'undici'
import { z } from 'zod'
import type { RequestResult } from '../client/request-result.ts'
import { parseServerTiming } from '../wire/server-timing.ts'

type StampedOverhead =
  | { kind: 'overhead'; us: number }
  /** The stamp belongs to another request: the answer came from a cache. */
  | { kind: 'cache-hit' }
  /** The gateway asked the provider more than once. The stamp does not hold the time of the first attempt. */
  | { kind: 'retried' }
  | { kind: 'none' }

const NONE: StampedOverhead = { kind: 'none' }

/** `isRepeat`: the nonce was sent before, on purpose, so that the provider has seen it. */
export function stampedOverhead(result: RequestResult, nonce: string, isRepeat = false): StampedOverhead {
  const tookUs = result.endUs - result.sentUs
  const { stamp } = result
  if (stamp) {
    if (stamp.nonce !== nonce) return { kind: 'cache-hit' }
    if (stamp.attempt > 1 && !isRepeat) return { kind: 'retried' }
    return { kind: 'overhead', us: tookUs - stamp.providerUs }
  }
  if (result.streamed || result.headers['server-timing'] === undefined) return NONE
  const providerUs = parseServerTiming(result.headers['server-timing']).get('kt-provider')
  return providerUs === undefined ? NONE : { kind: 'overhead', us: tookUs - providerUs }
}

const TIMEOUT_MS = 10_000
const ITSELF_TIMEOUT_MS = 1_000

const opened = z.object({ opened: z.number() })

const statsSchema = z.object({
  connectionsOpened: z.number(),
  connections: z.object({ http1: opened, http2: opened }),
  clientPort: z.number(),
  inFlight: z.number(),
})

const recordSchema = z.object({
  nonce: z.string(),
  attempt: z.number(),
  connection: z.number().optional(),
  receivedUs: z.number(),
  firstWriteUs: z.number().nullable(),
  lastWriteUs: z.number().nullable(),
  tokens: z.number(),
  events: z.number().optional(),
  stream: z.boolean(),
  aborted: z.boolean(),
})

type ProviderStatistics = z.infer<typeof statsSchema>

export type ProviderRecord = z.infer<typeof recordSchema>

/**
 * The records of the simulated provider, oldest first; none where `origin` is another server. Throws where nothing
 * answers, or not in this form.
 */
export async function* readTruth(origin: string): AsyncGenerator<ProviderRecord> {
  const { statusCode, body } = await request(`${origin}/__kt/truth`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  if (statusCode !== 200) {
    await body.dump()
    return
  }
  for await (const line of createInterface({ input: body })) yield recordSchema.parse(JSON.parse(line))
}

/** What the simulated provider has counted since its start. Throws where no simulated provider answers. */
export async function readStats(origin: string): Promise<ProviderStatistics> {
  const { body } = await request(`${origin}/__kt/stats`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
  return statsSchema.parse(await body.json())
}

const connect = buildConnector({ timeout: ITSELF_TIMEOUT_MS })

/**
 * Whether `origin` is the simulated provider itself, so that a stamped reading is the measurement floor and not the
 * overhead of a gateway. A gateway that passes every path on answers this question too, but the provider then sees the
 * port of the gateway's connection, and not that of this one.
 */
export async function isProviderItself(origin: string): Promise<boolean> {
  let ownPort: number | undefined
  const client = new Client(origin, {
    connect: (options, done) =>
      connect(options, (...made) => {
        ownPort = made[1]?.localPort
        done(...made)
      }),
  })
  try {
    const signal = AbortSignal.timeout(ITSELF_TIMEOUT_MS)
    const { body } = await client.request({ path: '/__kt/stats', method: 'GET', signal })
    return statsSchema.parse(await body.json()).clientPort === ownPort
  } catch {
    return false
  } finally {
    await client.destroy()
  }
}
