/** From a request that has ended to its event. */
import { printableJson } from '../../src/system/printable.ts'
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import { OVERHEAD_COMPONENTS } from '../../src/wire/overhead-components.ts'
import type { RequestContext } from '../http/request-context.ts'
import type { ResponseFacts } from './response-facts.ts'
import type { TraceContext } from './trace-context.ts'

/** The model's name comes from the client, and may be as long as a body. */
const MODEL_LENGTH = 200

/** An event as a line of a file or a feed, which people read in terminals. */
export function eventLine(event: GatewayEvent): string {
  return `${printableJson(event)}\n`
}

/** `at` is when the request ended. */
export function buildEvent(
  context: RequestContext,
  facts: ResponseFacts | undefined,
  trace: TraceContext | undefined,
  at: Date,
): GatewayEvent {
  const { timings } = context
  const overhead: Record<string, number> = {}
  for (const { name, field } of OVERHEAD_COMPONENTS) {
    const ms = timings.component(name)
    if (ms !== undefined) overhead[field] = rounded(ms)
  }
  const { arrivedMs } = timings
  const latencyMs = context.endedMs - arrivedMs
  const notWorkMs = timings.upstreamMs + timings.holdMs + timings.clientMs
  const event: GatewayEvent = {
    ts: at.toISOString(),
    request_id: context.id,
    tenant: context.tenant,
    provider: context.provider ?? null,
    model: context.model?.slice(0, MODEL_LENGTH) ?? null,
    endpoint: context.endpoint,
    status: context.status,
    stream: context.stream,
    latency_ms: rounded(latencyMs),
    ttft_ms: facts && facts.firstTokenMs > 0 ? rounded(facts.firstTokenMs - arrivedMs) : null,
    overhead_ms: rounded(latencyMs - notWorkMs - (timings.overlappedMs ?? 0)),
    overhead,
    upstream_ms: rounded(timings.upstreamMs),
    ...(facts?.usage() ?? { input_tokens: null, output_tokens: null }),
    cache: context.cache ?? 'bypass',
    policy: context.policies ?? {},
    attempts: context.attempts,
    dropped_before: 0,
  }
  if (trace) {
    event.trace_id = trace.traceId
    event.span_id = trace.spanId
    if (trace.parentId !== undefined) event.parent_span_id = trace.parentId
  }
  if (context.error !== undefined) event.error = context.error
  else if (context.aborted) event.error = 'client_gone'
  else if (facts?.failedWithin()) event.error = 'upstream_failed_within'
  return event
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
