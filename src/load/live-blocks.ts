/** The blocks of one arm while it runs: what its requests did, by the block that they count in. */
import type { SelfReportedBlock } from '../overhead/self-reported.ts'
import { type BlockMetric, METRICS, type Metric } from '../slo/metrics.ts'
import { type Digits, Histogram, type PackedHistogram } from '../stats/histogram.ts'
import type { BlockRecord, Counts } from './arm-record.ts'

export interface LiveBlock extends SelfReportedBlock {
  index: number
  startedAtUs: number
  endedAtUs: number
  sent: number
  outcomes: Counts
  metrics: Partial<Record<BlockMetric, Histogram>>
  stamped: Histogram
}

export class LiveBlocks {
  readonly #blocks = new Map<number, LiveBlock>()
  /** The block asked for last, which is asked for again most often. */
  #latest: LiveBlock | undefined

  /** It begins at `atUs` where there is none yet. */
  at(index: number, atUs: number): LiveBlock {
    if (this.#latest?.index === index) return this.#latest
    const known = this.#blocks.get(index)
    const block = known ?? newBlock(index, atUs)
    if (!known) this.#blocks.set(index, block)
    this.#latest = block
    return block
  }

  known(index: number): LiveBlock | undefined {
    return this.#blocks.get(index)
  }

  /** Those from this number on, in their order. */
  since(index: number): LiveBlock[] {
    const later = [...this.#blocks.values()].filter((block) => block.index >= index)
    return later.sort((a, b) => a.index - b.index)
  }

  /** A histogram of all blocks. */
  over(digits: Digits, of: (block: LiveBlock) => Histogram | undefined): PackedHistogram {
    return Histogram.merge(
      this.#measured().flatMap((block) => of(block) ?? []),
      digits,
    ).pack()
  }

  toRecords(): BlockRecord[] {
    return this.#measured()
      .sort((a, b) => a.index - b.index)
      .map(({ metrics, stamped, selfReported, components, ...block }) => ({
        ...block,
        metrics: packAll(metrics),
        stamped: stamped.pack(),
        selfReported: packAll(selfReported),
        components: packAll(components),
      }))
  }

  /** A block whose only requests the user's interrupt cut off has none. */
  #measured(): LiveBlock[] {
    return [...this.#blocks.values()].filter(({ sent }) => sent > 0)
  }
}

function newBlock(index: number, atUs: number): LiveBlock {
  return {
    index,
    startedAtUs: atUs,
    endedAtUs: atUs,
    sent: 0,
    outcomes: {},
    metrics: {},
    stamped: new Histogram(),
    selfReported: {},
    components: {},
  }
}

export function record<M extends Metric>(metric: M, us: number, metrics: Partial<Record<M, Histogram>>): void {
  if (Number.isNaN(us)) return
  let values = metrics[metric]
  if (values === undefined) {
    values = new Histogram(METRICS[metric].digits)
    metrics[metric] = values
  }
  values.record(us)
}

export function packAll<T extends Partial<Record<string, Histogram>>>(parts: T): { [K in keyof T]: PackedHistogram } {
  const entries = Object.entries(parts).flatMap(([name, values]) => (values ? [[name, values.pack()]] : []))
  return Object.fromEntries(entries)
}
