/**
 * What a group of like runs says its workers can pass: the measured throughput of the best one, the peak of a curve over concurrency
 * (USL), or, by the utilisation law, throughput over busy share where the workers' CPU was not used up.
 */
import { FEWEST_POINTS, fitUsl } from '../usl/fit.ts'
import { asymptote, peak, throughputAt } from '../usl/model.ts'
import { equivalentOutput, type MeasuredRun, partlyBusy } from './run.ts'
import type { CapacityPoint } from './worker-costs.ts'

/** Input:output ratios within this factor are one mix. */
const SAME_MIX = 1.2

/** Runs of the same workers and about the same mix: their concurrencies are points of one curve. */
export function groupsOf(runs: readonly MeasuredRun[]): MeasuredRun[][] {
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

/**
 * The most that a group's workers passed: of a fitted curve over concurrency where there is one, else of the best run. Where the
 * workers' CPU is known and was not used up, the curve is that of another limit, and what they would pass follows from their CPU.
 */
export function capacityOf(
  group: readonly MeasuredRun[],
  ratio: number,
  notes: string[],
): CapacityPoint | { why: string } {
  const equivalent = (run: MeasuredRun): number => equivalentOutput(run, ratio)
  const best = group.reduce((top, run) => (equivalent(run) > equivalent(top) ? run : top))
  const levels = new Set(group.map((run) => run.concurrency).filter((level) => level !== undefined))
  const busy = partlyBusy(best)
  const point: CapacityPoint = {
    workers: best.workers,
    inputTokensPerSec: best.inputTokensPerSec / (busy ?? 1),
    outputTokensPerSec: best.outputTokensPerSec / (busy ?? 1),
    relativeError: best.relativeError,
  }
  if (busy !== undefined) {
    notes.push(
      `${best.label}: ${best.workers === 1 ? 'the worker was' : `${best.workers} workers were`} ${Math.round(busy * 100)} % busy where most passed, so something else was the limit. That a token costs as much CPU in a fully busy worker is an assumption`,
    )
    return point
  }
  if (levels.size < FEWEST_POINTS) return point
  const curve = group.filter((run) => run.concurrency !== undefined)
  const result = fitUsl({ n: curve.map((run) => run.concurrency ?? 0), x: curve.map(equivalent) })
  if (result.state === 'refused') return { why: result.why }
  const { model, largestN, residualStandardError, warnings } = result.fit
  const top = peak(model)
  const at = top && top.n <= largestN ? top.n : largestN
  const factor = throughputAt(at, model) / equivalent(best)
  const limit = asymptote(model)
  notes.push(
    `over concurrency up to ${largestN}, ${best.workers} worker${best.workers === 1 ? '' : 's'}: throughput ${top && top.n <= largestN ? `peaks at ${Math.round(top.n)} in flight` : 'still grows'}${limit ? `, contention alone would cap it at ${Math.round(limit)} equivalent tokens/s` : ''}`,
    ...warnings,
  )
  return {
    ...point,
    inputTokensPerSec: point.inputTokensPerSec * factor,
    outputTokensPerSec: point.outputTokensPerSec * factor,
    relativeError: Math.max(point.relativeError, residualStandardError / throughputAt(at, model)),
  }
}

function mixOf(run: MeasuredRun): number {
  return run.inputTokensPerSec / Math.max(run.outputTokensPerSec, 1e-9)
}
