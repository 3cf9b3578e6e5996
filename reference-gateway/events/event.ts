/**
 * The record of one request, one JSON object a line: what `kt events` and the event file hold. Milliseconds have three
 * decimals. The record holds nothing that a client or a model wrote except the model's name, and never a key.
 */
import type { RequestContext } from '../http/request-context.ts'
import { COMPONENTS } from '../http/timings.ts'
import type { ResponseFacts } from './response-facts.ts'
import type { TraceContext } from './trace-context.ts'

export interface RequestEvent {
  /** When the response ended, ISO 8601. */
  ts: string
  request_id: string
  tenant: string
  provider: string | null
  model: string | null
  endpoint: string
  status: number
  stream: boolean
  /** From the request's full arrival to the response's end. */
  latency_ms: number
  /** To the first visible token; null where there was none, or no stream. */
  ttft_ms: number | null
  /** The gateway's own time, without hold. */
  overhead_ms: number
  overhead: Record<string, number>
  upstream_ms: number
  /** The provider's usage; null where the provider did not report it. */
  input_tokens: number | null
  output_tokens: number | null
  cache: 'hit' | 'miss' | 'bypass'
  policy: Record<string, string>
  attempts: number
  trace_id?: string
  span_id?: string
  parent_span_id?: string
  error?: string
  /** Events lost on the way to this reader since the event before. */
  dropped_before: number
}

/** The model's name comes from the client, and may be as long as a body. */
const MODEL_LENGTH = 200

/** `at` is when the request ended. */
export function buildEvent(
  context: RequestContext,
  facts: ResponseFacts | undefined,
  trace: TraceContext | undefined,
  at: Date,
): RequestEvent {
  const { timings } = context
  const overhead: Record<string, number> = {}
  for (const name of COMPONENTS) {
    const ms = timings.component(name)
    if (ms !== undefined) overhead[name.replace('-', '_')] = rounded(ms)
  }
  if (timings.outputPolicyMs !== undefined) overhead.hold = rounded(timings.holdMs)
  const { arrivedMs } = timings
  const latencyMs = context.endedMs - arrivedMs
  const event: RequestEvent = {
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
    overhead_ms: rounded(latencyMs - timings.upstreamMs - timings.holdMs - timings.clientMs),
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
  return event
}

function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000
}
