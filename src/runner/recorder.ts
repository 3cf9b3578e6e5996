/**
 * Records what one arm's requests did: histograms over the run and by block, outcomes, tokens, overhead by each definition.
 * O(1) a request; memory does not grow with the run. Plain data comes out (`ArmRecord`), fit to cross a thread.
 */
import type { Exchange, TokenListener } from '../client/exchange.ts'
import { isInLatencyTail, type Outcome } from '../client/outcome.ts'
import { readSelfReport } from '../overhead/self-reported.ts'
import { stampedOverhead } from '../overhead/stamped.ts'
import type { ArmName } from '../report/schema.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'

type Counts = Partial<Record<Outcome, number>>

export const METRICS = [
  'latency',
  'service',
  'connect',
  'ttfb',
  'ttft',
  'ttftFromIntended',
  'tpot',
  'interToken',
] as const
export type Metric = (typeof METRICS)[number]

export interface BlockRecord {
  index: number
  startedAtUs: number
  sent: number
  outcomes: Counts
  latency: EncodedHistogram
  stamped: EncodedHistogram
  selfReported: EncodedHistogram
}

export interface ArmRecord {
  name: ArmName
  outcomes: Counts
  /** The first reason given for each class of failure. */
  details: Partial<Record<Outcome, string>>
  warmup: { sent: number; failed: number }
  metrics: Record<Metric, EncodedHistogram>
  stamped: {
    total: EncodedHistogram
    perToken: EncodedHistogram
    unattributed: EncodedHistogram
    cacheHits: number
    retried: number
  }
  selfReported: {
    total: EncodedHistogram
    components: Record<string, EncodedHistogram>
    rejected: number
    gateway: string
    source: string
    note: string
  }
  tokens: { input: number; output: number; events: number; fromUsage: number; fromEvents: number }
  bodyBytes: number
  reused: number
  /** Time under load, the pauses between blocks of an arm left out. */
  activeUs: number
  blocks: BlockRecord[]
}

interface LiveBlock {
  startedAtUs: number
  sent: number
  outcomes: Counts
  latency: Histogram
  stamped: Histogram
  selfReported: Histogram
}

export class Recorder {
  readonly name: ArmName
  activeUs = 0
  sent = 0
  done = 0
  failed = 0
  tokensSpent = 0
  readonly warmup = { sent: 0, failed: 0 }
  readonly #outcomes: Counts = {}
  readonly #details: Partial<Record<Outcome, string>> = {}
  readonly #metrics: Record<Metric, Histogram>
  readonly #stamped = {
    total: new Histogram(),
    perToken: new Histogram(),
    unattributed: new Histogram(),
    cacheHits: 0,
    retried: 0,
  }
  readonly #self = {
    total: new Histogram(),
    components: new Map<string, Histogram>(),
    rejected: 0,
    gateway: '',
    source: '',
    note: '',
  }
  readonly #tokens = { input: 0, output: 0, events: 0, fromUsage: 0, fromEvents: 0 }
  readonly #blocks = new Map<number, LiveBlock>()
  readonly #stream: boolean
  #bodyBytes = 0
  #reused = 0

  constructor(name: ArmName, stream: boolean) {
    this.name = name
    this.#stream = stream
    this.#metrics = {
      latency: new Histogram(4),
      service: new Histogram(4),
      connect: new Histogram(),
      ttfb: new Histogram(4),
      ttft: new Histogram(4),
      ttftFromIntended: new Histogram(4),
      tpot: new Histogram(),
      interToken: new Histogram(),
    }
  }

  /** A measured request was released. */
  released(block: number, atUs: number): void {
    this.sent++
    this.#block(block, atUs).sent++
  }

  /** For the request with `nonce`: takes its tokens as they come. */
  tokenListener(nonce: string): TokenListener {
    return (sinceSentUs, gapUs, stamp) => {
      if (!Number.isNaN(gapUs)) this.#metrics.interToken.record(gapUs)
      if (stamp?.nonce === nonce && stamp.attempt === 1) this.#stamped.perToken.record(sinceSentUs - stamp.providerUs)
    }
  }

  /** A measured request has ended. */
  ended(result: Exchange, intendedUs: number, nonce: string, blockIndex: number): void {
    const block = this.#block(blockIndex, intendedUs)
    const { outcome } = result
    this.done++
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1
    block.outcomes[outcome] = (block.outcomes[outcome] ?? 0) + 1
    this.#bodyBytes += result.bodyBytes
    if (result.reused) this.#reused++
    this.#record('connect', result.connectUs)
    if (isInLatencyTail(outcome)) {
      const latencyUs = result.endUs - intendedUs
      this.#record('latency', latencyUs)
      block.latency.record(latencyUs)
      this.#record('service', result.endUs - result.sentUs)
    }
    this.#countTokens(result)
    if (outcome !== 'OK') {
      this.failed++
      this.#details[outcome] ??= result.detail
      return
    }
    this.#record('ttfb', result.firstByteUs - result.sentUs)
    if (this.#stream) {
      this.#record('ttft', result.firstTokenUs - result.sentUs)
      this.#record('ttftFromIntended', result.firstTokenUs - intendedUs)
      this.#record('tpot', result.tpotUs)
    }
    this.#recordOverhead(result, nonce, block)
  }

  toRecord(): ArmRecord {
    const encode = (histogram: Histogram): EncodedHistogram => histogram.encode()
    const metrics = {} as Record<Metric, EncodedHistogram>
    for (const metric of METRICS) metrics[metric] = encode(this.#metrics[metric])
    return {
      name: this.name,
      outcomes: this.#outcomes,
      details: this.#details,
      warmup: this.warmup,
      metrics,
      stamped: {
        ...this.#stamped,
        total: encode(this.#stamped.total),
        perToken: encode(this.#stamped.perToken),
        unattributed: encode(this.#stamped.unattributed),
      },
      selfReported: {
        ...this.#self,
        total: encode(this.#self.total),
        components: Object.fromEntries(
          [...this.#self.components].map(([name, histogram]) => [name, encode(histogram)]),
        ),
      },
      tokens: this.#tokens,
      bodyBytes: this.#bodyBytes,
      reused: this.#reused,
      activeUs: this.activeUs,
      blocks: [...this.#blocks]
        .sort(([a], [b]) => a - b)
        .map(([index, block]) => ({
          index,
          startedAtUs: block.startedAtUs,
          sent: block.sent,
          outcomes: block.outcomes,
          latency: encode(block.latency),
          stamped: encode(block.stamped),
          selfReported: encode(block.selfReported),
        })),
    }
  }

  #recordOverhead(result: Exchange, nonce: string, block: LiveBlock): void {
    const stamped = stampedOverhead(result, nonce, this.#stream)
    if (stamped.kind === 'cache-hit') this.#stamped.cacheHits++
    else if (stamped.kind === 'retried') this.#stamped.retried++
    else if (stamped.kind === 'overhead') {
      this.#stamped.total.record(stamped.us)
      block.stamped.record(stamped.us)
    }
    const self = readSelfReport(result.headers, result.trailers)
    if (!self) return
    if (self.totalUs < 0 || self.totalUs > result.endUs - result.sentUs) {
      this.#self.rejected++
      return
    }
    this.#self.gateway = self.gateway
    this.#self.source = self.source
    this.#self.note = self.note
    this.#self.total.record(self.totalUs)
    block.selfReported.record(self.totalUs)
    for (const [name, us] of Object.entries(self.componentsUs)) {
      const component = this.#self.components.get(name) ?? new Histogram()
      this.#self.components.set(name, component)
      component.record(us)
    }
    if (stamped.kind === 'overhead') this.#stamped.unattributed.record(stamped.us - self.totalUs)
  }

  #countTokens(result: Exchange): void {
    this.#tokens.events += result.events
    if (result.usage) {
      this.#tokens.input += result.usage.input
      this.#tokens.output += this.#stream ? result.streamedTokens : result.usage.output
      this.#tokens.fromUsage++
      this.tokensSpent += result.usage.input + result.usage.output
    } else if (result.tokenEvents > 0) {
      this.#tokens.output += result.tokenEvents
      this.#tokens.fromEvents++
      this.tokensSpent += result.tokenEvents
    }
  }

  #record(metric: Metric, us: number): void {
    if (!Number.isNaN(us)) this.#metrics[metric].record(us)
  }

  #block(index: number, atUs: number): LiveBlock {
    const known = this.#blocks.get(index)
    if (known) return known
    const block: LiveBlock = {
      startedAtUs: atUs,
      sent: 0,
      outcomes: {},
      latency: new Histogram(4),
      stamped: new Histogram(),
      selfReported: new Histogram(),
    }
    this.#blocks.set(index, block)
    return block
  }
}
