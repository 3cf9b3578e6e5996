/**
 * The metrics of the whole gateway since its start, fed with each finished request: the time of each component, and
 * requests and tokens by kind. They lie where the admin port is, so that no process that ends takes any of them along.
 */
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import type { PublishedEvents } from '../events/observer.ts'
import { LatencyHistogram } from './latency-histogram.ts'

/** Clients invent model names, which must not fill the memory: all names after this many count as one. */
const MAX_KINDS = 1_000
const OTHER_MODEL = 'other'
/** Queueing the event, which comes after the answer: no component of the overhead. */
export const EMISSION = 'event_emission'

export interface GatewayTotals {
  /** By component. 'total' is the overhead; 'latency', 'ttft' and 'upstream' belong to the request itself. */
  readonly histograms: ReadonlyMap<string, LatencyHistogram>
  /** Keys are the labels as JSON. */
  readonly requests: ReadonlyMap<string, number>
  readonly policies: ReadonlyMap<string, number>
  readonly tokens: { input: number; output: number }
}

export class MetricsRecorder implements GatewayTotals {
  readonly histograms = new Map<string, LatencyHistogram>()
  readonly requests = new Map<string, number>()
  readonly policies = new Map<string, number>()
  readonly tokens = { input: 0, output: 0 }
  readonly #models = new Set<string>()

  recordAll({ events, emissionMs }: PublishedEvents): void {
    for (const [i, event] of events.entries()) this.record(event, emissionMs[i] ?? 0)
  }

  record(event: GatewayEvent, emissionMs: number): void {
    this.#record(EMISSION, emissionMs)
    this.#record('latency', event.latency_ms)
    this.#record('total', event.overhead_ms)
    for (const name in event.overhead) this.#record(name, event.overhead[name] ?? 0)
    if (event.attempts > 0) this.#record('upstream', event.upstream_ms)
    if (event.ttft_ms !== null) this.#record('ttft', event.ttft_ms)
    this.tokens.input += event.input_tokens ?? 0
    this.tokens.output += event.output_tokens ?? 0
    const labels = JSON.stringify([event.provider ?? '', this.#modelOf(event), event.status, event.stream, event.cache])
    this.requests.set(labels, (this.requests.get(labels) ?? 0) + 1)
    for (const name in event.policy) {
      const kind = JSON.stringify([name, event.policy[name]])
      this.policies.set(kind, (this.policies.get(kind) ?? 0) + 1)
    }
  }

  #modelOf({ model }: GatewayEvent): string {
    if (model === null) return ''
    if (this.#models.has(model)) return model
    if (this.#models.size >= MAX_KINDS) return OTHER_MODEL
    this.#models.add(model)
    return model
  }

  #record(name: string, ms: number): void {
    let histogram = this.histograms.get(name)
    if (!histogram) {
      histogram = new LatencyHistogram()
      this.histograms.set(name, histogram)
    }
    histogram.record(ms)
  }
}
