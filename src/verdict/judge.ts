/**
 * From reports to the verdict on the overhead of a gateway: which reading is judged, on which blocks, against which floor. The best
 * that the files carry wins: the provider's stamps, else blocks measured in turns with a direct arm, else what the gateway says
 * (its wait for the upstream before its own figure, which sees less), else the difference of two P99s recorded apart.
 */

import type { BenchReport, Check, OverheadDefinition, OverheadResult } from '../report/schema.ts'
import { splitReport } from '../report/write.ts'
import { judgeDifference } from '../stats/difference-gate.ts'
import { type GateResult, judgeBudget } from '../stats/gate.ts'
import { Histogram } from '../stats/histogram.ts'
import { judgePaired } from '../stats/paired-gate.ts'
import { blockPairs, gateBlocks, hasValues, reader } from './blocks.ts'
import { durationCheck, type Judge, undecidedCheck } from './checks.ts'
import { troubleIn } from './pair.ts'

export interface JudgedBy {
  definition: OverheadDefinition
  source: string
  /** What the reading leaves out or costs. */
  caveat: string
  floor: string | null
}

/** How P99 overhead is judged, as a check at a given alpha; undefined without any reading. */
export interface OverheadJudge {
  judge: Judge
  judgedBy: JudgedBy
}

export interface OverheadQuestion {
  limitMs: number
  quantile?: number
  op?: Check['op']
  metric?: string
  /** Both files are of one run, measured in turns. */
  paired?: boolean
}

/** The overhead of the gateway in `gateway`, with the floor of its own direct arm, else of `baseline`. Undefined without any reading. */
export function overheadJudge(
  gateway: BenchReport,
  baseline: BenchReport | undefined,
  question: OverheadQuestion,
): OverheadJudge | undefined {
  const { limitMs, op = '<', metric = 'overhead.p99' } = question
  const found = bestJudge(gateway, baseline, question)
  const trouble = troubleIn(baseline, gateway)
  if (!found || trouble === undefined) return found
  return { ...found, judge: () => undecidedCheck(metric, op, limitMs, trouble) }
}

function bestJudge(
  gateway: BenchReport,
  baseline: BenchReport | undefined,
  question: OverheadQuestion,
): OverheadJudge | undefined {
  const { limitMs, quantile = 0.99, op = '<', metric = 'overhead.p99' } = question
  const limitUs = limitMs * 1_000
  const as = (decide: (alphaFail: number) => GateResult, name = metric): Judge => {
    return (alphaFail) => durationCheck(name, op, limitMs, decide(alphaFail))
  }
  const reading = readingOf(gateway, 'provider-stamped')
  const pair = question.paired && baseline ? { baseline, gateway } : directPair(gateway)
  if (!reading && pair) {
    const pairs = blockPairs(pair.baseline, pair.gateway, reader('latency'))
    const limit = (us: number): number => us + limitUs
    const decide = (alphaFail: number) =>
      judgePaired({ pairs, limit, client: gateway.client.verdict, quantile, alphaFail })
    return { judge: as(decide), judgedBy: PAIRED }
  }
  const told = bestReading(gateway)
  if (told) return byReading(gateway, baseline, told, limitUs, quantile, as)
  if (!baseline) return undefined
  const latencies = (report: BenchReport) => gateBlocks(report, reader('latency'))
  const decide = (alphaFail: number) =>
    judgeDifference({
      limitUs,
      baseline: latencies(baseline),
      gateway: latencies(gateway),
      client: worse(baseline.client.verdict, gateway.client.verdict),
      quantile,
      alphaFail,
    })
  return { judge: as(decide, metric.replace(/^overhead/, 'delta.latency')), judgedBy: APART }
}

const PAIRED: JudgedBy = {
  definition: 'paired',
  source: 'difference of the P99s of latency, by blocks run in turns',
  caveat: 'it is not the P99 of the overhead of single requests, which takes stamps',
  floor: null,
}

const APART: JudgedBy = {
  definition: 'quantile-difference',
  source: 'P99 of latency, gateway minus baseline',
  caveat: "two runs apart do not share the machine's mood: stamps or a paired run are surer",
  floor: null,
}

function byReading(
  gateway: BenchReport,
  baseline: BenchReport | undefined,
  reading: OverheadResult,
  limitUs: number,
  quantile: number,
  as: (decide: (alphaFail: number) => GateResult) => Judge,
): OverheadJudge {
  const { definition, source, note, count, cacheHits, retried } = reading
  const floor = definition === 'provider-stamped' ? floorOf(gateway, baseline) : undefined
  const blocks = gateBlocks(gateway, reader(definition))
  const decide = (alphaFail: number) =>
    judgeBudget({
      limitUs,
      quantile,
      alphaFail,
      blocks,
      ...(floor ? { floor: floor.blocks } : {}),
      client: gateway.client.verdict,
      unread: Math.max(0, gateway.totals.successful - count - cacheHits - retried),
    })
  const caveat = definition === 'self-reported' ? `it under-reports: ${note}` : note
  return { judge: as(decide), judgedBy: { definition, source, caveat, floor: floor?.name ?? null } }
}

export function readingOf(report: BenchReport, definition: OverheadDefinition): OverheadResult | undefined {
  return report.overhead.find((entry) => entry.definition === definition)
}

/** The reading that a run is judged by, the surest first. What the provider says of itself is none: the network to it is in that. */
export function bestReading(report: BenchReport): OverheadResult | undefined {
  return (
    readingOf(report, 'provider-stamped') ??
    readingOf(report, 'upstream-reported') ??
    readingOf(report, 'self-reported')
  )
}

/** Whether what the stamps read in `baseline` is the instrument alone, and not a gateway's overhead. */
export function isFloor(baseline: BenchReport): boolean {
  return baseline.target.role !== 'gateway' && readingOf(baseline, 'provider-stamped') !== undefined
}

/** The arms of one report where the second went directly. */
function directPair(report: BenchReport): ReturnType<typeof splitReport> {
  const pair = splitReport(report)
  return pair?.baseline.target.role === 'direct' ? pair : undefined
}

/** A floor measured beside the run in two seconds: with fewer readings its P99 is a single request, which takes no verdict away. */
const FEWEST_OF_NULL_UPSTREAM = 100

/** Where the same reading was taken straight at the provider: in turns, in a run of its own, or at a null upstream. */
function floorOf(gateway: BenchReport, baseline: BenchReport | undefined) {
  const stamped = reader('provider-stamped')
  const own = gateway.arms.primary === 'direct' ? [] : gateBlocks(gateway, stamped, 'direct')
  if (hasValues(own)) return { blocks: own, name: 'the direct arm of the same run' }
  if (baseline && isFloor(baseline)) return { blocks: gateBlocks(baseline, stamped), name: 'the baseline' }
  const { source, count = 0, blocks = [] } = gateway.client.floorMs ?? {}
  if (source !== 'null-upstream' || count < FEWEST_OF_NULL_UPSTREAM) return undefined
  const values = blocks.map((block) => ({ values: Histogram.decode(block), failed: 0, unfinished: 0 }))
  return { blocks: values, name: 'a null upstream, after the run' }
}

type ClientVerdict = BenchReport['client']['verdict']

export function worse(a: ClientVerdict, b: ClientVerdict): ClientVerdict {
  const order: ClientVerdict[] = ['ok', 'noisy', 'saturated']
  return order[Math.max(order.indexOf(a), order.indexOf(b))] ?? 'saturated'
}
