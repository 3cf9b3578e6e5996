/**
 * The verdict where no request carries its own overhead: P99(gateway) - P99(baseline) against the budget, from the
 * blocks of two runs recorded separately. This is not the P99 of the overhead, and two runs do not meet the same
 * state of the machine, so a FAIL must also exceed a drift of 15 % of the baseline's P99. Intervals:
 * quantile-interval.ts.
 */
import { formatMs, formatNumber, formatShare } from '../units.ts'
import { firstWhere } from './bisect.ts'
import { ALPHA_FAIL, ALPHA_PASS, type ClientState, DRIFT, type GateResult, QUANTILE, quantileName } from './gate.ts'
import { type GateBlock, waitPerRequestUs } from './gate-block.ts'
import type { Histogram } from './histogram.ts'
import { differenceOf, observationsNeeded, quantileBounds } from './quantile-interval.ts'
import { MIN_BLOCKS } from './share-interval.ts'

const MOST_FAILED = 0.01
/** Advice to measure more than this many times as much is not given. */
const MOST_TIMES = 10_000

interface DifferenceInput {
  limitUs: number
  /** 0.99 by default. */
  quantile?: number
  alphaFail?: number
  baseline: readonly GateBlock[]
  gateway: readonly GateBlock[]
  client: ClientState
}

export function judgeDifference(input: DifferenceInput): GateResult {
  const { limitUs, baseline, gateway, client, quantile = QUANTILE, alphaFail = ALPHA_FAIL } = input
  const direct = answered(baseline)
  const through = answered(gateway)
  if (countOf(direct) === 0 || countOf(through) === 0) {
    return { verdict: 'inconclusive', why: 'a run without an answered request', p99Us: null, ci95Us: null }
  }
  const bounds = (alpha: number, times = 1) =>
    differenceOf(quantileBounds(through, quantile, alpha, times), quantileBounds(direct, quantile, alpha, times))
  const baselineUs = quantileBounds(direct, quantile, ALPHA_PASS).valueUs
  const failAboveUs = limitUs * DRIFT + baselineUs * (DRIFT - 1)
  const ci95 = bounds(0.025)
  const reading = { p99Us: ci95.valueUs, ci95Us: [ci95.lowerUs, ci95.upperUs] as [number, number] }
  const inconclusive = (why: string, needed?: number): GateResult => ({
    verdict: 'inconclusive',
    why,
    ...reading,
    ...(needed === undefined ? {} : { requestsNeeded: needed }),
  })

  if (client !== 'ok') return inconclusive(`the client was ${client}: two runs cannot be compared then`)
  const failed = Math.max(failedShare(baseline), failedShare(gateway))
  if (failed > MOST_FAILED) return inconclusive(`too many failed requests: ${formatShare(failed)}`)

  const passes = (times: number): boolean => bounds(ALPHA_PASS, times).upperUs < limitUs
  const fails = (times: number): boolean => bounds(alphaFail, times).lowerUs >= failAboveUs
  const fewest = Math.min(countOf(direct), countOf(through))
  const blocks = Math.min(direct.length, through.length)
  const least = observationsNeeded(quantile)
  const needed = (): number | undefined => {
    const times = firstWhere(1, MOST_TIMES + 1, (candidate) => {
      if (fewest * candidate < least || blocks * candidate < MIN_BLOCKS) return false
      return passes(candidate) || fails(candidate)
    })
    return times > MOST_TIMES ? undefined : fewest * times
  }
  if (fewest >= least && blocks >= MIN_BLOCKS && passes(1)) {
    return { verdict: 'pass', why: `upper bound ${formatMs(bounds(ALPHA_PASS).upperUs / 1_000)} ms`, ...reading }
  }
  const lowerUs = bounds(alphaFail).lowerUs
  const lower = `lower bound ${formatMs(lowerUs / 1_000)} ms`
  if (lowerUs >= failAboveUs) {
    const starved = [...baseline, ...gateway].filter(({ heldUp = 0 }) => heldUp > 0).length
    const shiftUs = medianShiftUs(direct, through, alphaFail)
    if (starved > 0 && shiftUs < failAboveUs + waitPerRequestUs(gateway)) {
      return inconclusive(
        `${lower}; but the machine was short of CPU in ${starved} blocks: run both with nothing else beside them`,
      )
    }
    return { verdict: 'fail', why: lower, ...reading }
  }
  if (fewest < least) {
    return inconclusive(
      `too few requests for a ${quantileName(quantile)}: ${formatNumber(fewest)} of at least ${least} a file`,
      needed() ?? least,
    )
  }
  if (blocks < MIN_BLOCKS) return inconclusive(`too few blocks: ${blocks} of at least ${MIN_BLOCKS}`, needed())
  if (lowerUs >= limitUs) {
    return inconclusive(
      `${lower}; but under ${formatMs(failAboveUs / 1_000)} ms, by which two separate runs may drift`,
      needed(),
    )
  }
  return inconclusive(
    `between ${formatMs(lowerUs / 1_000)} and ${formatMs(bounds(ALPHA_PASS).upperUs / 1_000)} ms`,
    needed(),
  )
}

/** By how much the median rose, at least. */
function medianShiftUs(direct: readonly Histogram[], through: readonly Histogram[], alpha: number): number {
  return differenceOf(quantileBounds(through, 0.5, alpha), quantileBounds(direct, 0.5, alpha)).lowerUs
}

function answered(side: readonly GateBlock[]): Histogram[] {
  return side.map((block) => block.values).filter((values) => values.count > 0)
}

function countOf(parts: readonly Histogram[]): number {
  return parts.reduce((total, values) => total + values.count, 0)
}

function failedShare(blocks: readonly GateBlock[]): number {
  const failed = blocks.reduce((total, block) => total + block.failed + block.unfinished, 0)
  return failed / Math.max(1, failed + countOf(blocks.map((block) => block.values)))
}
