/**
 * What a sending thread tells of blocks that are over, for the live view: their counts, and the histograms that a
 * verdict reads. Nothing is kept or counted for it: it is read from the recorders, between requests.
 */
import type { BlockMetric } from '../slo/metrics.ts'
import type { PackedHistogram } from '../stats/histogram.ts'
import type { BlockFigures } from './arm-record.ts'
import { type LiveBlock, packAll } from './live-blocks.ts'
import type { ArmRecorder } from './recorder.ts'

export interface ToldBlock extends BlockFigures<PackedHistogram> {
  arm: number
}

export class FinishedBlocks {
  readonly #recorders: readonly ArmRecorder[]
  readonly #metrics: ReadonlySet<string>
  /** By arm: the number after that of the last block told, and of the last one whose load phase is over. */
  readonly #told: number[]
  readonly #over: number[]

  constructor(recorders: readonly ArmRecorder[], metrics: readonly BlockMetric[]) {
    this.#recorders = recorders
    this.#metrics = new Set(metrics)
    this.#told = recorders.map(() => 0)
    this.#over = recorders.map(() => 0)
  }

  /** The blocks that have begun by now get no more requests. */
  phaseOver(): void {
    for (const [arm, { blocks }] of this.#recorders.entries()) {
      this.#over[arm] = Math.max(0, ...blocks.since(0).map(({ index }) => index + 1))
    }
  }

  /** Blocks that have ended since the last call, those of an arm in their order. */
  take(): ToldBlock[] {
    return this.#recorders.flatMap(({ blocks }, arm) => {
      const known = blocks.since(this.#told[arm] ?? 0)
      const newest = known.at(-1)?.index ?? 0
      const open = known.findIndex((block) => {
        return !hasEnded(block) || (block.index === newest && newest >= (this.#over[arm] ?? 0))
      })
      const ended = open === -1 ? known : known.slice(0, open)
      const last = ended.at(-1)
      if (last) this.#told[arm] = last.index + 1
      return ended.map((block) => this.#tell(block, arm))
    })
  }

  #tell({ index, startedAtUs, endedAtUs, sent, outcomes, ...block }: LiveBlock, arm: number): ToldBlock {
    const asked = Object.entries(block.metrics).filter(([metric]) => this.#metrics.has(metric))
    return {
      ...{ arm, index, startedAtUs, endedAtUs, sent, outcomes },
      metrics: packAll(Object.fromEntries(asked)),
      stamped: block.stamped.pack(),
      selfReported: packAll(block.selfReported),
    }
  }
}

function hasEnded({ sent, outcomes }: LiveBlock): boolean {
  return Object.values(outcomes).reduce((sum, count) => sum + count, 0) === sent
}
