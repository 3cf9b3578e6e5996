/**
 * Streams are judged by what their reader feels: what the gateway adds to the first token and to each later one,
 * against the budget; and for how long it holds tokens back, against its flush interval. Where the provider does not
 * stamp its tokens, the time to the first one is compared with that of the direct arm.
 */
import type { Run } from '../report/schema.ts'
import { METRICS, type StampMetric } from '../slo/metrics.ts'
import { judgeBudget } from '../stats/gate.ts'
import { judgePaired } from '../stats/paired-gate.ts'
import { blockPairs, gateBlocks, hasValues, reader } from './blocks.ts'
import { durationCheck, type Judge, undecidedCheck } from './checks.ts'

/** The reference gateway's default of `streaming.flush_interval`. */
export const FLUSH_INTERVAL_MS = 100

export interface StreamLimits {
  /** The budget that was asked for. */
  budgetMs: number | undefined
  /** The limit of the hold that was asked for; with a budget alone it is the flush interval. */
  holdMs: number | undefined
}

/** `direct` is the other arm of the run, where that is the provider itself. */
export function streamJudges(report: Run, direct: Run | undefined, { budgetMs, holdMs }: StreamLimits): Judge[] {
  if (report.totals.successful === 0 || report.role === 'direct') return []
  const holdLimitMs = holdMs ?? (budgetMs === undefined ? undefined : FLUSH_INTERVAL_MS)
  const limits: [StampMetric, number | undefined][] = [
    ['addedTtft', budgetMs],
    ['addedPerToken', budgetMs],
    ['hold', holdLimitMs],
  ]
  const judges = limits.flatMap(([metric, limitMs]) =>
    limitMs === undefined ? [] : (stampJudge(report, metric, limitMs) ?? []),
  )
  if (judges.length > 0) return judges
  return [
    ...(budgetMs === undefined || !direct ? [] : ttftJudge(report, direct, budgetMs)),
    ...(holdMs === undefined
      ? []
      : [() => undecidedCheck('hold.p99', '<', holdMs, `no samples: ${METRICS.hold.label} takes --stream and stamps`)]),
  ]
}

function stampJudge(report: Run, metric: StampMetric, limitMs: number): Judge | undefined {
  const read = reader(metric)
  const blocks = gateBlocks(report, read)
  if (!hasValues(blocks)) return undefined
  const floor = report.baseline?.role === 'direct' ? gateBlocks(report.baseline, read) : []
  return (alphaFail) => {
    const result = judgeBudget({
      limitUs: limitMs * 1_000,
      alphaFail,
      blocks,
      ...(hasValues(floor) ? { floor } : {}),
      client: report.client.verdict,
      // What carries no reading is counted where the whole overhead is judged.
      unread: 0,
    })
    return durationCheck(`${metric}.p99`, '<', limitMs, result)
  }
}

function ttftJudge(report: Run, direct: Run, limitMs: number): Judge[] {
  const pairs = blockPairs(direct, report, reader('ttft'))
  if (!pairs.some(({ baseline, gateway }) => baseline.values.count > 0 && gateway.values.count > 0)) return []
  const limit = (us: number): number => us + limitMs * 1_000
  return [
    (alphaFail) => {
      const result = judgePaired({ pairs, limit, client: report.client.verdict, alphaFail })
      return durationCheck('delta.ttft.p99', '<', limitMs, result)
    },
  ]
}
