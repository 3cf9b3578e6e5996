/**
 * Sends a run to an OpenTelemetry collector: OTLP over HTTP in JSON, after the run. A collector that refuses or is not
 * there is noted; the run and its verdict are what they are.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'undici'
import { z } from 'zod'
import type { BenchReport } from '../report/schema.ts'
import { now, unixMs } from '../system/clock.ts'
import { plainReason } from '../wire/connection-errors.ts'
import { otlpMetrics } from './otlp-metrics.ts'
import { otlpTraces, type TracedRequests } from './otlp-traces.ts'

interface Collector {
  url: URL
  /** As OTEL_EXPORTER_OTLP_HEADERS gives them. */
  headers: Readonly<Record<string, string>>
  note(line: string, isError: true): void
}

const WITHIN_MS = 10_000
const TRIES = 3
const WAIT_MS = 1_000
/** OTLP asks for another try after these. */
const AGAIN = [429, 502, 503, 504]

/** What a collector took only in part. */
const answerSchema = z.object({
  partialSuccess: z
    .object({
      rejectedDataPoints: z.coerce.number().default(0),
      rejectedSpans: z.coerce.number().default(0),
      errorMessage: z.string().default(''),
    })
    .optional(),
})

/** `traced`: the requests of --otlp-traces. */
export async function sendOtlp(report: BenchReport, traced: TracedRequests | undefined, to: Collector): Promise<void> {
  await post('metrics', otlpMetrics(report, unixMs(now())), to)
  if (traced && traced.samples.length > 0) await post('traces', otlpTraces(report, traced), to)
}

async function post(signal: 'metrics' | 'traces', body: object, { url, headers, note }: Collector): Promise<void> {
  const address = new URL(url)
  address.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/${signal}`
  const why = await tried(address, JSON.stringify(body), headers)
  if (why !== undefined) {
    note(`--otlp: ${why}; the ${signal} were not sent to ${address.origin}${address.pathname}`, true)
  }
}

/** Undefined where all of it was taken. */
async function tried(
  address: URL,
  body: string,
  headers: Collector['headers'],
  tries = TRIES,
): Promise<string | undefined> {
  const sent = await once(address, body, headers)
  if (!sent.again || tries <= 1) return sent.why
  await sleep(WAIT_MS)
  return tried(address, body, headers, tries - 1)
}

async function once(
  address: URL,
  body: string,
  headers: Collector['headers'],
): Promise<{ why: string | undefined; again: boolean }> {
  try {
    const answer = await request(address, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(WITHIN_MS),
    })
    const said: unknown = await answer.body.json().catch(() => undefined)
    const { statusCode } = answer
    if (statusCode >= 300) return { why: `the collector answered ${statusCode}`, again: AGAIN.includes(statusCode) }
    return { why: rejected(said), again: false }
  } catch (error) {
    return { why: plainReason(error), again: false }
  }
}

function rejected(said: unknown): string | undefined {
  const { partialSuccess } = answerSchema.safeParse(said).data ?? {}
  const count = (partialSuccess?.rejectedDataPoints ?? 0) + (partialSuccess?.rejectedSpans ?? 0)
  return count === 0 ? undefined : `the collector rejected ${count}: ${partialSuccess?.errorMessage}`
}
