/**
 * The verdict on the overhead of a gateway: which reading is judged, on which blocks, against which measurement
 * floor. The best reading in the files is used: the provider's stamps; else blocks measured alternately with a direct
 * arm; else what the gateway reports (its wait for the upstream before its own figure, which sees less); else the
 * difference of two P99s recorded separately.
 */

import { readHistogram } from '../report/histogram-text.ts'
import { armsApart } from '../report/runs.ts'
import type { Check, OverheadDefinition, OverheadResult, Run } from '../report/schema.ts'
import { judgeDifference } from '../stats/difference-gate.ts'
import { type GateResult, judgeBudget } from '../stats/gate.ts'
import { judgePaired } from '../stats/paired-gate.ts'
import { blockPairs, gateBlocks, hasValues, reader } from './blocks.ts'
import { durationCheck, type Judge, toMicroseconds, undecidedCheck } from './checks.ts'
import { findTrouble } from './pair.ts'

export interface JudgedBy {
  definition: OverheadDefinition
  source: string
  /** What the reading excludes or costs. */
  caveat: string
  floor: string | null
}

/** How the P99 overhead is judged, as a check at a given alpha. */
interface OverheadJudge {
  judge: Judge
  judgedBy: JudgedBy
}

interface OverheadQuestion {
  limitMs: number
  quantile?: number
  op?: Check['op']
  metric?: string
  /** Both files are of one paired run. */
  paired?: boolean
}

/**
 * How the overhead of `gateway` is judged, with the measurement floor of its own direct arm, else of `baseline`.
 * Undefined without any reading.
 */
export function overheadJudge(
  gateway: Run,
  baseline: Run | undefined,
  question: OverheadQuestion,
): OverheadJudge | undefined {
  const { limitMs, op = '<', metric = 'overhead.p99' } = question
  const found = bestJudge(gateway, baseline, question)
  const trouble = findTrouble(baseline, gateway)
  if (!found || trouble === undefined) return found
  return { ...found, judge: () => undecidedCheck(metric, op, limitMs, trouble) }
}

function bestJudge(gateway: Run, baseline: Run | undefined, question: OverheadQuestion): OverheadJudge | undefined {
  const { limitMs, quantile = 0.99, op = '<', metric = 'overhead.p99' } = question
  const limitUs = limitMs * 1_000
  const as = (decide: (alphaFail: number) => GateResult, name = metric): Judge => {
    return (alphaFail) => durationCheck(name, op, limitMs, decide(alphaFail))
  }
  const reading = findReading(gateway, 'provider-stamped')
  const pair = question.paired && baseline ? { baseline, gateway } : directPair(gateway)
  if (!reading && pair) {
    const pairs = blockPairs(pair.baseline, pair.gateway, reader('latency'))
    const limit = (us: number): number => us + limitUs
    const decide = (alphaFail: number) =>
      judgePaired({ pairs, limit, client: gateway.client.verdict, quantile, alphaFail })
    return { judge: as(decide), judgedBy: PAIRED }
  }
  const reported = bestReading(gateway)
  if (reported) return byReading(gateway, baseline, reported, limitUs, quantile, as)
  if (!baseline) return undefined
  const latencies = (report: Run) => gateBlocks(report, reader('latency'))
  const decide = (alphaFail: number) =>
    judgeDifference({
      limitUs,
      baseline: latencies(baseline),
      gateway: latencies(gateway),
      client: worseClient(baseline.client.verdict, gateway.client.verdict),
      quantile,
      alphaFail,
    })
  return { judge: as(decide, metric.replace(/^overhead/, 'delta.latency')), judgedBy: SEPARATE }
}

const PAIRED: JudgedBy = {
  definition: 'paired',
  source: 'difference of the P99s of latency, by pairs of blocks',
  caveat: 'it is not the P99 of the overhead of single requests, which needs stamps',
  floor: null,
}

const SEPARATE: JudgedBy = {
  definition: 'quantile-difference',
  source: 'P99 of latency, gateway minus baseline',
  caveat: 'separate runs do not meet the same state of the machine: stamps or a paired run are more reliable',
  floor: null,
}

function byReading(
  gateway: Run,
  baseline: Run | undefined,
  reading: OverheadResult,
  limitUs: number,
  quantile: number,
  as: (decide: (alphaFail: number) => GateResult) => Judge,
): OverheadJudge {
  const { definition, source, note, count, cacheHits, retried, resolution } = reading
  const floor = definition === 'provider-stamped' ? findFloor(gateway, baseline) : undefined
  const blocks = gateBlocks(gateway, reader(definition))
  const decide = (alphaFail: number) =>
    judgeBudget({
      limitUs,
      quantile,
      alphaFail,
      blocks,
      ...(floor ? { floor: floor.blocks } : {}),
      ...(resolution ? { resolution: toMicroseconds(resolution) } : {}),
      client: gateway.client.verdict,
      unread: Math.max(0, gateway.totals.successful - count - cacheHits - retried),
    })
  const caveat = definition === 'self-reported' ? `it under-reports: ${note}` : note
  return { judge: as(decide), judgedBy: { definition, source, caveat, floor: floor?.name ?? null } }
}

export function findReading(report: Run, definition: OverheadDefinition): OverheadResult | undefined {
  return report.overhead.find((entry) => entry.definition === definition)
}

/**
 * The reading that a run is judged by; the most reliable comes first. `provider-reported` is never judged, because it
 * holds the network to the provider.
 */
export function bestReading(report: Run): OverheadResult | undefined {
  return (
    findReading(report, 'provider-stamped') ??
    findReading(report, 'upstream-reported') ??
    findReading(report, 'self-reported')
  )
}

/** Whether the stamped reading of `baseline` is the measurement floor and not the overhead of a gateway. */
export function isFloor(baseline: Run): boolean {
  return baseline.role !== 'gateway' && findReading(baseline, 'provider-stamped') !== undefined
}

/** The arms of one report where the second one is direct. */
function directPair(report: Run): ReturnType<typeof armsApart> {
  const pair = armsApart(report)
  return pair?.baseline.role === 'direct' ? pair : undefined
}

/**
 * Fewest readings of a null upstream, which is measured for two seconds: with fewer the P99 is a single request,
 * which must not decide a verdict.
 */
const FEWEST_OF_NULL_UPSTREAM = 100

/**
 * The same reading without the gateway: from the direct arm of the run, from a separate run, or from a null upstream.
 */
function findFloor(gateway: Run, baseline: Run | undefined) {
  const stamped = reader('provider-stamped')
  const own = gateway.baseline?.role === 'direct' ? gateBlocks(gateway.baseline, stamped) : []
  if (hasValues(own)) return { blocks: own, name: 'the direct arm of the same run' }
  if (baseline && isFloor(baseline)) return { blocks: gateBlocks(baseline, stamped), name: 'the baseline' }
  const { source, count = 0, blocks = [] } = gateway.client.floorMs ?? {}
  if (source !== 'null-upstream' || count < FEWEST_OF_NULL_UPSTREAM) return undefined
  const values = blocks.map((block) => ({ values: readHistogram(block), failed: 0, unfinished: 0 }))
  return { blocks: values, name: 'a null upstream, after the run' }
}

type ClientVerdict = Run['client']['verdict']

const WORSE: Record<ClientVerdict, number> = { ok: 0, 'rate-not-reached': 1, noisy: 2, saturated: 3 }

export function worseClient(a: ClientVerdict, b: ClientVerdict): ClientVerdict {
  return WORSE[a] >= WORSE[b] ? a : b
}
