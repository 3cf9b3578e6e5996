/**
 * The noise of the rig, printed with every verdict: by how much two identical arms differ at P99, by pairs of blocks.
 * It comes from an A/A run (`--aa`) where there is one, otherwise from the blocks of the run itself, each compared
 * with the next one of the same arm.
 */

import { UserError } from '../errors.ts'
import { intervalMs } from '../report/duration-summary.ts'
import { readRun } from '../report/read.ts'
import { armsApart } from '../report/runs.ts'
import type { Run } from '../report/schema.ts'
import { QUANTILE } from '../stats/gate.ts'
import { type BlockPair, pairedDifference } from '../stats/paired.ts'
import { blockPairs, gateBlocks, type ReadBlock, reader } from './blocks.ts'
import { findReading } from './judge-overhead.ts'

export type Noise = NonNullable<Run['noise']>

/** With the source `aa` both arms of the report are the same address. Undefined where the blocks give no interval. */
export function estimateNoise(report: Run, source: Noise['source']): Noise | undefined {
  const pairsOf = source === 'aa' ? betweenArms : withinArm
  const latency = pairsOf(report, reader('latency'))
  const latencyMs = intervalOf(latency)
  const stamped = findReading(report, 'provider-stamped')
  const overheadMs = stamped && intervalOf(pairsOf(report, reader('provider-stamped')))
  if (!latencyMs && !overheadMs) return undefined
  return { source, pairs: latency.length, ...(latencyMs ? { latencyMs } : {}), ...(overheadMs ? { overheadMs } : {}) }
}

function betweenArms(report: Run, read: ReadBlock): BlockPair[] {
  const arms = armsApart(report)
  if (!arms) return []
  return blockPairs(arms.baseline, arms.gateway, read).map(({ baseline, gateway }) => ({ a: baseline, b: gateway }))
}

/** Every second pair is reversed, so that a steady drift cancels. */
function withinArm(report: Run, read: ReadBlock): BlockPair[] {
  const blocks = gateBlocks(report, read)
  return blocks.flatMap((b, index) => {
    const a = index % 2 === 1 ? blocks[index - 1] : undefined
    if (!a) return []
    return [index % 4 === 1 ? { a, b } : { a: b, b: a }]
  })
}

function intervalOf(pairs: readonly BlockPair[]): [number, number | null] | undefined {
  const { lowerUs, upperUs } = pairedDifference(pairs, QUANTILE, 0.025)
  return Number.isFinite(lowerUs) && Number.isFinite(upperUs) ? intervalMs([lowerUs, upperUs]) : undefined
}

/** Reads `--noise aa.json`: the noise that an earlier A/A run measured, to print with the verdict of another run. */
export function readNoise(path: string): Noise {
  const { noise } = readRun(path)
  if (noise?.source === 'aa') return noise
  throw new UserError(
    `--noise ${path}: this is not the report of an A/A run with its noise`,
    'Measure one on this rig: kt bench --aa --output aa.json',
  )
}
