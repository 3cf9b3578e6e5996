/**
 * What the gate would say of a run by now, and how many more blocks would decide it: the same tests on the blocks that
 * are over, by the best reading that they carry. What is known only at the end is not in it: whether the client was
 * noisy, which requests the machine held up, how coarse a figure of the gateway's own is.
 */
import type { OverheadDefinition, Verdict } from '../report/schema.ts'
import { type BlockMetric, isBlockMetric, isOfTokens, STAMP_METRICS, type StampMetric } from '../slo/metrics.ts'
import type { Threshold } from '../slo/threshold.ts'
import { judgeShare } from '../stats/figure-gate.ts'
import { ALPHA_FAIL, type GateResult, judgeBudget, QUANTILE } from '../stats/gate.ts'
import type { GateBlock } from '../stats/gate-block.ts'
import { Histogram } from '../stats/histogram.ts'
import { pairedDifference } from '../stats/paired.ts'
import { judgePaired } from '../stats/paired-gate.ts'
import { quantileBounds } from '../stats/quantile-interval.ts'
import { toGateBlock } from './blocks.ts'
import type { RegressionLimit } from './thresholds.ts'

/** A block that is over. */
export interface BlockSoFar {
  index: number
  sent: number
  outcomes: Parameters<typeof toGateBlock>[1]['outcomes']
  metrics: Partial<Record<BlockMetric, Histogram>>
  stamped: Histogram
  selfReported: Partial<Record<OverheadDefinition, Histogram>>
}

export interface LiveQuestion {
  budgetMs: number | undefined
  holdMs: number | undefined
  maxRegression: RegressionLimit | undefined
  thresholds: readonly Threshold[]
  /** How many blocks of each arm the run may have. */
  mostBlocks: number
}

export interface LiveMargin {
  metric: string
  /** What it is read from. */
  source: string
  /** Null where nothing was asked: then there is an interval and no verdict. */
  limit: number | null
  unit: 'ms' | 'share'
  /** Blocks of each arm that it rests on. */
  blocks: number
  value: number | null
  /** At 95 %; a bound that the blocks do not give is infinite. */
  low: number
  high: number
  verdict: Verdict
  why: string
  /** What blocks like those so far come to within this run, and after how many of them. */
  later?: GateResult['later'] | undefined
  requestsNeeded?: number
}

interface Pair {
  gateway: BlockSoFar
  baseline: BlockSoFar
}

/** The metrics of blocks that the question is judged by. */
export function metricsOf({ thresholds }: Pick<LiveQuestion, 'thresholds'>): BlockMetric[] {
  const asked = thresholds.flatMap(({ kind, of }) => (kind === 'quantile' && isBlockMetric(of) ? [of] : []))
  return [...new Set<BlockMetric>(['latency', ...STAMP_METRICS, ...asked])]
}

/**
 * What was asked for comes first, and of that the overhead, where there is a reading of it. `baseline` is empty of a
 * run with one arm.
 */
export function liveMargins(
  gateway: readonly BlockSoFar[],
  baseline: readonly BlockSoFar[],
  question: LiveQuestion,
): LiveMargin[] {
  const others = new Map(baseline.map((block) => [block.index, block]))
  const pairs = gateway.flatMap((block): Pair[] => {
    const other = others.get(block.index)
    return other ? [{ gateway: block, baseline: other }] : []
  })
  const overhead = (limitMs: number | undefined, quantile?: number) => {
    return overheadMargin(gateway, pairs, question, limitMs, quantile)
  }
  const asked = question.thresholds.flatMap((threshold): LiveMargin[] => {
    if (threshold.kind === 'figure' && threshold.of === 'errors.rate') return errorsMargin(gateway, threshold)
    if (threshold.kind !== 'quantile') return []
    const { of, metric, quantile, limitUs } = threshold
    if (of === 'overhead') return overhead(limitUs / 1_000, quantile).map((margin) => ({ ...margin, metric }))
    return isBlockMetric(of) ? metricMargin(gateway, of, question, limitUs / 1_000, quantile) : []
  })
  const first = [...regressionMargin(pairs, question), ...(asked.some(isOverhead) ? [] : overhead(question.budgetMs))]
  const stamps: [StampMetric, number | undefined][] = [
    ['addedTtft', question.budgetMs],
    ['addedPerToken', question.budgetMs],
    ['hold', question.holdMs],
  ]
  const added = stamps.flatMap(([metric, limitMs]) => {
    return limitMs === undefined ? [] : metricMargin(gateway, metric, question, limitMs, QUANTILE)
  })
  const all = [...asked.filter(isOverhead), ...first, ...added, ...asked.filter((margin) => !isOverhead(margin))]
  return [...all.filter(({ limit }) => limit !== null), ...all.filter(({ limit }) => limit === null)]
}

function isOverhead({ metric }: LiveMargin): boolean {
  return metric.startsWith('overhead.')
}

function overheadMargin(
  blocks: readonly BlockSoFar[],
  pairs: readonly Pair[],
  question: LiveQuestion,
  limitMs: number | undefined,
  quantile = QUANTILE,
): LiveMargin[] {
  // Two gateways differ by a growth, which is no overhead.
  if (question.maxRegression) return []
  const metric = 'overhead.p99'
  const stamped = (block: BlockSoFar) => block.stamped
  if (blocks.some((block) => block.stamped.count > 0)) {
    const floor = pairs.map((pair) => answersOf(pair.baseline, stamped))
    const judge = (limitUs: number) => judge99(blocks, stamped, question, { limitUs, quantile, floor })
    return margin(metric, 'by stamps', blocks, limitMs, { judge, interval: () => bounds(blocks, stamped, quantile) })
  }
  if (pairs.length > 0) return pairedMargin(metric, pairs, question, limitMs, quantile)
  const definition = REPORTED.find((name) => blocks.some(({ selfReported }) => selfReported[name]))
  if (!definition) return []
  const reported = ({ selfReported }: BlockSoFar) => selfReported[definition] ?? EMPTY
  const judge = (limitUs: number) => judge99(blocks, reported, question, { limitUs, quantile })
  return margin(metric, definition, blocks, limitMs, { judge, interval: () => bounds(blocks, reported, quantile) })
}

const REPORTED = ['upstream-reported', 'self-reported'] as const
const EMPTY = new Histogram()

function pairedMargin(
  metric: string,
  pairs: readonly Pair[],
  { mostBlocks }: LiveQuestion,
  limitMs: number | undefined,
  quantile: number,
): LiveMargin[] {
  const sides = latencyPairs(pairs)
  const judge = (limitUs: number) =>
    judgePaired({ ...COMMON, pairs: sides, limit: (us) => us + limitUs, quantile, mostBlocks })
  const interval = () => {
    const all = sides.map(({ baseline, gateway }) => ({ a: baseline, b: gateway }))
    const { lowerUs, upperUs } = pairedDifference(all, quantile, 0.025)
    const [direct, through] = [sides.map(({ baseline }) => baseline), sides.map(({ gateway }) => gateway)].map((side) =>
      Histogram.merge(side.map(({ values }) => values)).quantileUs(quantile),
    )
    return { valueUs: (through ?? 0) - (direct ?? 0), lowerUs, upperUs }
  }
  return margin(metric, 'by pairs of blocks', pairs, limitMs, { judge, interval })
}

/** The growth of P99 against an old gateway. */
function regressionMargin(pairs: readonly Pair[], { maxRegression, mostBlocks }: LiveQuestion): LiveMargin[] {
  if (!maxRegression || pairs.length === 0) return []
  const { ms, share } = maxRegression
  const stamped = pairs.every(({ gateway, baseline }) => gateway.stamped.count > 0 && baseline.stamped.count > 0)
  const sides = stamped
    ? pairs.map(({ gateway, baseline }) => ({
        gateway: answersOf(gateway, (block) => block.stamped),
        baseline: answersOf(baseline, (block) => block.stamped),
      }))
    : latencyPairs(pairs)
  const baselineUs = Histogram.merge(sides.map(({ baseline }) => baseline.values)).quantileUs(QUANTILE)
  const allowedUs = (us: number): number => Math.max(ms * 1_000, share * us)
  const judge = () => judgePaired({ ...COMMON, pairs: sides, limit: (us) => us + allowedUs(us), mostBlocks })
  const name = `delta.${stamped ? 'overhead' : 'latency'}.p99`
  return margin(name, 'by pairs of blocks', pairs, allowedUs(baselineUs) / 1_000, { judge })
}

function metricMargin(
  blocks: readonly BlockSoFar[],
  metric: BlockMetric,
  question: LiveQuestion,
  limitMs: number,
  quantile: number,
): LiveMargin[] {
  const read = ({ metrics }: BlockSoFar) => metrics[metric] ?? EMPTY
  if (!blocks.some((block) => read(block).count > 0)) return []
  const kind = metric === 'latency' ? 'latency' : isOfTokens(metric) ? 'tokens' : 'answers'
  const judge = (limitUs: number) => judge99(blocks, read, question, { limitUs, quantile, kind })
  return margin(`${metric}.p${quantile * 100}`, 'by blocks', blocks, limitMs, { judge })
}

function errorsMargin(
  blocks: readonly BlockSoFar[],
  { metric, limit }: Extract<Threshold, { kind: 'figure' }>,
): LiveMargin[] {
  if (blocks.length === 0) return []
  const shares = blocks.map(({ sent, outcomes: { OK: ok = 0 } }) => ({ n: sent, over: sent - ok }))
  const { verdict, why, value, ci95 } = judgeShare(shares, limit)
  const [low, high] = ci95 ?? [0, Number.POSITIVE_INFINITY]
  return [
    { ...{ metric, limit, value, low, high, verdict, why }, source: 'by blocks', unit: 'share', blocks: blocks.length },
  ]
}

interface Asked {
  limitUs: number
  quantile: number
  floor?: readonly GateBlock[]
  kind?: 'latency' | 'answers' | 'tokens'
}

/** The client is judged at the end. */
const COMMON = { client: 'ok', alphaFail: ALPHA_FAIL } as const

function judge99(
  blocks: readonly BlockSoFar[],
  read: (block: BlockSoFar) => Histogram,
  { mostBlocks }: LiveQuestion,
  { limitUs, quantile, floor = [], kind = 'answers' }: Asked,
): GateResult {
  return judgeBudget({
    ...COMMON,
    ...{ limitUs, quantile, mostBlocks },
    blocks: blocks.map((block) => toGateBlock(read(block), block, kind)),
    ...(floor.some(({ values }) => values.count > 0) ? { floor } : {}),
    unread: 0,
  })
}

function answersOf(block: BlockSoFar, read: (block: BlockSoFar) => Histogram): GateBlock {
  return toGateBlock(read(block), block, 'answers')
}

function latencyPairs(pairs: readonly Pair[]): { gateway: GateBlock; baseline: GateBlock }[] {
  const latency = (block: BlockSoFar) => toGateBlock(block.metrics.latency ?? EMPTY, block, 'latency')
  return pairs.map(({ gateway, baseline }) => ({ gateway: latency(gateway), baseline: latency(baseline) }))
}

interface Interval {
  valueUs: number
  lowerUs: number
  upperUs: number
}

function bounds(blocks: readonly BlockSoFar[], read: (block: BlockSoFar) => Histogram, quantile: number): Interval {
  return quantileBounds(blocks.map(read), quantile, 0.025)
}

function margin(
  metric: string,
  source: string,
  blocks: readonly unknown[],
  limitMs: number | undefined,
  { judge, interval }: { judge(limitUs: number): GateResult; interval?(): Interval },
): LiveMargin[] {
  const common = { metric, source, unit: 'ms', blocks: blocks.length } as const
  if (limitMs === undefined) {
    if (!interval) return []
    const { valueUs, lowerUs, upperUs } = interval()
    const why = 'no limit was given'
    const figures = { value: valueUs / 1_000, low: lowerUs / 1_000, high: upperUs / 1_000 }
    return [{ ...common, ...figures, limit: null, verdict: 'inconclusive', why }]
  }
  const { p99Us, ci95Us, verdict, why, later, requestsNeeded } = judge(limitMs * 1_000)
  const [low, high] = ci95Us ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
  return [
    {
      ...common,
      ...{ limit: limitMs, verdict, why },
      value: p99Us === null ? null : p99Us / 1_000,
      low: low / 1_000,
      high: high / 1_000,
      ...(later ? { later } : {}),
      ...(requestsNeeded === undefined ? {} : { requestsNeeded }),
    },
  ]
}
