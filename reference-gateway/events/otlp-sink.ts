/**
 * Sends events as spans to an OpenTelemetry collector, OTLP over HTTP with JSON. Spans follow the semantic conventions
 * for generative AI (https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/); attributes that the conventions
 * do not name begin with `kt.`. One export runs at a time: a collector that stalls delays nothing but itself, and
 * events that the ring cannot keep meanwhile are dropped and counted. The packages are large, so this file is imported
 * only where a collector is configured.
 */
import { type Attributes, type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import type { OtlpConfig } from '../config/config-file.ts'

export class OtlpSink {
  readonly #exporter: OTLPTraceExporter
  readonly #resource: Resource
  readonly #report: (problem: string) => void
  #failing = false

  constructor(config: OtlpConfig, report: (problem: string) => void) {
    this.#exporter = new OTLPTraceExporter({
      url: config.endpoint,
      headers: config.headers,
      timeoutMillis: config.timeout,
    })
    this.#resource = resourceFromAttributes({ 'service.name': config.service_name })
    this.#report = report
  }

  deliver(events: readonly GatewayEvent[]): Promise<void> {
    const spans = events.map((event) => buildSpan(event, this.#resource)).filter((span) => span !== undefined)
    if (spans.length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#exporter.export(spans, ({ code, error }) => {
        const failed = code !== 0
        if (failed && !this.#failing) this.#report(`OTLP export: ${error?.message ?? 'failed'}; spans are dropped`)
        this.#failing = failed
        if (failed) reject(error ?? new Error('the export failed'))
        else resolve()
      })
    })
  }

  close(): Promise<void> {
    return this.#exporter.shutdown()
  }
}

type Span = Parameters<OTLPTraceExporter['export']>[0][number]

const OPERATIONS: Record<string, string> = {
  chat: 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
  responses: 'chat',
}

function buildSpan(event: GatewayEvent, resource: Resource): Span | undefined {
  const { trace_id: traceId, span_id: spanId, parent_span_id: parentId } = event
  if (traceId === undefined || spanId === undefined) return undefined
  const endMs = Date.parse(event.ts)
  const operation = OPERATIONS[event.endpoint] ?? 'other'
  const failed = event.status >= 400 || event.status === 0 || event.error !== undefined
  return {
    name: event.model === null ? operation : `${operation} ${event.model}`,
    // The gateway is a server to its caller; the provider's span has this span as its parent.
    kind: SpanKind.SERVER,
    spanContext: () => ({ traceId, spanId, traceFlags: TraceFlags.SAMPLED }),
    ...(parentId !== undefined && {
      parentSpanContext: { traceId, spanId: parentId, traceFlags: TraceFlags.SAMPLED, isRemote: true },
    }),
    startTime: hrTime(endMs - event.latency_ms),
    endTime: hrTime(endMs),
    duration: hrTime(event.latency_ms),
    status: failed
      ? { code: SpanStatusCode.ERROR, ...(event.error !== undefined && { message: event.error }) }
      : { code: SpanStatusCode.UNSET },
    attributes: buildAttributes(event, operation, failed),
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: { name: 'kt-gateway' },
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

function buildAttributes(event: GatewayEvent, operation: string, failed: boolean): Attributes {
  const attributes: Attributes = {
    'gen_ai.operation.name': operation,
    'gen_ai.request.stream': event.stream,
    'http.response.status_code': event.status,
    'kt.request_id': event.request_id,
    'kt.tenant': event.tenant,
    'kt.cache': event.cache,
    'kt.attempts': event.attempts,
    'kt.overhead_ms': event.overhead_ms,
  }
  if (event.provider !== null) attributes['gen_ai.provider.name'] = event.provider
  if (event.model !== null) attributes['gen_ai.request.model'] = event.model
  if (event.input_tokens !== null) attributes['gen_ai.usage.input_tokens'] = event.input_tokens
  if (event.output_tokens !== null) attributes['gen_ai.usage.output_tokens'] = event.output_tokens
  // The conventions ask for seconds.
  if (event.ttft_ms !== null) attributes['gen_ai.response.time_to_first_chunk'] = event.ttft_ms / 1_000
  if (failed) attributes['error.type'] = event.error ?? String(event.status)
  for (const [name, ms] of Object.entries(event.overhead)) attributes[`kt.overhead.${name}_ms`] = ms
  for (const [name, action] of Object.entries(event.policy)) attributes[`kt.policy.${name}`] = action
  return attributes
}

/** Seconds and nanoseconds. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)]
}
