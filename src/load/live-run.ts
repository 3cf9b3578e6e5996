/**
 * What is known of a run while it goes on: each second of it, by arm, and the blocks that every sending thread has
 * ended. Bounded like the series of a report. It lives in the thread of the command, away from those that send.
 */
import { Histogram } from '../stats/histogram.ts'
import { addCounts } from './add-up.ts'
import type { Counts } from './arm-record.ts'
import type { ToldBlock } from './finished-blocks.ts'
import type { LiveBlock } from './live-blocks.ts'
import type { Progress } from './merge.ts'
import type { LiveListener } from './run.ts'
import type { Second } from './series.ts'

type Heard = Pick<Progress, 'lastSecond' | 'failures' | 'achievedToOffered'>

/** Values by name, all of the same kind. */
type Parts = Partial<Record<string, Histogram>>

export class LiveRun implements LiveListener {
  readonly metrics: LiveListener['metrics']
  readonly seconds: Second[] = []
  /** By arm. */
  failures: readonly Counts[] = []
  /** Open loop: of the load phases that are over. */
  achievedToOffered: number | null = null
  readonly #blocks: Map<number, LiveBlock>[]
  /** By thread and arm: the number after that of the last block it told. */
  readonly #told: number[][]
  readonly #most: number

  constructor(arms: number, threads: number, metrics: LiveListener['metrics'], most = 7_200) {
    this.metrics = metrics
    this.#blocks = Array.from({ length: arms }, () => new Map())
    this.#told = Array.from({ length: threads }, () => Array.from({ length: arms }, () => 0))
    this.#most = most
  }

  /** A second is taken as it was heard of first: then it is that of all threads. */
  heard({ lastSecond, failures, achievedToOffered }: Heard): void {
    this.failures = failures
    this.achievedToOffered = achievedToOffered
    if (!lastSecond || lastSecond.second <= (this.seconds.at(-1)?.second ?? -1)) return
    this.seconds.push(lastSecond)
    if (this.seconds.length > this.#most) this.seconds.shift()
  }

  blocks(blocks: readonly ToldBlock[], thread: number): void {
    const told = this.#told[thread] ?? []
    for (const block of blocks) {
      const known = this.#blocks[block.arm]
      known?.set(block.index, merged(known.get(block.index), block))
      told[block.arm] = block.index + 1
    }
  }

  /** The blocks of an arm that all threads have ended, in their order. */
  ended(arm: number): LiveBlock[] {
    const upTo = Math.min(...this.#told.map((told) => told[arm] ?? 0))
    const blocks = [...(this.#blocks[arm]?.values() ?? [])].filter(({ index }) => index < upTo)
    return blocks.sort((a, b) => a.index - b.index)
  }
}

function merged(known: LiveBlock | undefined, told: ToldBlock): LiveBlock {
  const { index, startedAtUs, endedAtUs, sent, outcomes } = told
  return {
    index,
    startedAtUs: Math.min(startedAtUs, known?.startedAtUs ?? startedAtUs),
    endedAtUs: Math.max(endedAtUs, known?.endedAtUs ?? endedAtUs),
    sent: sent + (known?.sent ?? 0),
    outcomes: addCounts([outcomes, known?.outcomes ?? {}]),
    metrics: added(known?.metrics, told.metrics),
    stamped: Histogram.merge([Histogram.unpack(told.stamped), ...(known ? [known.stamped] : [])]),
    selfReported: added(known?.selfReported, told.selfReported),
    components: {},
  }
}

function added(known: Parts = {}, told: ToldBlock['metrics'] | ToldBlock['selfReported']): Parts {
  const sums: Parts = { ...known }
  for (const [name, packed] of Object.entries(told)) {
    const values = Histogram.unpack(packed)
    const sum = sums[name]
    sums[name] = sum ? Histogram.merge([sum, values], values.digits) : values
  }
  return sums
}
