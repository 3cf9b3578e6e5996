/**
 * Some requests of a run as spans, by the semantic conventions for generative AI
 * (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/). Attributes that the conventions do not name begin
 * with `kt.`. Every request is a trace of its own.
 */
import { createHash } from 'node:crypto'
import type { Sample } from '../report/sample-schema.ts'
import type { BenchReport } from '../report/schema.ts'
import { attributesOf, unixNano } from './otlp-json.ts'
import { operationOf, resourceOf } from './otlp-metrics.ts'

export interface TracedRequests {
  how: 'slowest' | 'random'
  /** When the measurement began, in milliseconds of the Unix epoch. */
  startMs: number
  samples: readonly Sample[]
}

const CLIENT = 3
const ERROR = 2

export function otlpTraces(report: BenchReport, traced: TracedRequests) {
  const scope = { name: 'kt', version: report.kt.version }
  const spans = traced.samples.flatMap((sample) => spanOf(sample, report, traced) ?? [])
  return { resourceSpans: [{ resource: resourceOf(report), scopeSpans: [{ scope, spans }] }] }
}

/** Undefined for a request that was never sent. */
function spanOf(sample: Sample, report: BenchReport, { startMs, how }: TracedRequests) {
  const { runId, target, arms } = report
  const { arm, nonce, intendedUs, sentUs, firstByteUs, firstTokenUs, lastTokenUs, endUs, outcome } = sample
  if (sentUs === null || endUs === null) return undefined
  const at = (us: number): string => unixNano(startMs + us / 1_000)
  const events = { 'first byte': firstByteUs, 'first token': firstTokenUs, 'last token': lastTokenUs }
  const address = URL.parse(arms.find(({ name }) => name === arm)?.url ?? '')
  const operation = operationOf(report)
  const id = createHash('sha256').update(`${runId} ${nonce}`).digest('hex')
  return {
    traceId: id.slice(0, 32),
    spanId: id.slice(32, 48),
    name: `${operation['gen_ai.operation.name']} ${target.model}`,
    kind: CLIENT,
    startTimeUnixNano: at(sentUs),
    endTimeUnixNano: at(endUs),
    attributes: attributesOf({
      ...operation,
      'gen_ai.request.model': target.model,
      'gen_ai.request.stream': target.stream,
      'gen_ai.usage.output_tokens': sample.tokens ?? undefined,
      'gen_ai.response.time_to_first_chunk': firstTokenUs === null ? undefined : (firstTokenUs - sentUs) / 1e6,
      'server.address': address?.hostname,
      'server.port': address ? portOf(address) : undefined,
      'error.type': outcome === 'OK' ? undefined : outcome,
      'kt.arm': arm,
      'kt.block': sample.block,
      'kt.nonce': nonce,
      'kt.sent_late_ms': intendedUs === null ? undefined : (sentUs - intendedUs) / 1_000,
      'kt.chosen': how,
    }),
    events: Object.entries(events).flatMap(([name, us]) => (us === null ? [] : [{ name, timeUnixNano: at(us) }])),
    status: outcome === 'OK' ? {} : { code: ERROR, message: outcome },
  }
}

function portOf({ port, protocol }: URL): number {
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}
