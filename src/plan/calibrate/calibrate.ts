/**
 * A plan's figures from one's own runs: what a worker passes, with an interval; bytes per token; how throughput scales over worker
 * counts (USL), or over concurrency, which caps one worker and no more. Every run is taken to have kept its workers busy: one that
 * did not makes the plan larger, never smaller. What cannot be identified is said.
 */
import { normal, randomFrom } from '../../stats/random.ts'
import type { Figure } from '../figures.ts'
import type { Calibration } from '../plan.ts'
import { fitUsl, middle95 } from '../usl/fit.ts'
import { asymptote, peak, throughputAt } from '../usl/model.ts'
import { type MeasuredRun, unfit } from './run.ts'
import { type CapacityPoint, identifiable, workerCosts, workerCostsWithRatio } from './worker-costs.ts'

export type CalibrationResult = { state: 'calibrated'; calibration: Calibration } | { state: 'refused'; why: string }

const DRAWS = 400
const FEWEST_FOR_USL = 4
/** Input:output ratios within this factor are one mix. */
const SAME_MIX = 1.2

export function calibrate(
  runs: readonly MeasuredRun[],
  streamedShare: number,
  vendorRatio: number,
  seed = 1,
): CalibrationResult {
  for (const run of runs) {
    const why = unfit(run, streamedShare)
    if (why) return { state: 'refused', why: `${run.label}: ${why}` }
  }
  const notes = [`${runs.length} ${runs.length === 1 ? 'run' : 'runs'}, each taken to have kept its workers busy`]
  const groups = groupsOf(runs)
  const points = groups.map((group) => capacityOf(group, vendorRatio, notes))
  const refused = points.find((point) => 'why' in point)
  if (refused && 'why' in refused) return { state: 'refused', why: refused.why }
  const capacity = points as CapacityPoint[]
  const apart = identifiable(capacity) ? workerCosts(capacity) : undefined
  notes.push(
    apart
      ? 'I_w and O_w from mixes of input and output that differ'
      : `I_w and O_w cannot be told apart from ${identifiable(capacity) ? 'these runs' : 'one input:output mix'}: R stays the default ${Number(vendorRatio.toFixed(2))}, O_w is measured. Bench a second mix (longer prompts, or fewer output tokens)`,
  )
  const costs = apart ?? workerCostsWithRatio(capacity, vendorRatio)
  const random = randomFrom(`calibration:${seed}`)
  const draws = Array.from({ length: DRAWS }, () => {
    const drawn = capacity.map((point) => {
      const factor = Math.max(0.05, 1 + point.relativeError * normal(random))
      return {
        ...point,
        inputTokensPerSec: point.inputTokensPerSec * factor,
        outputTokensPerSec: point.outputTokensPerSec * factor,
      }
    })
    const again = (apart && workerCosts(drawn)) ?? workerCostsWithRatio(drawn, costs.output / costs.input)
    return { ratio: again.output / again.input, outputPerWorker: 1 / again.output }
  })
  const figure = (value: number, values: number[]): Figure => {
    const [low, high] = middle95(values)
    return { value, from: 'calibrated', source: 'kt bench reports', low, high }
  }
  const streamed = runs.filter((run) => run.stream && run.outputTokensPerSec > 0)
  const ratio = costs.output / costs.input
  const scaling = scalingOf(capacity, ratio, notes)
  if ('why' in scaling) return { state: 'refused', why: scaling.why }
  return {
    state: 'calibrated',
    calibration: {
      figures: {
        outputPerWorker: figure(
          1 / costs.output,
          draws.map((draw) => draw.outputPerWorker),
        ),
        ...(apart
          ? {
              ratio: figure(
                ratio,
                draws.map((draw) => draw.ratio),
              ),
            }
          : {}),
        ...(streamed.length > 0
          ? { outputBytesPerToken: figure(mean(streamed.map(bytesPerToken)), streamed.map(bytesPerToken)) }
          : {}),
      },
      draws,
      ...(scaling.scaling ? { scaling: scaling.scaling } : {}),
      notes,
    },
  }
}

/** Runs of the same workers and about the same mix: their concurrencies are points of one curve. */
function groupsOf(runs: readonly MeasuredRun[]): MeasuredRun[][] {
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

/** The most that a group's workers passed: of a fitted curve over concurrency where there is one, else of the best run. */
function capacityOf(group: readonly MeasuredRun[], ratio: number, notes: string[]): CapacityPoint | { why: string } {
  const equivalent = (run: MeasuredRun): number => run.inputTokensPerSec / ratio + run.outputTokensPerSec
  const best = group.reduce((top, run) => (equivalent(run) > equivalent(top) ? run : top))
  const levels = new Set(group.map((run) => run.concurrency).filter((level) => level !== undefined))
  const point: CapacityPoint = {
    workers: best.workers,
    inputTokensPerSec: best.inputTokensPerSec,
    outputTokensPerSec: best.outputTokensPerSec,
    relativeError: best.relativeError,
  }
  if (levels.size < FEWEST_FOR_USL) return point
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

/** How throughput grows with workers: fitted where it was measured, else in proportion, which is an assumption and labelled so. */
function scalingOf(
  points: readonly CapacityPoint[],
  ratio: number,
  notes: string[],
): { scaling?: Calibration['scaling'] } | { why: string } {
  const counts = [...new Set(points.map(({ workers }) => workers))]
  if (counts.length < FEWEST_FOR_USL) {
    const most = Math.max(...counts)
    notes.push(
      `measured with ${counts.sort((a, b) => a - b).join(', ')} worker${most === 1 ? '' : 's'}: that more of them pass as much each is an assumption (${FEWEST_FOR_USL} worker counts would show it)`,
    )
    return {}
  }
  const result = fitUsl({
    n: points.map(({ workers }) => workers),
    x: points.map(({ inputTokensPerSec, outputTokensPerSec }) => inputTokensPerSec / ratio + outputTokensPerSec),
  })
  if (result.state === 'refused') return { why: result.why }
  const { model, resampled, largestN, warnings } = result.fit
  notes.push(
    `over worker counts up to ${largestN}: contention ${(model.alpha * 100).toFixed(2)} %, coherency ${(model.beta * 100).toFixed(4)} %`,
    ...warnings,
  )
  return { scaling: { model, resampled, largestN } }
}

function mixOf(run: MeasuredRun): number {
  return run.inputTokensPerSec / Math.max(run.outputTokensPerSec, 1e-9)
}

function bytesPerToken(run: MeasuredRun): number {
  return run.bytesPerSec / run.outputTokensPerSec
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
