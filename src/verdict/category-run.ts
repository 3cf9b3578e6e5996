/**
 * The requests of one category as a run of their own, so that they are judged by the same rules as a whole one: their blocks, outcomes
 * and histograms in the place of the run's. What a category has no part of (overhead, series, the other arm) is left out.
 */

import type { BenchReport, CategoryResult } from '../report/schema.ts'
import { type Category, tailTargets } from '../slo/category.ts'
import type { BlockShare } from '../stats/share-interval.ts'

export interface CategoryRun {
  category: Category
  report: BenchReport
  /** Requests that missed a target, by block, where the run counted them by these targets. */
  counted?: BlockShare[]
}

/** All requests of a run, whatever their categories. */
export function wholeRun(report: BenchReport, category: Category): CategoryRun {
  return { category, report }
}

/** Those that were found to be of this category when they were made; undefined when the run has none. */
export function categoryRun(report: BenchReport, category: Category): CategoryRun | undefined {
  const found = report.categories?.find(({ name }) => name === category.name)
  if (!found) return undefined
  const { latencyMs, ttftMs = null } = tailTargets(category)
  const same = found.targetsMs.latency === latencyMs && found.targetsMs.ttft === ttftMs
  const counted = found.blocks.map(({ sent, within }) => ({ n: sent, over: sent - within }))
  return { category, report: partOf(report, found), ...(same ? { counted } : {}) }
}

/** How many requests no category was found for. */
export function uncategorised({ categories = [], totals }: BenchReport): number {
  return totals.sent - categories.reduce((total, { sent }) => total + sent, 0)
}

function partOf(report: BenchReport, { sent, outcomes, latencyMs, ttftMs, blocks }: CategoryResult): BenchReport {
  const { latencyMs: _, ttftMs: __, categories: ___, ...rest } = report
  const { primary, pairId, mode } = report.arms
  const successful = outcomes.OK ?? 0
  return {
    ...rest,
    arms: { pairId, mode, primary },
    totals: { ...report.totals, sent, successful, failed: sent - successful, outcomes },
    ...(latencyMs ? { latencyMs } : {}),
    ...(ttftMs ? { ttftMs } : {}),
    overhead: [],
    blocks: blocks.map(({ index, sent: inBlock, outcomes: ended, latency, ttft }) => ({
      arm: primary,
      index,
      startedAtS: 0,
      sent: inBlock,
      outcomes: ended,
      latency,
      metrics: { ttft },
      overhead: {},
    })),
    series: [],
    gate: null,
  }
}
