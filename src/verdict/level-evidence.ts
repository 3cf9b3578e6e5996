/**
 * What the runs of one level of load say of a threshold: how many requests are over the limit, by block, and the figure
 * itself with its interval. Runs of the same level are laid together.
 */
import { intervalMs, toMs } from '../report/duration-summary.ts'
import type { Block, Run } from '../report/schema.ts'
import type { Threshold } from '../slo/threshold.ts'
import { exceedances, type GateBlock } from '../stats/gate-block.ts'
import { quantileBounds } from '../stats/quantile-interval.ts'
import { type BlockShare, estimateShare, shareBounds } from '../stats/share-interval.ts'
import { gateBlocks, hasValues, type ReadBlock, reader } from './blocks.ts'
import { bestReading } from './judge-overhead.ts'

/** Those that a run keeps or breaks by its requests. */
export type SearchedThreshold = Extract<Threshold, { kind: 'quantile' | 'component' }> | ShareThreshold
type ShareThreshold = Extract<Threshold, { kind: 'figure' }> & { of: 'errors.rate' | 'goodput' }

export interface LevelRun {
  run: Run
  /** Blocks at its beginning that are excluded, because the level had not come to rest. */
  skip: number
  /** Requests that missed a target of their category, by block; undefined without categories. */
  misses: readonly BlockShare[] | undefined
}

export interface LevelEvidence {
  blocks: BlockShare[]
  /** The share of requests that may be over the limit. */
  allowed: number
  /** Milliseconds, or a share. */
  value: number | null
  ci95: [number, number | null] | null
}

/** Undefined where no request tells it. */
export function levelEvidence(runs: readonly LevelRun[], threshold: SearchedThreshold): LevelEvidence | undefined {
  if (threshold.kind === 'figure') return shareEvidence(runs, threshold)
  const { quantile, limitUs } = threshold
  const blocks = runs.flatMap(({ run, skip }) => {
    const read = readerOf(run, threshold)
    return read ? gateBlocks({ ...run, blocks: run.blocks.slice(skip) }, read) : []
  })
  if (!hasValues(blocks)) return undefined
  return {
    blocks: exceedances(blocks, limitUs, 'pass'),
    allowed: Number((1 - quantile).toFixed(9)),
    ...quantileOf(blocks, quantile),
  }
}

function readerOf(run: Run, { kind, of }: Exclude<SearchedThreshold, ShareThreshold>): ReadBlock | undefined {
  if (kind === 'component') return (block: Block) => block.components?.[of]
  if (of !== 'overhead') return reader(of)
  const reading = bestReading(run)
  return reading && reader(reading.definition)
}

function quantileOf(blocks: readonly GateBlock[], quantile: number): Pick<LevelEvidence, 'value' | 'ci95'> {
  const values = blocks.map((block) => block.values).filter(({ count }) => count > 0)
  const { valueUs, lowerUs, upperUs } = quantileBounds(values, quantile, 0.025)
  return { value: toMs(valueUs), ci95: intervalMs([lowerUs, upperUs]) }
}

function shareEvidence(runs: readonly LevelRun[], { of, limit }: ShareThreshold): LevelEvidence | undefined {
  const good = of === 'goodput'
  const blocks = runs.flatMap(({ run, skip, misses }) => {
    return (good ? (misses ?? []) : failures(run)).slice(skip)
  })
  const estimate = estimateShare(blocks)
  if (estimate.n === 0) return undefined
  const { lower, upper } = shareBounds(estimate, 0.025)
  return {
    blocks,
    allowed: good ? Number((1 - limit).toFixed(9)) : limit,
    value: good ? 1 - estimate.share : estimate.share,
    ci95: good ? [1 - upper, 1 - lower] : [lower, upper],
  }
}

function failures({ blocks }: Run): BlockShare[] {
  return blocks.map(({ sent, outcomes }) => ({ n: sent, over: sent - (outcomes.OK ?? 0) }))
}
