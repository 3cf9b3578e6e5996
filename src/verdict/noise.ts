/**
 * The rig's own noise floor, printed with every verdict: what two arms that are the same thing differ by at P99, by pairs of blocks. From
 * an A/A run (`--aa`) where there is one, else from the blocks of the run itself: each beside the next one of the same arm.
 */

import { UserError } from '../errors.ts'
import { intervalMs } from '../report/distribution.ts'
import { readReport } from '../report/read.ts'
import type { BenchReport } from '../report/schema.ts'
import { splitReport } from '../report/write.ts'
import { QUANTILE } from '../stats/gate.ts'
import { type BlockPair, pairedDifference } from '../stats/paired.ts'
import { blockPairs, gateBlocks, type ReadBlock, reader } from './blocks.ts'
import { readingOf } from './judge.ts'

export type Noise = NonNullable<BenchReport['noise']>

/** `source` aa: both arms of the report are the same address. Undefined where the blocks bound nothing. */
export function noiseOf(report: BenchReport, source: Noise['source']): Noise | undefined {
  const pairsOf = source === 'aa' ? betweenArms : withinArm
  const latency = pairsOf(report, reader('latency'))
  const latencyMs = intervalOf(latency)
  const stamped = readingOf(report, 'provider-stamped')
  const overheadMs = stamped && intervalOf(pairsOf(report, reader('provider-stamped')))
  if (!latencyMs && !overheadMs) return undefined
  return { source, pairs: latency.length, ...(latencyMs ? { latencyMs } : {}), ...(overheadMs ? { overheadMs } : {}) }
}

function betweenArms(report: BenchReport, read: ReadBlock): BlockPair[] {
  const arms = splitReport(report)
  if (!arms) return []
  return blockPairs(arms.baseline, arms.gateway, read).map(({ baseline, gateway }) => ({ a: baseline, b: gateway }))
}

/** Every second pair the other way round, so that a steady drift is no difference. */
function withinArm(report: BenchReport, read: ReadBlock): BlockPair[] {
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

/** `--noise aa.json`: the noise floor of the rig as an earlier A/A run measured it, to be printed with another run's verdict. */

export function readNoise(path: string): Noise {
  const { noise } = readReport(path)
  if (noise?.source === 'aa') return noise
  throw new UserError(
    `--noise ${path}: this is no A/A run that tells its noise`,
    'Measure one on this rig: kt bench --aa --output aa.json',
  )
}
