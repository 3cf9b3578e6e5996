/**
 * What two reports are to each other: which question they answer (`overhead`: a gateway against going direct; `regression`: a new
 * gateway against an old one) and whether they were measured in turns. The mode follows from the roles in the reports; where they do
 * not say, the assumption is stated, never made in silence.
 */
import type { BenchReport } from '../report/schema.ts'

export type Mode = 'overhead' | 'regression'

export interface Pair {
  baseline: BenchReport
  gateway: BenchReport
  mode: Mode
  /** Why this mode, in words for the reader. */
  modeWhy: string
  /** The blocks of both were run in turns: differences are taken block by block. */
  paired: boolean
}

export function pairOf(baseline: BenchReport, gateway: BenchReport, asked?: Mode): Pair {
  const [mode, modeWhy] = asked ? [asked, 'as asked'] : modeOf(baseline, gateway)
  return { baseline, gateway, mode, modeWhy, paired: arePaired(baseline, gateway) }
}

/** The same run, given twice: it has nothing to be compared with. */
export function isSameArm(baseline: BenchReport, gateway: BenchReport): boolean {
  return baseline.arms.pairId === gateway.arms.pairId && baseline.arms.primary === gateway.arms.primary
}

function arePaired(baseline: BenchReport, gateway: BenchReport): boolean {
  return baseline.arms.pairId === gateway.arms.pairId && baseline.arms.primary !== gateway.arms.primary
}

function modeOf(baseline: BenchReport, gateway: BenchReport): [Mode, string] {
  const [a, b] = [baseline.target.role, gateway.target.role]
  if (a === 'direct') return ['overhead', 'the baseline was measured directly']
  if (a === 'gateway' && b === 'gateway') return ['regression', 'both were measured through a gateway']
  if (a === 'gateway' && b === 'direct') return ['overhead', 'the files look swapped']
  if (a === 'gateway')
    return ['regression', 'assumed: the baseline was measured through a gateway; --mode says otherwise']
  if (baseline.target.url === gateway.target.url) {
    return ['regression', 'assumed: both files measured the same address; --mode says otherwise']
  }
  return ['overhead', 'assumed: the baseline names no gateway; --mode says otherwise']
}
