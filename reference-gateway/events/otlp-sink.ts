/**
 * Events as spans to an OpenTelemetry collector, OTLP over HTTP with JSON. One export at a time: a collector that stalls
 * holds up nothing but itself, and what the ring has no room for meanwhile is dropped and counted. Imported only where it
 * is configured: the packages behind it are large.
 */
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import type { OtlpConfig } from '../config/events-file.ts'
import type { GatewayEvent } from './event.ts'
import { spanOf } from './span.ts'

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
    const spans = events.map((event) => spanOf(event, this.#resource)).filter((span) => span !== undefined)
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
