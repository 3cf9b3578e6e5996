/**
 * The verdict for two arms measured alternately: PASS when b is proven within the limit over a (alpha 0.0125, one
 * analysis of four), FAIL when it is proven at or over the limit (alpha 0.001). There is no margin for drift, because
 * both blocks of a pair meet the same machine.
 */
import { formatMs, formatNumber, formatShare } from '../units.ts'
import { ALPHA_FAIL, ALPHA_PASS, type ClientState, type GateResult, type More, QUANTILE, quantileName } from './gate.ts'
import { type GateBlock, waitPerRequestUs } from './gate-block.ts'
import { Histogram } from './histogram.ts'
import { mean } from './means.ts'
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
import { estimateShare, MIN_BLOCKS, shareBounds } from './share-interval.ts'

const MOST_FAILED = 0.01
const MOST_PAIRS = 10_000

interface PairedInput {
  /** Block i of one arm was measured beside block i of the other. */
  pairs: readonly { baseline: GateBlock; gateway: GateBlock }[]
  limit: Shift
  client: ClientState
  quantile?: number
  alphaFail?: number
  /** Of a run that goes on: how many pairs it may have (gate.ts). */
  mostBlocks?: number
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
  const { pairs: given, limit, client, quantile = QUANTILE, alphaFail = ALPHA_FAIL, mostBlocks = 0 } = input
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
  const inconclusive = (why: string, more: More = {}): GateResult => ({
    verdict: 'inconclusive',
    why,
    ...reading,
    ...more,
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
  const needed = (): More => {
    // More pairs would find it over the limit, which a noisy machine cannot carry.
    if (client === 'noisy' && mean(differences) > 0) return {}
    const count = pairsNeeded(differences, ALPHA_PASS, alphaFail, MOST_PAIRS)
    if (count === undefined) return {}
    const blocks = Math.max(count, Math.ceil(least / perPair))
    return {
      requestsNeeded: Math.ceil(Math.max(count * perPair, least)),
      ...(blocks <= mostBlocks ? { later: { blocks, verdict: mean(differences) < 0 ? 'pass' : 'fail' } } : {}),
    }
  }
  if (pairs.length < MIN_BLOCKS) {
    if (allBeyond(pairs, limit, quantile, alphaFail)) {
      return { verdict: 'fail', why: 'slower than the slowest direct request and the limit together', ...reading }
    }
    return inconclusive(`too few pairs of blocks: ${pairs.length} of at least ${MIN_BLOCKS}`, needed())
  }
  const decided = decidePaired(all, limit, quantile, alphaFail)
  const blocks = `${pairs.length} pairs of blocks`
  if (decided.verdict === 'fail') {
    const why = `over the limit, p ${pText(decided.worseP)}`
    // Of a machine that withholds a core now and then, half of the requests see nothing.
    const waitUs = waitPerRequestUs(pairs.map(({ gateway }) => gateway))
    const shifted = worseThanP(all, 0.5, (us) => limit(us) + waitUs) <= alphaFail
    if (client === 'noisy' && !shifted) return inconclusive(`${why}; but the machine was noisy`)
    const spared = all.filter((_, index) => pairs[index] && !isStarved(pairs[index], quantile))
    if (!shifted && !provenBy(spared, limit, quantile, alphaFail)) {
      return inconclusive(
        `${why}; but the machine was short of CPU in ${all.length - spared.length} of ${blocks}, and the others do ` +
          'not prove it: run it with nothing else beside it, or on more cores',
      )
    }
    return { verdict: 'fail', why: `${why}, ${blocks}`, ...reading }
  }
  if (fewest < least) {
    const why = `too few requests for a ${quantileName(quantile)}: ${formatNumber(fewest)} of at least ${least} an arm`
    return inconclusive(why, { requestsNeeded: least, ...needed() })
  }
  switch (decided.verdict) {
    case 'pass':
      return { verdict: 'pass', why: `within the limit, p ${pText(decided.withinP)}, ${blocks}`, ...reading }
    case 'inconclusive': {
      const between = `between ${formatMs(lowerUs / 1_000)} and ${formatMs(upperUs / 1_000)} ms at 95 %, ${blocks}`
      return inconclusive(between, needed())
    }
    default:
      return decided.verdict satisfies never
  }
}

/** Whether the machine may have held up more requests of a pair than the quantile allows to be slow. */
function isStarved({ baseline, gateway }: { baseline: GateBlock; gateway: GateBlock }, quantile: number): boolean {
  return [baseline, gateway].some(({ heldUp = 0, values }) => heldUp > (1 - quantile) * values.count)
}

function provenBy(pairs: readonly BlockPair[], limit: Shift, quantile: number, alphaFail: number): boolean {
  return pairs.length >= MIN_BLOCKS && decidePaired(pairs, limit, quantile, alphaFail).verdict === 'fail'
}

/** With a few pairs: so many requests took longer than the limit allows the slowest direct one that it is proven. */
function allBeyond(
  pairs: readonly { baseline: GateBlock; gateway: GateBlock }[],
  limit: Shift,
  quantile: number,
  alphaFail: number,
): boolean {
  const slowestUs = Math.max(...pairs.map(({ baseline }) => baseline.values.maxUs))
  const shares = pairs.map(({ gateway: { values, heldUp = 0 } }) => ({
    n: values.count,
    over: Math.max(0, values.countAbove(limit(slowestUs)) - heldUp),
  }))
  return shareBounds(estimateShare(shares), alphaFail).lower >= 1 - quantile
}

function pText(p: number): string {
  return p < 0.0001 ? '< 0.0001' : p.toFixed(4)
}

function failedShare(blocks: readonly GateBlock[]): number {
  const failed = blocks.reduce((total, block) => total + block.failed + block.unfinished, 0)
  const answered = blocks.reduce((total, block) => total + block.values.count, 0)
  return failed / Math.max(1, failed + answered)
}
