/**
 * By how much a quantile differs between two runs, with its 95 % interval by blocks, and what that says: `worse` and `better` are told
 * apart from nothing (recorded apart: also from 15 % of drift), `alike` lies within 0.5 ms or 10 %, the rest is `open`. For the
 * rows of a table; the gate asks its own question.
 */
import { DRIFT } from '../stats/gate.ts'
import { Histogram } from '../stats/histogram.ts'
import { pairedDifference } from '../stats/paired.ts'
import { differenceOf, quantileBounds } from '../stats/quantile-interval.ts'
import { blockPairs, gateBlocks, hasValues, type ReadBlock } from './blocks.ts'
import type { Pair } from './pair.ts'

export type RowVerdict = 'worse' | 'better' | 'alike' | 'open'

export interface RowJudgement {
  /** Milliseconds; null is an open end. */
  delta95: [number | null, number | null]
  verdict: RowVerdict
}

const ALIKE_US = 500
const ALIKE_SHARE = 0.1
/** Less than this matters to nobody, however sure it is. */
const SMALL_US = 100
const SMALL_SHARE = 0.01
const TAIL = 0.025

/** Judges any quantile of what `read` gives; undefined where the blocks of a run do not hold it. */
export function rowJudge(pair: Pair, read: ReadBlock): ((quantile: number) => RowJudgement) | undefined {
  const before = gateBlocks(pair.baseline, read)
  const after = gateBlocks(pair.gateway, read)
  if (!hasValues(before) || !hasValues(after)) return undefined
  const [a, b] = [before, after].map((blocks) => blocks.map(({ values }) => values).filter(({ count }) => count > 0))
  const pairs = pair.paired ? blockPairs(pair.baseline, pair.gateway, read) : undefined
  const all = Histogram.merge(a ?? [], a?.[0]?.digits)
  return (quantile) => {
    const { lowerUs, upperUs } = pairs
      ? pairedDifference(
          pairs.map(({ baseline, gateway }) => ({ a: baseline, b: gateway })),
          quantile,
          TAIL,
        )
      : differenceOf(quantileBounds(b ?? [], quantile, TAIL), quantileBounds(a ?? [], quantile, TAIL))
    const baselineUs = all.quantileUs(quantile)
    const marginUs = pairs ? 0 : (DRIFT - 1) * baselineUs
    const alikeUs = Math.max(ALIKE_US, ALIKE_SHARE * baselineUs)
    const small = Math.max(SMALL_US, SMALL_SHARE * baselineUs)
    const verdict =
      lowerUs > -small && upperUs < small
        ? 'alike'
        : lowerUs > marginUs
          ? 'worse'
          : upperUs < -marginUs
            ? 'better'
            : lowerUs > -alikeUs && upperUs < alikeUs
              ? 'alike'
              : 'open'
    return { delta95: [orNull(lowerUs), orNull(upperUs)], verdict }
  }
}

function orNull(us: number): number | null {
  return Number.isFinite(us) ? Math.round(us) / 1_000 : null
}
