/** What the simulated provider records of itself, at /__kt/truth and /__kt/stats; read before and after a run. */
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import { z } from 'zod'
import { get } from '../system/get.ts'

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
  const answer = await get(`${origin}/__kt/truth`, AbortSignal.timeout(TIMEOUT_MS))
  if (answer.statusCode !== 200) {
    answer.destroy()
    return
  }
  for await (const line of createInterface({ input: answer })) yield recordSchema.parse(JSON.parse(line))
}

/** What the simulated provider has counted since its start. Throws where no simulated provider answers. */
export async function readStats(origin: string): Promise<ProviderStatistics> {
  return statsSchema.parse(await json(await get(`${origin}/__kt/stats`, AbortSignal.timeout(TIMEOUT_MS))))
}

/**
 * Whether `origin` is the simulated provider itself, so that a stamped reading is the measurement floor and not the
 * overhead of a gateway. A gateway that passes every path on answers this question too, but the provider then sees the
 * port of the gateway's connection, and not that of this one.
 */
export async function isProviderItself(origin: string): Promise<boolean> {
  try {
    const answer = await get(`${origin}/__kt/stats`, AbortSignal.timeout(ITSELF_TIMEOUT_MS))
    const { localPort } = answer.socket
    return statsSchema.parse(await json(answer)).clientPort === localPort
  } catch {
    return false
  }
}
