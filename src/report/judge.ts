/**
 * From reports to the verdict on the overhead of a gateway: which reading is judged, on which blocks, against which floor. The best
 * that the files carry wins: the provider's stamps, else what the gateway says of itself, else the difference of two P99s.
 */
import { judgeDifference } from '../stats/difference-gate.ts'
import { type GateBlock, type GateResult, judgeBudget } from '../stats/gate.ts'
import { Histogram } from '../stats/histogram.ts'
import { intervalMs, toMs } from './distribution.ts'
import type { ArmName, BenchReport, Block, Check, Gate, OverheadDefinition, OverheadResult } from './schema.ts'

export interface JudgedBy {
  definition: OverheadDefinition
  source: string
  /** What the reading leaves out or costs. */
  caveat: string
  floor: string | null
}

export interface Judgement {
  gate: Gate
  judgedBy: JudgedBy
}

/** The overhead of the gateway in `gateway`, with the floor of its own direct arm, else of `baseline`. Undefined without any reading. */
export function judgeOverhead(
  gateway: BenchReport,
  baseline: BenchReport | undefined,
  budgetMs: number,
): Judgement | undefined {
  const limitUs = budgetMs * 1_000
  const reading = readingOf(gateway, 'provider-stamped') ?? readingOf(gateway, 'self-reported')
  if (reading) {
    const { definition } = reading
    const floor = definition === 'provider-stamped' ? floorOf(gateway, baseline) : undefined
    const result = judgeBudget({
      limitUs,
      blocks: gateBlocks(gateway, gateway.arms.primary, (block) => block.overhead[definition]),
      ...(floor ? { floor: floor.blocks } : {}),
      client: gateway.client.verdict,
      unread: Math.max(0, gateway.totals.successful - reading.count - reading.cacheHits - reading.retried),
    })
    const judgedBy = {
      definition,
      source: reading.source,
      caveat: definition === 'self-reported' ? `it under-reports: ${reading.note}` : reading.note,
      floor: floor?.name ?? null,
    }
    return { gate: gateOf('overhead.p99', budgetMs, result), judgedBy }
  }
  if (!baseline) return undefined
  const latencies = (report: BenchReport) => gateBlocks(report, report.arms.primary, (block) => block.latency)
  const result = judgeDifference({
    limitUs,
    baseline: latencies(baseline),
    gateway: latencies(gateway),
    client: worse(baseline.client.verdict, gateway.client.verdict),
  })
  const judgedBy: JudgedBy = {
    definition: 'quantile-difference',
    source: 'P99 of latency, gateway minus baseline',
    caveat: "two runs apart do not share the machine's mood: stamps or a paired run are surer",
    floor: null,
  }
  return { gate: gateOf('delta.latency.p99', budgetMs, result), judgedBy }
}

/** A gate that nothing could be judged by, and why. */
export function undecided(metric: string, budgetMs: number, why: string): Gate {
  return gateOf(metric, budgetMs, { verdict: 'inconclusive', why, p99Us: null, ci95Us: null })
}

function gateOf(metric: string, limit: number, result: GateResult): Gate {
  const { verdict, why, p99Us, ci95Us, requestsNeeded } = result
  const check: Check = {
    metric,
    op: '<',
    limit,
    value: p99Us === null ? null : toMs(p99Us),
    ci95: ci95Us === null || !ci95Us.some(Number.isFinite) ? null : intervalMs(ci95Us),
    verdict,
    why,
    ...(requestsNeeded === undefined ? {} : { requestsNeeded }),
  }
  return { verdict, checks: [check] }
}

function readingOf(report: BenchReport, definition: OverheadDefinition): OverheadResult | undefined {
  return report.overhead.find((entry) => entry.definition === definition)
}

/** Whether what the stamps read in `baseline` is the instrument alone, and not a gateway's overhead. */
export function isFloor(baseline: BenchReport): boolean {
  return baseline.target.role !== 'gateway' && readingOf(baseline, 'provider-stamped') !== undefined
}

/** Where the same reading was taken straight at the provider. */
function floorOf(
  gateway: BenchReport,
  baseline: BenchReport | undefined,
): { blocks: GateBlock[]; name: string } | undefined {
  const stamped = (block: Block) => block.overhead['provider-stamped']
  const own = gateway.arms.primary === 'direct' ? [] : gateBlocks(gateway, 'direct', stamped)
  if (own.some((block) => block.values.count > 0)) return { blocks: own, name: 'the direct arm of the same run' }
  if (!baseline || !isFloor(baseline)) return undefined
  return { blocks: gateBlocks(baseline, baseline.arms.primary, stamped), name: 'the baseline' }
}

function gateBlocks(
  report: BenchReport,
  arm: ArmName,
  values: (block: Block) => Block['latency'] | undefined,
): GateBlock[] {
  return report.blocks
    .filter((block) => block.arm === arm)
    .map((block) => {
      const encoded = values(block)
      const { OK: ok = 0, KT_ABORTED_AT_DEADLINE: unfinished = 0 } = block.outcomes
      return {
        values: encoded ? Histogram.decode(encoded) : new Histogram(),
        failed: block.sent - ok - unfinished,
        unfinished,
      }
    })
}

type ClientVerdict = BenchReport['client']['verdict']

function worse(a: ClientVerdict, b: ClientVerdict): ClientVerdict {
  const order: ClientVerdict[] = ['ok', 'noisy', 'saturated']
  return order[Math.max(order.indexOf(a), order.indexOf(b))] ?? 'saturated'
}
