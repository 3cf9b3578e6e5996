/**
 * What a report says of the overhead: an entry for each definition under its own name, its components judged against
 * their budgets; what the gateway says of itself; and the one-way delays.
 */

import type { ArmRecord } from '../load/arm-record.ts'
import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import { type Coarseness, errorUs } from '../overhead/adapters/adapter.ts'
import { readTruth } from '../overhead/provider-records.ts'
import { SELF_REPORTED_DEFINITIONS } from '../overhead/self-reported.ts'
import { intervalMs, quantilesMs, toMs } from '../report/duration-summary.ts'
import { writeHistogram } from '../report/histogram-text.ts'
import type { ArmResult, OverheadResult } from '../report/schema.ts'
import { Histogram, type PackedHistogram } from '../stats/histogram.ts'
import { quantileBounds } from '../stats/quantile-interval.ts'
import { type Budgets, componentVerdict } from '../verdict/components.ts'
import { buildNonce } from '../wire/nonce.ts'

const STAMPED_NOTE = "from sent to end, less the provider's own time; the network, kt and both event loops are in it"

/**
 * An entry for each definition that has readings; none when the target says nothing and the provider does not stamp.
 */
export function buildOverhead(arm: ArmRecord, budgets: Budgets): OverheadResult[] {
  const results: OverheadResult[] = []
  const stamped = Histogram.unpack(arm.stamped.total)
  if (stamped.count > 0) {
    const perToken = Histogram.unpack(arm.stamped.perToken)
    const unattributed = Histogram.unpack(arm.stamped.unattributed)
    results.push({
      definition: 'provider-stamped',
      source: "the provider's stamps",
      ...totals(stamped, unpackAll(arm.blocks.map((block) => block.stamped))),
      ...(perToken.count > 0
        ? {
            perTokenMs: {
              count: perToken.count,
              p50: toMs(perToken.quantileUs(0.5)),
              p99: toMs(perToken.quantileUs(0.99)),
              max: toMs(perToken.maxUs),
            },
          }
        : {}),
      ...(unattributed.count > 0 ? { components: { unattributed: component(unattributed) } } : {}),
      rejected: 0,
      cacheHits: arm.stamped.cacheHits,
      retried: arm.stamped.retried,
      note: STAMPED_NOTE,
    })
  }
  const rejected = Object.values(arm.selfReport.rejected).reduce((total, count) => total + count, 0)
  for (const definition of SELF_REPORTED_DEFINITIONS) {
    const readings = arm.selfReport.readings[definition]
    if (!readings) continue
    const byBlock = unpackAll(arm.blocks.map((block) => block.selfReported[definition]))
    const resolution = resolutionOf(readings)
    const components = definition === 'self-reported' ? componentsOf(arm, budgets, resolution) : []
    // Where the gateway reports its parts, a row for the whole stands below them, with the budget of the whole.
    if (components.length > 0) components.push(['total', judged(byBlock, budgets.totalMs, resolution)])
    const { gateway } = arm.selfReport
    results.push({
      definition,
      source: gateway === '' ? readings.source : `${gateway}, ${readings.source}`,
      ...totals(Histogram.unpack(readings.total), byBlock),
      ...(components.length > 0 ? { components: Object.fromEntries(components) } : {}),
      rejected,
      cacheHits: 0,
      retried: 0,
      ...(resolution ? { resolution } : {}),
      note: resolution ? `${readings.note}; ${coarseNote(resolution)}` : readings.note,
    })
  }
  return results
}

/** Absent where figures are finer than any verdict asks for. */
function resolutionOf(readings: Coarseness): Resolution | undefined {
  return readings.resolutionUs < COARSE_US
    ? undefined
    : { unitMs: readings.resolutionUs / 1_000, errorMs: errorUs(readings) / 1_000 }
}

const COARSE_US = 100

function coarseNote({ unitMs, errorMs }: Resolution): string {
  const unit = unitMs === 1 ? 'whole milliseconds' : `units of ${unitMs} ms`
  return `made of ${unit}: a reading may be wrong by ${errorMs} ms, and no limit under ${unitMs} ms is judged by it`
}

function unpackAll(parts: readonly (PackedHistogram | undefined)[]): Histogram[] {
  return parts.flatMap((part) => (part ? [Histogram.unpack(part)] : [])).filter((part) => part.count > 0)
}

function totals(total: Histogram, blocks: readonly Histogram[]) {
  const { lowerUs, upperUs } = quantileBounds(blocks, 0.99, 0.025)
  return {
    count: total.count,
    totalMs: { ...quantilesMs(total), ci95: intervalMs([lowerUs, upperUs]) },
    negative: total.negative,
    histogram: writeHistogram(total),
  }
}

type Resolution = NonNullable<OverheadResult['resolution']>
type Component = NonNullable<OverheadResult['components']>[string]

function componentsOf(
  { blocks }: ArmRecord,
  budgets: Budgets,
  resolution: Resolution | undefined,
): [string, Component][] {
  const names = new Set(blocks.flatMap(({ components }) => Object.keys(components)))
  return [...names].map((name) => {
    const parts = unpackAll(blocks.map(({ components }) => components[name]))
    return [name, judged(parts, budgets.components[name] ?? null, resolution)]
  })
}

function judged(blocks: readonly Histogram[], budgetMs: number | null, resolution: Resolution | undefined): Component {
  const verdict = budgetMs === null ? null : componentVerdict(blocks, budgetMs, resolution)
  return { ...component(Histogram.merge(blocks)), budgetMs, verdict }
}

function component(values: Histogram): Component {
  const { count } = values
  const [p50, p99] = [values.quantileUs(0.5), values.quantileUs(0.99)].map(toMs) as [number, number]
  return { count, p50, p99, budgetMs: null, verdict: null }
}

/**
 * What the gateway reported of itself beside its figures: its name, what it does not report, what was excluded and
 * why.
 */
export function buildSignals({ selfReport: { gateway, caveat, rejected } }: ArmRecord): ArmResult['signals'] {
  if (gateway === '' && caveat === '' && Object.keys(rejected).length === 0) return undefined
  return { gateway: gateway === '' ? null : gateway, caveat, rejected }
}

export interface OneWayDelays {
  /** From sent to the request's last byte at the provider. */
  requestPath: Histogram
  /** From the provider's last write to the end of the answer. */
  responsePath: Histogram
}

/** Fields of a row of `RunRecord.requestTimes`: request index, sent, end. */
const COLUMNS = 3

/** The clocks of two threads agree within this. */
const CLOCK_TOLERANCE_US = 100

/**
 * The delay of the request path and that of the response path, by arm: kt's own instants are joined by nonce with the
 * provider's record of when it received a request and when it wrote the end of its answer. Both read the same
 * monotonic clock only on one host; a request that arrived before it was sent proves another clock and voids the
 * whole join. The delays are shown, never judged: their sum is the overhead. The provider's address is that of the
 * last arm.
 */
export async function measureOneWayDelays(
  plan: RunPlan,
  record: RunRecord,
  stamping: boolean,
): Promise<(OneWayDelays | undefined)[]> {
  const provider = plan.arms.at(-1)
  if (!stamping || !provider) return []
  const known = new Map<string, { arm: number; sentUs: number; endUs: number }>()
  for (const [arm, rows] of record.requestTimes.entries()) {
    for (let i = 0; i + COLUMNS <= rows.length; i += COLUMNS) {
      const nonce = buildNonce(plan.arms[arm]?.tag ?? '', plan.workload.seed, rows[i] ?? 0)
      known.set(nonce, { arm, sentUs: rows[i + 1] ?? Number.NaN, endUs: rows[i + 2] ?? Number.NaN })
    }
  }
  const delays = plan.arms.map((): OneWayDelays => ({ requestPath: new Histogram(), responsePath: new Histogram() }))
  try {
    for await (const truth of readTruth(provider.origin)) {
      const mine = known.get(truth.nonce)
      const joined = delays[mine?.arm ?? -1]
      if (!mine || !joined || truth.attempt !== 1 || truth.lastWriteUs === null) continue
      const { sentUs, endUs } = mine
      const requestUs = truth.receivedUs - sentUs
      const responseUs = endUs - truth.lastWriteUs
      if (Number.isNaN(requestUs) || Number.isNaN(responseUs)) continue
      const otherClock = Math.min(requestUs, responseUs) < -CLOCK_TOLERANCE_US
      if (otherClock || requestUs > endUs - sentUs + CLOCK_TOLERANCE_US) return []
      joined.requestPath.record(Math.max(0, requestUs))
      joined.responsePath.record(Math.max(0, responseUs))
    }
  } catch {
    // The delays are an extra of the report: a provider that does not tell its record is no fault of the run.
    return []
  }
  return delays.map((joined) => (joined.requestPath.count > 0 ? joined : undefined))
}
