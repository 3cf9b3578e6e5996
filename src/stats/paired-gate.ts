/**
 * The verdict for two arms measured alternately: PASS when b is proven within the limit over a (alpha 0.0125, one
 * analysis of four), FAIL when it is proven at or over the limit (alpha 0.001). There is no margin for drift, because
 * both blocks of a pair meet the same machine.
 */
import { formatMs, formatNumber, formatShare } from '../units.ts'
import { ALPHA_FAIL, ALPHA_PASS, type GateBlock, type GateResult, QUANTILE, quantileName } from './gate.ts'
import { Histogram } from './histogram.ts'
import {
  type BlockPair,
  pairedDifference,
  pairsNeeded,
  type Shift,
  shareDifferences,
  withinP,
  worseThanP,
} from './paired.ts'
import { observationsNeeded } from './quantile-interval.ts'
import { MIN_BLOCKS } from './share-interval.ts'

const MOST_FAILED = 0.01
const MOST_PAIRS = 10_000

interface PairedInput {
  /** Block i of one arm was measured beside block i of the other. */
  pairs: readonly { baseline: GateBlock; gateway: GateBlock }[]
  limit: Shift
  client: 'ok' | 'saturated' | 'noisy'
  quantile?: number
  alphaFail?: number
}

/** The verdict of the pairs alone, with the P of both tests: the core of the gate. */
export function decidePaired(
  pairs: readonly BlockPair[],
  limit: Shift,
  quantile = QUANTILE,
  alphaFail = ALPHA_FAIL,
): { verdict: GateResult['verdict']; withinP: number; worseP: number } {
  const within = withinP(pairs, quantile, limit)
  const worse = worseThanP(pairs, quantile, limit)
  const verdict = within <= ALPHA_PASS ? 'pass' : worse <= alphaFail ? 'fail' : 'inconclusive'
  return { verdict, withinP: within, worseP: worse }
}

export function judgePaired(input: PairedInput): GateResult {
  const { pairs: given, limit, client, quantile = QUANTILE, alphaFail = ALPHA_FAIL } = input
  const pairs = given.filter(({ baseline, gateway }) => baseline.values.count > 0 && gateway.values.count > 0)
  if (pairs.length === 0) {
    return { verdict: 'inconclusive', why: 'no pair of blocks with answers on both sides', p99Us: null, ci95Us: null }
  }
  const direct = Histogram.merge(
    pairs.map((pair) => pair.baseline.values),
    4,
  )
  const through = Histogram.merge(
    pairs.map((pair) => pair.gateway.values),
    4,
  )
  const all = pairs.map(({ baseline, gateway }): BlockPair => ({ a: baseline, b: gateway }))
  const p99Us = through.quantileUs(quantile) - direct.quantileUs(quantile)
  const { lowerUs, upperUs } = pairedDifference(all, quantile, 0.025)
  const reading = { p99Us, ci95Us: [lowerUs, upperUs] as [number, number] }
  const inconclusive = (why: string, needed?: number): GateResult => ({
    verdict: 'inconclusive',
    why,
    ...reading,
    ...(needed === undefined ? {} : { requestsNeeded: needed }),
  })

  if (client === 'saturated') return inconclusive('the client was saturated: its own delays are in the readings')
  const failed = Math.max(
    failedShare(given.map((pair) => pair.baseline)),
    failedShare(given.map((pair) => pair.gateway)),
  )
  if (failed > MOST_FAILED) return inconclusive(`too many failed requests: ${formatShare(failed)}`)
  const differences = shareDifferences(all, quantile, limit)
  const fewest = Math.min(direct.count, through.count)
  const perPair = fewest / pairs.length
  const least = observationsNeeded(quantile)
  const needed = (): number | undefined => {
    const count = pairsNeeded(differences, ALPHA_PASS, alphaFail, MOST_PAIRS)
    return count === undefined ? undefined : Math.ceil(Math.max(count * perPair, least))
  }
  if (fewest < least) {
    const why = `too few requests for a ${quantileName(quantile)}: ${formatNumber(fewest)} of at least ${least} an arm`
    return inconclusive(why, needed())
  }
  if (pairs.length < MIN_BLOCKS) {
    return inconclusive(`too few pairs of blocks: ${pairs.length} of at least ${MIN_BLOCKS}`, needed())
  }
  const decided = decidePaired(all, limit, quantile, alphaFail)
  const blocks = `${pairs.length} pairs of blocks`
  switch (decided.verdict) {
    case 'pass':
      return { verdict: 'pass', why: `within the limit, p ${pText(decided.withinP)}, ${blocks}`, ...reading }
    case 'fail': {
      const why = `over the limit, p ${pText(decided.worseP)}`
      if (client === 'noisy') return inconclusive(`${why}; but the machine was noisy`)
      return { verdict: 'fail', why: `${why}, ${blocks}`, ...reading }
    }
    case 'inconclusive': {
      const between = `between ${formatMs(lowerUs / 1_000)} and ${formatMs(upperUs / 1_000)} ms at 95 %, ${blocks}`
      return inconclusive(between, needed())
    }
    default:
      return decided.verdict satisfies never
  }
}

function pText(p: number): string {
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4)
}

function failedShare(blocks: readonly GateBlock[]): number {
  const failed = blocks.reduce((total, block) => total + block.failed + block.unfinished, 0)
  const answered = blocks.reduce((total, block) => total + block.values.count, 0)
  return failed / Math.max(1, failed + answered)
}
