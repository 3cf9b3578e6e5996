/** The overhead section of a report: each definition under its own name, with its components judged against their budgets. */

import type { RunRecord } from '../load/merge.ts'
import type { RunPlan } from '../load/plan.ts'
import type { ArmRecord } from '../load/recorder.ts'
import { TOLD } from '../overhead/self-reported.ts'
import { readTruth } from '../overhead/stamped.ts'
import { intervalMs, quantilesMs, toMs } from '../report/distribution.ts'
import type { ArmResult, OverheadResult } from '../report/schema.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'
import { quantileBounds } from '../stats/order-interval.ts'
import { type Budgets, componentVerdict } from '../verdict/components.ts'
import { buildNonce } from '../wire/nonce.ts'

/**
 * The way to the provider and the way back, apart: kt's own instants joined, by nonce, with the provider's record of when it had a
 * request and when it had written its answer. Both read the same monotonic clock only on one host, so that is checked, not
 * assumed: a request that came before it was sent makes the whole join void. Shown, never judged: their sum is the overhead.
 */

export interface Legs {
  /** From sent to the request's last byte at the provider. */
  request: Histogram
  /** From the provider's last write to the end of the answer. */
  response: Histogram
}

const COLUMNS = 3

/** The clocks of two threads agree within microseconds. */
const CLOCK_US = 100

interface Instants {
  sentUs: number
  endUs: number
}

/** By arm, where there is a provider on this host to be asked; its address is the last arm's. */
export async function legsOf(plan: RunPlan, record: RunRecord, stamping: boolean): Promise<(Legs | undefined)[]> {
  const provider = plan.arms.at(-1)
  if (!stamping || !provider) return []
  const known = new Map<string, { arm: number; at: Instants }>()
  for (const [arm, rows] of record.requestTimes.entries()) {
    for (let i = 0; i + COLUMNS <= rows.length; i += COLUMNS) {
      const nonce = buildNonce(plan.arms[arm]?.tag ?? '', plan.workload.seed, rows[i] ?? 0)
      known.set(nonce, { arm, at: { sentUs: rows[i + 1] ?? Number.NaN, endUs: rows[i + 2] ?? Number.NaN } })
    }
  }
  const legs = plan.arms.map((): Legs => ({ request: new Histogram(), response: new Histogram() }))
  try {
    for await (const truth of readTruth(provider.origin)) {
      const mine = known.get(truth.nonce)
      const joined = legs[mine?.arm ?? -1]
      if (!mine || !joined || truth.attempt !== 1 || truth.lastWriteUs === null) continue
      const { sentUs, endUs } = mine.at
      const there = truth.receivedUs - sentUs
      const back = endUs - truth.lastWriteUs
      if (Number.isNaN(there) || Number.isNaN(back)) continue
      // Another clock: the provider is not on this host.
      if (there < -CLOCK_US || back < -CLOCK_US || there > endUs - sentUs + CLOCK_US) return []
      joined.request.record(Math.max(0, there))
      joined.response.record(Math.max(0, back))
    }
  } catch {
    // Shown beside the measurement where it can be had; without it nothing is wrong.
    return []
  }
  return legs.map((joined) => (joined.request.count > 0 ? joined : undefined))
}

const STAMPED_NOTE = "from sent to end, less the provider's own time; the network, kt and both event loops are in it"

/** One entry for each definition that has readings; empty when the target says nothing and the provider does not stamp. */
export function overheadOf(arm: ArmRecord, budgets: Budgets): OverheadResult[] {
  const results: OverheadResult[] = []
  const stamped = Histogram.decode(arm.stamped.total)
  if (stamped.count > 0) {
    const perToken = Histogram.decode(arm.stamped.perToken)
    const unattributed = Histogram.decode(arm.stamped.unattributed)
    results.push({
      definition: 'provider-stamped',
      source: "the provider's stamps",
      ...totals(stamped, arm.stamped.total, decodeAll(arm.blocks.map((block) => block.stamped))),
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
  for (const definition of TOLD) {
    const told = arm.selfReport.told[definition]
    if (!told) continue
    const byBlock = decodeAll(arm.blocks.map((block) => block.told[definition]))
    const components = definition === 'self-reported' ? componentsOf(arm, budgets) : []
    // Where the gateway tells its parts, their sum stands below them, with what the whole may take.
    if (components.length > 0) components.push(['total', judged(byBlock, budgets.totalMs)])
    const { gateway } = arm.selfReport
    results.push({
      definition,
      source: gateway === '' ? told.source : `${gateway}, ${told.source}`,
      ...totals(Histogram.decode(told.total), told.total, byBlock),
      ...(components.length > 0 ? { components: Object.fromEntries(components) } : {}),
      rejected,
      cacheHits: 0,
      retried: 0,
      note: told.note,
    })
  }
  return results
}

function decodeAll(parts: readonly (EncodedHistogram | undefined)[]): Histogram[] {
  return parts.flatMap((part) => (part ? [Histogram.decode(part)] : [])).filter((part) => part.count > 0)
}

function totals(total: Histogram, encoded: EncodedHistogram, blocks: readonly Histogram[]) {
  const { lowerUs, upperUs } = quantileBounds(blocks, 0.99, 0.025)
  return {
    count: total.count,
    totalMs: { ...quantilesMs(total), ci95: intervalMs([lowerUs, upperUs]) },
    negative: total.negative,
    histogram: encoded,
  }
}

type Component = NonNullable<OverheadResult['components']>[string]

function componentsOf({ blocks }: ArmRecord, budgets: Budgets): [string, Component][] {
  const names = new Set(blocks.flatMap(({ components }) => Object.keys(components)))
  return [...names].map((name) => {
    const parts = decodeAll(blocks.map(({ components }) => components[name]))
    return [name, judged(parts, budgets.components[name] ?? null)]
  })
}

function judged(blocks: readonly Histogram[], budgetMs: number | null): Component {
  const verdict = budgetMs === null ? null : componentVerdict(blocks, budgetMs)
  return { ...component(Histogram.merge(blocks)), budgetMs, verdict }
}

function component(values: Histogram): Component {
  const { count } = values
  const [p50, p99] = [values.quantileUs(0.5), values.quantileUs(0.99)].map(toMs) as [number, number]
  return { count, p50, p99, budgetMs: null, verdict: null }
}

/** What the gateway said of itself beside its figures: its name, what it does not tell, what was left out and why. */
export function signalsOf({ selfReport: { gateway, caveat, rejected } }: ArmRecord): ArmResult['signals'] {
  if (gateway === '' && caveat === '' && Object.keys(rejected).length === 0) return undefined
  return { gateway: gateway === '' ? null : gateway, caveat, rejected }
}
