/** The overhead section of a report: each definition under its own name, with its components judged against their budgets. */

import { TOLD } from '../overhead/self-reported.ts'
import type { Budgets } from '../report/budgets.ts'
import { intervalMs, quantilesMs, toMs } from '../report/distribution.ts'
import type { ArmResult, OverheadResult, Verdict } from '../report/schema.ts'
import { type EncodedHistogram, Histogram } from '../stats/histogram.ts'
import { orderIntervalUs } from '../stats/order-interval.ts'
import { quantileBounds } from '../stats/quantile-interval.ts'
import type { ArmRecord } from './recorder.ts'

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
      ...totals(
        stamped,
        arm.stamped.total,
        arm.blocks.map((block) => block.stamped),
      ),
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
      ...(unattributed.count > 0 ? { components: { unattributed: component(unattributed, null) } } : {}),
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
    const parts = definition === 'self-reported' ? Object.entries(arm.selfReport.components) : []
    const components = parts.map(([name, encoded]) => {
      return [name, component(Histogram.decode(encoded), budgets.components[name] ?? null)] as [string, Component]
    })
    // Where the gateway tells its parts, their sum stands below them, with what the whole may take.
    if (components.length > 0) components.push(['total', component(Histogram.decode(told.total), budgets.totalMs)])
    const { gateway } = arm.selfReport
    results.push({
      definition,
      source: gateway === '' ? told.source : `${gateway}, ${told.source}`,
      ...totals(
        Histogram.decode(told.total),
        told.total,
        arm.blocks.flatMap((block) => block.told[definition] ?? []),
      ),
      ...(components.length > 0 ? { components: Object.fromEntries(components) } : {}),
      rejected,
      cacheHits: 0,
      retried: 0,
      note: told.note,
    })
  }
  return results
}

function totals(total: Histogram, encoded: EncodedHistogram, byBlock: EncodedHistogram[]) {
  const blocks = byBlock.map((block) => Histogram.decode(block)).filter((block) => block.count > 0)
  const { lowerUs, upperUs } = quantileBounds(blocks, 0.99, 0.025)
  return {
    count: total.count,
    totalMs: { ...quantilesMs(total), ci95: intervalMs([lowerUs, upperUs]) },
    negative: total.negative,
    histogram: encoded,
  }
}

type Component = NonNullable<OverheadResult['components']>[string]

/** A budget of 0 means that it must not show: it stays below what figures are rounded to. */
const NOT_TO_BE_SEEN_MS = 0.05

/** A component is judged by the order-statistic interval of its P99: shown in the table, never a gate. */
function component(histogram: Histogram, budgetMs: number | null): Component {
  const [lowerUs, upperUs] = orderIntervalUs(histogram, 0.99)
  return {
    count: histogram.count,
    p50: toMs(histogram.quantileUs(0.5)),
    p99: toMs(histogram.quantileUs(0.99)),
    budgetMs,
    verdict: budgetMs === null ? null : verdictOf(lowerUs / 1_000, upperUs / 1_000, budgetMs || NOT_TO_BE_SEEN_MS),
  }
}

function verdictOf(lowerMs: number, upperMs: number, budgetMs: number): Verdict {
  if (upperMs < budgetMs) return 'pass'
  return lowerMs >= budgetMs ? 'fail' : 'inconclusive'
}

/** What the gateway said of itself beside its figures: its name, what it does not tell, what was left out and why. */
export function signalsOf({ selfReport: { gateway, caveat, rejected } }: ArmRecord): ArmResult['signals'] {
  if (gateway === '' && caveat === '' && Object.keys(rejected).length === 0) return undefined
  return { gateway: gateway === '' ? null : gateway, caveat, rejected }
}
