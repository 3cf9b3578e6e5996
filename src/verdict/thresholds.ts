/**
 * Parses thresholds and the limit of --max-regression, and judges thresholds over one run or two. A metric without
 * samples is inconclusive, never a pass; a threshold that needs two runs says so when there is one. Durations are
 * judged by blocks, like the budget; shares and rates by src/stats/figure-gate.ts.
 */

import { failure, type Result, success } from '../errors.ts'
import { didYouMean } from '../parse/near.ts'
import { parsedBy } from '../parse/quantity.ts'
import type { Check, Run } from '../report/schema.ts'
import { ABORT_METRICS, type AbortRule, parseAbortRule } from '../slo/abort-rule.ts'
import { isMetric, isStreamOnly, KNOWN_METRICS, METRICS, METRICS_IN_WORDS } from '../slo/metrics.ts'
import { parseThreshold, type Threshold, type ThresholdFailure } from '../slo/threshold.ts'
import { type FigureResult, judgeRate, judgeShare } from '../stats/figure-gate.ts'
import { judgeBudget } from '../stats/gate.ts'
import type { BlockShare } from '../stats/share-interval.ts'
import { parseDurationMs } from '../units.ts'
import { gateBlocks, hasValues, reader } from './blocks.ts'
import { durationCheck, type Judge, undecidedCheck } from './checks.ts'
import { componentJudge } from './components.ts'
import { judgeDelta, sharedSource } from './delta.ts'
import { notAcrossEndpoints } from './endpoints.ts'
import { FIGURE_READINGS } from './figures.ts'
import { overheadJudge } from './judge-overhead.ts'
import type { Pair } from './pair.ts'

export interface ThresholdContext {
  gateway: Run
  /** The pair of runs, where there is a baseline. */
  pair?: Pair
  /** The reason why no verdict may rest on both runs. */
  incomparable?: string
  /** Judge even what is not the same quantity in both. */
  allowDifferent?: boolean
  /** Requests that missed a target, by block; absent where no SLO was named. */
  misses?: readonly BlockShare[]
}

export function thresholdJudge(threshold: Threshold, context: ThresholdContext): Judge {
  switch (threshold.kind) {
    case 'quantile':
      return quantileJudge(threshold, context)
    case 'delta':
      return deltaJudge(threshold, { ms: threshold.limitUs / 1_000, share: 0 }, context)
    case 'ratio':
      return deltaJudge(threshold, { ms: 0, share: threshold.limitShare }, context)
    case 'component':
      return partJudge(threshold, context)
    case 'figure':
      return figureJudge(threshold, context)
    default:
      return threshold satisfies never
  }
}

type Of<K extends Threshold['kind']> = Extract<Threshold, { kind: K }>

function quantileJudge(threshold: Of<'quantile'>, { gateway, pair, incomparable }: ThresholdContext): Judge {
  const { metric, op, of, quantile, limitUs } = threshold
  const limitMs = limitUs / 1_000
  const undecided =
    (why: string): Judge =>
    () =>
      undecidedCheck(metric, op, limitMs, why)
  if (of === 'overhead') {
    // A difference to another run is an overhead only where that run may be compared and went directly.
    const direct = pair?.mode === 'overhead' && incomparable === undefined ? pair : undefined
    const question = { limitMs, quantile, op, metric, paired: direct?.paired === true }
    const found = overheadJudge(gateway, direct?.baseline, question)
    return found?.judge ?? undecided(`no samples: no request carries a reading of the overhead`)
  }
  const blocks = gateBlocks(gateway, reader(of))
  if (!hasValues(blocks)) return undecided(noSamples(of, gateway))
  const read = blocks.reduce((total, block) => total + block.values.count, 0)
  // Neither a latency, which failed requests have too, nor a gap between tokens stands for one answer.
  const { sampleOf } = METRICS[of]
  const anAnswerEach = sampleOf === 'answered' || sampleOf === 'stream' || sampleOf === 'first token'
  const unread = anAnswerEach ? Math.max(0, gateway.totals.successful - read) : 0
  return (alphaFail) => {
    const result = judgeBudget({ limitUs, quantile, alphaFail, blocks, client: gateway.client.verdict, unread })
    return durationCheck(metric, op, limitMs, result)
  }
}

function partJudge({ metric, op, of, quantile, limitUs }: Of<'component'>, { gateway }: ThresholdContext): Judge {
  const limitMs = limitUs / 1_000
  const why = `no samples: the gateway does not report its ${of.replaceAll('_', ' ')}`
  const judge = componentJudge(gateway, { name: of, metric, op, quantile, limitMs })
  return judge ?? (() => undecidedCheck(metric, op, limitMs, why))
}

function deltaJudge(
  threshold: Of<'delta' | 'ratio'>,
  allowance: { ms: number; share: number },
  { gateway, pair, incomparable, allowDifferent = false }: ThresholdContext,
): Judge {
  const { metric, op, of, quantile } = threshold
  const undecided =
    (why: string): Judge =>
    () =>
      undecidedCheck(metric, op, allowance.ms, why)
  if (!pair) return undecided('no samples: the threshold needs a baseline')
  if (incomparable !== undefined) return undecided(incomparable)
  const apart = allowDifferent ? undefined : notAcrossEndpoints(pair, of)
  if (apart !== undefined) return undecided(apart)
  const source = sharedSource(pair, of)
  if (!source) return undecided(noSamples(of, gateway, 'both runs'))
  return (alphaFail) => {
    const { result, limitMs } = judgeDelta(pair, source, quantile, allowance, alphaFail)
    const named = metric.startsWith('delta.') ? metric : `delta.${metric}`
    return durationCheck(named, op, limitMs, result)
  }
}

function figureJudge({ metric, op, of, limit }: Of<'figure'>, { gateway, misses }: ThresholdContext): Judge {
  const check = (result: FigureResult): Check => ({ metric, op, limit, ...result })
  if (of === 'goodput') {
    if (!misses) {
      const dead = gateway.totals.successful === 0
      const why = dead
        ? 'every request failed'
        : 'goodput needs the targets of an SLO category (--slo), and samples of each'
      return () => undecidedCheck(metric, op, limit, `no samples: ${why}`)
    }
    return (alphaFail) => check(toGoodShare(judgeShare(misses, 1 - limit, alphaFail)))
  }
  if (gateway.totals.sent === 0) return () => undecidedCheck(metric, op, limit, 'no samples: nothing was sent')
  if (of === 'errors.rate') {
    const blocks = gateway.blocks.map(({ sent, outcomes }) => ({ n: sent, over: sent - (outcomes.OK ?? 0) }))
    return (alphaFail) => check(judgeShare(blocks, limit, alphaFail))
  }
  if (of === 'answers.changed') {
    const blocks = (gateway.agreement?.blocks ?? []).map(({ compared, changed }) => ({ n: compared, over: changed }))
    if (blocks.length === 0) return () => undecidedCheck(metric, op, limit, `no samples: ${whyNotCompared(gateway)}`)
    return (alphaFail) => check(judgeShare(blocks, limit, alphaFail))
  }
  of satisfies 'throughput.rps' | 'throughput.tokens'
  const { requestsPerSec } = gateway.throughput
  const rate = FIGURE_READINGS[of](gateway)
  if (rate === null) return () => undecidedCheck(metric, op, limit, 'no samples: no answer reported its tokens')
  if (gateway.client.verdict === 'saturated') {
    return () => undecidedCheck(metric, op, limit, 'the client was saturated: the rate is its own')
  }
  const scale = requestsPerSec > 0 ? rate / requestsPerSec : 0
  const rates = blockRates(gateway).map((perSec) => perSec * scale)
  return (alphaFail) => check(atLeast(judgeRate(rate, rates, limit, alphaFail), gateway))
}

/** A rate that the client limited is the least that the target carries: that it misses its limit proves nothing. */
function atLeast(result: FigureResult, { client }: Run): FigureResult {
  if (client.throughputLimit?.by !== 'client' || result.verdict !== 'fail') return result
  return { ...result, verdict: 'inconclusive', why: `${result.why}; but kt was the limit, not the target` }
}

function whyNotCompared({ agreement }: Run): string {
  if (agreement?.why === 'not-repeated') return 'the other arm does not repeat itself'
  return agreement ? 'the other arm was not asked again' : 'answers are compared between two arms (--baseline-url)'
}

/** The same result for the share of good requests. */
function toGoodShare(bad: FigureResult): FigureResult {
  const { value, ci95 } = bad
  return { ...bad, value: value === null ? null : 1 - value, ci95: ci95 && [1 - ci95[1], 1 - ci95[0]] }
}

/**
 * Answers per second of each block. The blocks of a paired run have no duration of their own, because the other arm
 * ran between them.
 */
export function blockRates(report: Run): number[] {
  if (report.pairing) return []
  const { blocks, totals } = report
  const { durationS, dueS, loadS = durationS } = totals
  const lastS = blocks.at(-1)?.startedAtS ?? 0
  // Open loop: the drain is no part of the last block, which is as long as the others where they began late.
  const overS = dueS === undefined ? durationS : Math.max(dueS, lastS + lastS / Math.max(1, blocks.length - 1))
  // Answers that fell behind came more slowly than the requests of their blocks were due.
  const came = Math.min(1, overS / loadS)
  return blocks.flatMap(({ startedAtS, outcomes }, index) => {
    const endS = blocks[index + 1]?.startedAtS ?? overS
    return endS > startedAtS ? [(came * (outcomes.OK ?? 0)) / (endS - startedAtS)] : []
  })
}

function noSamples(metric: string, { target, totals }: Run, where = 'this run'): string {
  if (totals.successful === 0) return 'no samples: every request failed'
  const streamOnly = !target.stream && isMetric(metric) && isStreamOnly(metric)
  return `no samples of ${metric} in ${where}${streamOnly ? ': it needs --stream' : ''}`
}

const FORM = "Write metric, < or >, limit: 'overhead.p99<7ms', 'errors.rate<0.1%'."

/** A threshold as flags give it. */
export const threshold = parsedBy(
  (text): Result<Threshold> => explained(text, parseThreshold(text), FORM, METRICS_IN_WORDS),
  "a threshold such as 'overhead.p99<7ms'",
)

const ABORT_FORM = "Write metric, >, limit: 'errors.rate>20%', 'latency.p50>30s'."

/** A condition of --abort-on. */
export const abortRule = parsedBy(
  (text): Result<AbortRule> => explained(text, parseAbortRule(text), ABORT_FORM, ABORT_METRICS),
  "a condition such as 'errors.rate>20%'",
)

function explained<T>(
  text: string,
  parsed: Result<T, ThresholdFailure>,
  form: string,
  metrics: readonly string[],
): Result<T> {
  if (parsed.ok) return parsed
  const { why, unknown } = parsed
  if (unknown === undefined) return failure(`'${text}': ${why}`, form)
  const near = didYouMean(unknown, KNOWN_METRICS)
  return failure(
    `'${text}': ${why}${near ? ` (did you mean '${near}'?)` : ''}`,
    `Metrics there are:\n  ${metrics.join('\n  ')}`,
  )
}

/** How much worse than the old gateway the new one may be; the larger of both holds. */
export interface RegressionLimit {
  ms: number
  share: number
}

/** '10%', '0.5ms' or both, '0.5ms,10%'. */
export const maxRegression = parsedBy((text): Result<RegressionLimit> => {
  const limit: RegressionLimit = { ms: 0, share: 0 }
  for (const part of text.split(',').map((piece) => piece.trim())) {
    const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(part)?.[1]
    const ms = parseDurationMs(part)
    if (percent !== undefined) limit.share = Number(percent) / 100
    else if (ms !== undefined) limit.ms = ms
    else {
      return failure(
        `'${part}' is neither a duration nor a share`,
        "Give '0.5ms', '10%', or '0.5ms,10%' for the larger of both.",
      )
    }
  }
  return limit.ms <= 0 && limit.share <= 0
    ? failure('must be above 0', 'No number of requests can prove that nothing changed at all.')
    : success(limit)
}, "a limit such as '0.5ms,10%'")
