/**
 * The blocks of a report as verdicts use them: values beside the number of failed requests; and pairs of blocks of
 * two arms.
 */

import { type EncodedHistogram, readHistogram } from '../report/histogram-text.ts'
import type { Block, OverheadDefinition, Run } from '../report/schema.ts'
import { type BlockMetric, isBlockMetric, isOfTokens, OTHER_BLOCK_METRICS } from '../slo/metrics.ts'
import type { GateBlock } from '../stats/gate-block.ts'
import { Histogram } from '../stats/histogram.ts'

export type ReadBlock = (block: Block) => EncodedHistogram | undefined

/** How to read a metric from a block. An overhead needs its definition, because two definitions are never mixed. */
export function reader(metric: BlockMetric | OverheadDefinition): ReadBlock {
  if (metric === 'latency') return (block) => block.latency
  if (isBlockMetric(metric)) return (block) => block.metrics?.[metric]
  return (block) => block.overhead[metric]
}

const OF_TOKENS = OTHER_BLOCK_METRICS.filter(isOfTokens)

export function gateBlocks({ blocks }: Run, read: ReadBlock): GateBlock[] {
  return blocks.map((block) => gateBlock(block, read))
}

/**
 * Pairs of blocks with the same index, which were measured beside each other. Both must be arms of one run.
 */
export function blockPairs(
  baseline: Run,
  gateway: Run,
  read: ReadBlock,
): { baseline: GateBlock; gateway: GateBlock }[] {
  const others = new Map(baseline.blocks.map((block) => [block.index, block]))
  return gateway.blocks.flatMap((block) => {
    const other = others.get(block.index)
    return other ? [{ baseline: gateBlock(other, read), gateway: gateBlock(block, read) }] : []
  })
}

export function hasValues(blocks: readonly GateBlock[]): boolean {
  return blocks.some((block) => block.values.count > 0)
}

function gateBlock(block: Block, read: ReadBlock): GateBlock {
  const encoded = read(block)
  const values = encoded ? readHistogram(encoded) : new Histogram()
  // A token, or a gap between two, is not a request, and a failed request has none.
  const ofTokens = encoded !== undefined && OF_TOKENS.some((metric) => encoded === block.metrics?.[metric])
  const of = ofTokens ? 'tokens' : encoded === block.latency ? 'latency' : 'answers'
  return toGateBlock(values, { ...block, ...(block.machine ? toWaits(block.machine) : {}) }, of)
}

interface CountedBlock {
  sent: number
  outcomes: Block['outcomes']
  heldUp?: number
  waitUs?: number
}

/** `of`: what a value is of. Every request that ended has a latency; answers and tokens are of some of them. */
export function toGateBlock(
  values: Histogram,
  { sent, outcomes, heldUp = 0, waitUs = 0 }: CountedBlock,
  of: 'latency' | 'answers' | 'tokens',
): GateBlock {
  if (of === 'tokens') {
    return { values, failed: 0, unfinished: 0, heldUp: Math.ceil((values.count * heldUp) / Math.max(1, sent)) }
  }
  const { OK: ok = 0, KT_ABORTED_AT_DEADLINE: unfinished = 0 } = outcomes
  const common = { values, failed: sent - ok - unfinished, unfinished, heldUp, waitUs }
  if (of === 'answers') return common
  // A request that took as long as its deadline has a latency, answered or not. It must be counted only once.
  const inValues = Math.max(0, values.count - ok)
  const unfinishedInValues = Math.min(unfinished, inValues)
  return { ...common, failedInValues: inValues - unfinishedInValues, unfinishedInValues }
}

function toWaits(machine: NonNullable<Block['machine']>): { heldUp: number; waitUs: number } {
  return { heldUp: machine.heldUp, waitUs: waitUs(machine) }
}

/** All that the machine withheld from the threads of kt and of the targets, in microseconds. */
function waitUs({ waitMs, targetsWaitMs, stealMs, throttledMs }: NonNullable<Block['machine']>): number {
  return (waitMs + (targetsWaitMs ?? 0) + (stealMs ?? 0) + (throttledMs ?? 0)) * 1_000
}
