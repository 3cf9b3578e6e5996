/** The rig's own noise floor: what two arms that are the same thing differ by (A/A). Every verdict of the run prints it. */
import { QUANTILE } from '../stats/gate.ts'
import { pairedDifference } from '../stats/paired.ts'
import { blockPairs, reader } from './blocks.ts'
import { intervalMs } from './distribution.ts'
import type { BenchReport } from './schema.ts'
import { splitReport } from './split.ts'

/** From a report whose two arms measured the same address in turns; undefined where the blocks bound nothing. */
export function noiseOf(report: BenchReport): BenchReport['noise'] {
  const arms = splitReport(report)
  if (!arms) return undefined
  const pairs = blockPairs(arms.baseline, arms.gateway, reader('latency')).map((pair) => ({
    a: pair.baseline,
    b: pair.gateway,
  }))
  const { lowerUs, upperUs } = pairedDifference(pairs, QUANTILE, 0.025)
  if (!Number.isFinite(lowerUs) || !Number.isFinite(upperUs)) return undefined
  return { p99DifferenceMs: intervalMs([lowerUs, upperUs]), pairs: pairs.length }
}
