/**
 * The metrics of one process since its start, fed with each finished request: the time of each component, and requests
 * and tokens by kind. A snapshot is plain JSON, and snapshots of several processes can be merged.
 */
import type { GatewayEvent } from '../../src/wire/gateway-event.ts'
import { type EncodedLatencies, LatencyHistogram } from './latency-histogram.ts'

/** Clients invent model names, which must not fill the memory: all names after this many count as one. */
const MAX_KINDS = 1_000
const OTHER_MODEL = 'other'
/** Queueing the event, which comes after the answer: no component of the overhead. */
export const EMISSION = 'event_emission'

export interface MetricsSnapshot {
  /** By component. 'total' is the overhead; 'latency', 'ttft' and 'upstream' belong to the request itself. */
  histograms: Record<string, EncodedLatencies>
  /** Keys are the labels as JSON. */
  requests: Record<string, number>
  tokens: { input: number; output: number }
  policies: Record<string, number>
}

export class MetricsRecorder {
  readonly #histograms = new Map<string, LatencyHistogram>()
  readonly #requests = new Map<string, number>()
  readonly #policies = new Map<string, number>()
  readonly #models = new Set<string>()
  #inputTokens = 0
  #outputTokens = 0

  record(event: GatewayEvent, emissionMs: number): void {
    this.#record(EMISSION, emissionMs)
    this.#record('latency', event.latency_ms)
    this.#record('total', event.overhead_ms)
    for (const name in event.overhead) this.#record(name, event.overhead[name] ?? 0)
    if (event.attempts > 0) this.#record('upstream', event.upstream_ms)
    if (event.ttft_ms !== null) this.#record('ttft', event.ttft_ms)
    this.#inputTokens += event.input_tokens ?? 0
    this.#outputTokens += event.output_tokens ?? 0
    const labels = JSON.stringify([event.provider ?? '', this.#modelOf(event), event.status, event.stream, event.cache])
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1)
    for (const name in event.policy) {
      const kind = JSON.stringify([name, event.policy[name]])
      this.#policies.set(kind, (this.#policies.get(kind) ?? 0) + 1)
    }
  }

  snapshot(): MetricsSnapshot {
    return {
      histograms: Object.fromEntries([...this.#histograms].map(([name, histogram]) => [name, histogram.encode()])),
      requests: Object.fromEntries(this.#requests),
      tokens: { input: this.#inputTokens, output: this.#outputTokens },
      policies: Object.fromEntries(this.#policies),
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
    let histogram = this.#histograms.get(name)
    if (!histogram) {
      histogram = new LatencyHistogram()
      this.#histograms.set(name, histogram)
    }
    histogram.record(ms)
  }
}

/** All processes together: histograms by name, requests by labels. */
export interface GatewayTotals {
  histograms: Map<string, LatencyHistogram>
  requests: Map<string, number>
  policies: Map<string, number>
  tokens: { input: number; output: number }
}

export function mergeSnapshots(snapshots: readonly MetricsSnapshot[]): GatewayTotals {
  const sum: GatewayTotals = {
    histograms: new Map(),
    requests: new Map(),
    policies: new Map(),
    tokens: { input: 0, output: 0 },
  }
  for (const { histograms, requests, policies, tokens } of snapshots) {
    for (const [name, encoded] of Object.entries(histograms)) {
      const histogram = sum.histograms.get(name) ?? new LatencyHistogram()
      histogram.add(LatencyHistogram.decode(encoded))
      sum.histograms.set(name, histogram)
    }
    for (const [labels, count] of Object.entries(requests))
      sum.requests.set(labels, (sum.requests.get(labels) ?? 0) + count)
    for (const [kind, count] of Object.entries(policies)) sum.policies.set(kind, (sum.policies.get(kind) ?? 0) + count)
    sum.tokens.input += tokens.input
    sum.tokens.output += tokens.output
  }
  return sum
}
