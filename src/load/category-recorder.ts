/**
 * Records what the requests of each category did, by block: outcomes, latency, time to first token, and how many met
 * all targets of their category, decided for each single request. Memory is bounded by categories times blocks
 * (histograms of three significant digits). The arm's recorder feeds it. Plain data comes out.
 */
import type { RequestResult } from '../client/request-result.ts'
import { type Category, tailTargets } from '../slo/category.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { isInLatencyTail, type Outcome } from '../wire/outcome.ts'
import { byNumber, counts, fields, first, grouped, histogram, total } from './add-up.ts'
import { READINGS } from './metric-samples.ts'

type Counts = Partial<Record<Outcome, number>>

interface CategoryBlock {
  index: number
  sent: number
  outcomes: Counts
  /** Requests that were answered within every target of the tail. */
  within: number
  latency: PackedHistogram
  ttft: PackedHistogram
}

export interface CategoryRecord {
  name: string
  /** In the order of their index. */
  blocks: CategoryBlock[]
}

interface LiveBlock {
  sent: number
  outcomes: Counts
  within: number
  latency: Histogram
  ttft: Histogram
}

export class CategoryRecorder {
  readonly #categories: readonly Category[]
  readonly #blocks: Map<number, LiveBlock>[]
  readonly #targetsUs: { latencyUs: number; ttftUs: number }[]

  constructor(categories: readonly Category[]) {
    this.#categories = categories
    this.#blocks = categories.map(() => new Map())
    this.#targetsUs = categories.map((category) => {
      const { latencyMs, ttftMs = Number.POSITIVE_INFINITY } = tailTargets(category)
      return { latencyUs: latencyMs * 1_000, ttftUs: ttftMs * 1_000 }
    })
  }

  released(category: number, block: number): void {
    const live = this.#block(category, block)
    if (live) live.sent++
  }

  cut(category: number, block: number): void {
    const live = this.#block(category, block)
    if (live) live.sent--
  }

  ended(category: number, block: number, result: RequestResult, intendedUs: number): void {
    const live = this.#block(category, block)
    const targets = this.#targetsUs[category]
    if (!live || !targets) return
    const { outcome, streamed } = result
    live.outcomes[outcome] = (live.outcomes[outcome] ?? 0) + 1
    const latencyUs = READINGS.latency(result, intendedUs)
    if (isInLatencyTail(outcome)) live.latency.record(latencyUs)
    if (outcome !== 'OK') return
    // An answer that is not streamed comes at once: it has no first token before its end.
    const ttftUs = streamed ? READINGS.ttft(result, intendedUs) : Number.NaN
    if (!Number.isNaN(ttftUs)) live.ttft.record(ttftUs)
    if (latencyUs <= targets.latencyUs && !(ttftUs > targets.ttftUs)) live.within++
  }

  toRecord(): CategoryRecord[] {
    return this.#categories.flatMap(({ name }, index) => {
      const blocks = [...(this.#blocks[index] ?? [])].sort(([a], [b]) => a - b)
      if (blocks.length === 0) return []
      return [
        {
          name,
          blocks: blocks.map(([index, { latency, ttft, ...counts }]) => ({
            index,
            ...counts,
            latency: latency.pack(),
            ttft: ttft.pack(),
          })),
        },
      ]
    })
  }

  #block(category: number, index: number): LiveBlock | undefined {
    const blocks = this.#blocks[category]
    const known = blocks?.get(index)
    if (known || !blocks) return known
    const block: LiveBlock = { sent: 0, outcomes: {}, within: 0, latency: new Histogram(), ttft: new Histogram() }
    blocks.set(index, block)
    return block
  }
}

export const categoriesSum = grouped(
  ({ name }) => name,
  fields<CategoryRecord>({
    name: first(),
    blocks: byNumber(
      ({ index }) => index,
      fields<CategoryBlock>({
        index: first(),
        sent: total,
        outcomes: counts(),
        within: total,
        latency: histogram,
        ttft: histogram,
      }),
    ),
  }),
)
