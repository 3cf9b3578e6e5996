/**
 * The figures of one process since its start, fed with each finished request: how long each component took, and how many
 * requests and tokens there were of which kind. A snapshot of it is plain JSON, and snapshots of several processes add up.
 */

import { decodeFromCompressedBase64, encodeIntoCompressedBase64, Int32Histogram } from 'hdr-histogram-js'
import type { RequestEvent } from '../events/event.ts'

/**
 * How a quantity is spread, in a histogram that costs 50 ns a value and a few kilobytes: HdrHistogram with two significant
 * digits over tenths of a microsecond, since a component may take less than one.
 */

const PER_MS = 10_000

interface EncodedHistogram {
  hdr: string
  sumMs: number
}

export class LatencyHistogram {
  sumMs = 0
  readonly #hdr: Int32Histogram

  constructor() {
    this.#hdr = new Int32Histogram(1, 2, 2)
    this.#hdr.autoResize = true
  }

  record(ms: number): void {
    const value = ms > 0 ? ms : 0
    this.sumMs += value
    this.#hdr.recordValue(Math.round(value * PER_MS))
  }

  get count(): number {
    return this.#hdr.totalCount
  }

  /** Undefined while empty. */
  quantileMs(q: number): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.getValueAtPercentile(q * 100) / PER_MS
  }

  get maxMs(): number | undefined {
    return this.count === 0 ? undefined : this.#hdr.maxValue / PER_MS
  }

  /** How many values lie at or below each of `boundsMs`, which ascend. */
  countsUpTo(boundsMs: readonly number[]): number[] {
    let seen = 0
    let slot = 0
    return boundsMs.map((bound) => {
      for (; slot < this.#hdr.countsArrayLength && this.#hdr.valueFromIndex(slot) <= bound * PER_MS; slot++) {
        seen += this.#hdr.getCountAtIndex(slot)
      }
      return seen
    })
  }

  add(other: LatencyHistogram): void {
    this.#hdr.add(other.#hdr)
    this.sumMs += other.sumMs
  }

  encode(): EncodedHistogram {
    return { hdr: encodeIntoCompressedBase64(this.#hdr), sumMs: this.sumMs }
  }

  static decode({ hdr, sumMs }: EncodedHistogram): LatencyHistogram {
    const spread = new LatencyHistogram()
    const decoded = decodeFromCompressedBase64(hdr, 32, false)
    if (!(decoded instanceof Int32Histogram)) throw new Error('not a histogram of 32-bit counts')
    spread.#hdr.add(decoded)
    spread.sumMs = sumMs
    return spread
  }
}

export interface MetricsSnapshot {
  /** By component; 'total' is the overhead, 'latency', 'ttft' and 'upstream' the request itself. */
  histograms: Record<string, EncodedHistogram>
  /** By the JSON of their labels. */
  requests: Record<string, number>
  tokens: { input: number; output: number }
  policies: Record<string, number>
}

/** Names that clients invent must not fill the memory: what comes after this many is counted as one. */
const MOST_KINDS = 1_000

const OTHER_MODEL = 'other'

export class MetricsRecorder {
  readonly #spreads = new Map<string, LatencyHistogram>()
  readonly #requests = new Map<string, number>()
  readonly #policies = new Map<string, number>()
  readonly #models = new Set<string>()
  #inputTokens = 0
  #outputTokens = 0

  record(event: RequestEvent, emissionMs: number): void {
    this.#record('event_emission', emissionMs)
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
      histograms: Object.fromEntries([...this.#spreads].map(([name, spread]) => [name, spread.encode()])),
      requests: Object.fromEntries(this.#requests),
      tokens: { input: this.#inputTokens, output: this.#outputTokens },
      policies: Object.fromEntries(this.#policies),
    }
  }

  #modelOf({ model }: RequestEvent): string {
    if (model === null) return ''
    if (this.#models.has(model)) return model
    if (this.#models.size >= MOST_KINDS) return OTHER_MODEL
    this.#models.add(model)
    return model
  }

  #record(name: string, ms: number): void {
    let spread = this.#spreads.get(name)
    if (!spread) {
      spread = new LatencyHistogram()
      this.#spreads.set(name, spread)
    }
    spread.record(ms)
  }
}

/** Spreads by name, requests by labels, all processes together. */
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
      const spread = sum.histograms.get(name) ?? new LatencyHistogram()
      spread.add(LatencyHistogram.decode(encoded))
      sum.histograms.set(name, spread)
    }
    for (const [labels, count] of Object.entries(requests))
      sum.requests.set(labels, (sum.requests.get(labels) ?? 0) + count)
    for (const [kind, count] of Object.entries(policies)) sum.policies.set(kind, (sum.policies.get(kind) ?? 0) + count)
    sum.tokens.input += tokens.input
    sum.tokens.output += tokens.output
  }
  return sum
}
