/**
 * What used-up workers passed, from runs whose CPU was not read but which show that requests waited for the gateway:
 * one row for each mix of input and output, at the peak of a curve over concurrency (USL) where there is one, else a
 * row for each run.
 */
import { equivalentOutputLoad } from '../cpu.ts'
import { FEWEST_POINTS, fitUsl } from '../usl/fit.ts'
import { asymptote, peak, throughputAt } from '../usl/model.ts'
import type { CostRow } from './cost-model.ts'
import type { MeasuredRun } from './run.ts'

/** Input:output ratios within this factor are one mix. */
const SAME_MIX = 1.2
/** An error of 0 is one that was not estimated. */
const SMALLEST_ERROR = 0.01

/** Runs of the same workers and about the same mix: their concurrencies are points of one curve. */
export function groupByMix(runs: readonly MeasuredRun[]): MeasuredRun[][] {
  const groups: MeasuredRun[][] = []
  for (const run of runs) {
    const same = groups.find(([first]) => {
      if (!first || first.workers !== run.workers) return false
      const factor = mixOf(first) / mixOf(run)
      return factor < SAME_MIX && factor > 1 / SAME_MIX
    })
    if (same) same.push(run)
    else groups.push([run])
  }
  return groups
}

/** A run as a row of the cost model, `times` as much passed by `cores`. */
export function rowOf(run: MeasuredRun, cores: number, times = 1, standardError = run.relativeError): CostRow {
  return {
    source: run.source,
    workers: run.workers,
    cores,
    read: run.gateway !== undefined,
    requests: run.requestsPerSec * times,
    input: run.inputTokensPerSec * times,
    output: run.outputTokensPerSec * times,
    events: run.stream ? run.eventsPerSec * times : 0,
    standardError: Math.hypot(standardError, SMALLEST_ERROR),
  }
}

export function saturatedRows(group: readonly MeasuredRun[], ratio: number, notes: string[]): CostRow[] {
  const equivalent = (run: MeasuredRun): number => equivalentOutputLoad(run, ratio)
  const best = group.reduce((top, run) => (equivalent(run) > equivalent(top) ? run : top))
  const curve = group.filter((run) => run.concurrency !== undefined)
  const levels = new Set(curve.map((run) => run.concurrency))
  const fit =
    levels.size < FEWEST_POINTS
      ? undefined
      : fitUsl({ n: curve.map((run) => run.concurrency ?? 0), x: curve.map(equivalent) })
  const full = group.filter(({ saturated }) => saturated).map((run) => rowOf(run, run.workers))
  if (!fit) return full
  if (!fit.ok) {
    notes.push(`no curve over concurrency: ${fit.why}. Each level that was used up counts by itself`)
    return full
  }
  const { model, largestN, residualStandardError, widening, warnings } = fit.value
  const top = peak(model)
  const at = top && top.n <= largestN ? top.n : largestN
  const limit = asymptote(model)
  const shape = top && top.n <= largestN ? `peaks at ${Math.round(top.n)} in flight` : 'still grows'
  const cap = limit ? `, contention alone would cap it at ${Math.round(limit)} equivalent tokens/s` : ''
  notes.push(
    `over concurrency up to ${largestN}, ${best.workers} worker${best.workers === 1 ? '' : 's'}: ` +
      `throughput ${shape}${cap}`,
    ...warnings,
  )
  const error = Math.max(best.relativeError, (widening * residualStandardError) / throughputAt(at, model))
  return [rowOf(best, best.workers, throughputAt(at, model) / equivalent(best), error)]
}

/** Input tokens an output token. */
export function mixOf(run: Pick<MeasuredRun, 'inputTokensPerSec' | 'outputTokensPerSec'>): number {
  return run.inputTokensPerSec / Math.max(run.outputTokensPerSec, 1e-9)
}

/** Mixes whose input:output ratios differ by less are one mix. */
const DISTINCT_MIX = 1.5

export function hasDistinctMixes(runs: readonly MeasuredRun[]): boolean {
  const mixes = runs.map(mixOf)
  return Math.max(...mixes) / Math.min(...mixes) >= DISTINCT_MIX
}
