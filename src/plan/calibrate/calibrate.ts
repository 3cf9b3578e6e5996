/**
 * A plan's figures from the user's own runs: what a worker passes, with an interval; bytes per token; how throughput
 * scales over worker counts (USL), or over concurrency, which caps one worker and no more; memory per stream. Where the
 * CPU of a run's gateway is not known, its workers are taken to have been busy: if they were not, the plan becomes
 * larger, never smaller. What the runs cannot tell is said in a note.
 */

import { failure, type Result, success } from '../../errors.ts'
import { fitLine, type Line } from '../../stats/line.ts'
import { normal, randomFrom } from '../../stats/random.ts'
import type { Scaling } from '../cpu.ts'
import type { Figure, PlanFigures } from '../figures.ts'
import type { Calibration } from '../plan.ts'
import { FEWEST_POINTS, fitUsl, middle95 } from '../usl/fit.ts'
import {
  type CapacityPoint,
  groupByMix,
  hasDistinctMixes,
  measureCapacity,
  workerCosts,
  workerCostsWithRatio,
} from './capacity.ts'
import { equivalentOutput, type MeasuredRun, reasonUnusable } from './run.ts'

const DRAWS = 400
/** A line through fewer levels of a sweep shows no memory per stream. */
const FEWEST_LEVELS = 3

export function calibrate(
  all: readonly MeasuredRun[],
  streamedShare: number,
  vendorRatio: number,
  seed = 1,
): Result<Calibration> {
  const notes: string[] = []
  const fit = usableRuns(all, streamedShare, notes)
  if (!fit.ok) return fit
  const runs = fit.value
  const capacity: CapacityPoint[] = []
  for (const group of groupByMix(runs)) {
    const point = measureCapacity(group, vendorRatio, notes)
    if (!point.ok) return point
    capacity.push(point.value)
  }
  const apart = hasDistinctMixes(capacity) ? workerCosts(capacity) : undefined
  notes.push(mixNote(capacity, apart !== undefined, vendorRatio))
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
    return { value, from: 'calibrated', source: 'own measurements', low, high }
  }
  const memory = fitMemory(runs, notes)
  const streamed = runs.filter((run) => run.stream && run.outputTokensPerSec > 0)
  const ratio = costs.output / costs.input
  const scaling = fitScaling(capacity, ratio, notes)
  if (!scaling.ok) return scaling
  return success({
    figures: {
      outputPerWorker: figure(
        1 / costs.output,
        draws.map((draw) => draw.outputPerWorker),
      ),
      ...(apart && {
        ratio: figure(
          ratio,
          draws.map((draw) => draw.ratio),
        ),
      }),
      ...(streamed.length > 0 && {
        outputBytesPerToken: figure(mean(streamed.map(bytesPerToken)), streamed.map(bytesPerToken)),
      }),
      ...memory,
    },
    draws,
    ...(scaling.value && { scaling: scaling.value }),
    notes,
  })
}

/** How far the runs tell the cost of an input token from that of an output token. */
function mixNote(capacity: readonly CapacityPoint[], apart: boolean, vendorRatio: number): string {
  if (apart) return 'I_w and O_w from mixes of input and output that differ'
  const from = hasDistinctMixes(capacity) ? 'these runs' : 'one input:output mix'
  const kept = `R stays the default ${Number(vendorRatio.toFixed(2))}, O_w is measured`
  return (
    `I_w and O_w cannot be told apart from ${from}: ${kept}. ` +
    'Bench a second mix (longer prompts, or fewer output tokens)'
  )
}

/** The usable runs of each file. A sweep also measures levels that no calibration may rest on: a note says how many. */
function usableRuns(all: readonly MeasuredRun[], streamedShare: number, notes: string[]): Result<MeasuredRun[]> {
  const runs: MeasuredRun[] = []
  for (const source of new Set(all.map((run) => run.source))) {
    const own = all.filter((run) => run.source === source)
    const reasons = own.flatMap((run) => reasonUnusable(run, streamedShare) ?? [])
    if (reasons.length === own.length) return failure(`${source}: ${reasons[0]}`)
    if (reasons.length > 0) notes.push(`${source}: ${reasons.length} of ${own.length} levels left out (${reasons[0]})`)
    runs.push(...own.filter((run) => reasonUnusable(run, streamedShare) === undefined))
  }
  const [first] = runs
  const other = runs.find(({ countedBy }) => countedBy !== first?.countedBy)
  if (first && other) {
    const basis = ({ label, countedBy }: MeasuredRun): string => `${label} counts tokens by ${countedBy}`
    return failure(`${basis(first)}, ${basis(other)}: one calibration cannot rest on both`)
  }
  const unknown = runs.filter(({ gateway }) => !gateway).length
  if (unknown > 0) notes.push(`${unknown} ${unknown === 1 ? 'run' : 'runs'} taken to have kept the workers busy`)
  return success(runs)
}

/**
 * Memory of a worker at rest and of one stream: the least-squares line through what the gateway's processes held at
 * numbers of streams, for one number of workers (the fewest), since further processes add more than streams. Resident
 * memory seldom falls and the levels of a sweep rise, so garbage that is not yet collected counts as the streams': the
 * figure errs upwards. A slope whose interval reaches 0 says nothing of a stream.
 */
function fitMemory(
  runs: readonly MeasuredRun[],
  notes: string[],
): Partial<Pick<PlanFigures, 'bytesPerStream' | 'baseBytesPerWorker'>> {
  const known = runs.flatMap(({ source, stream, workers, gateway, inFlight }) =>
    stream && gateway && inFlight !== undefined ? [{ source, workers, x: inFlight, y: gateway.rssBytes }] : [],
  )
  if (known.length === 0) return {}
  const fewest = Math.min(...known.map(({ workers }) => workers))
  const lines = [...new Set(known.map(({ source }) => source))].flatMap((source) => {
    const points = known.filter((point) => point.source === source && point.workers === fewest)
    const line = points.length >= FEWEST_LEVELS ? fitLine(points) : undefined
    return line && line.slope95[0] > 0 && line.intercept > 0 ? [line] : []
  })
  // Of several mixes the one whose streams hold most.
  const [most] = lines.sort((a, b) => b.slope - a.slope)
  if (!most) {
    notes.push(
      'memory per stream cannot be told from noise: it stays the default ' +
        `(sweep ${FEWEST_LEVELS} levels or more, farther apart)`,
    )
    return {}
  }
  notes.push('memory per stream from what was resident at rising levels: garbage not yet collected is in it')
  return memoryFigures(most, fewest)
}

function memoryFigures({ slope, intercept, slope95 }: Line, workers: number) {
  const common = { from: 'calibrated', source: 'own measurements' } as const
  return {
    bytesPerStream: { ...common, value: slope, low: slope95[0], high: slope95[1] },
    baseBytesPerWorker: { ...common, value: intercept / workers },
  }
}

/**
 * How throughput grows with workers: fitted where it was measured, else in proportion, which is an assumption and
 * labelled so.
 */
function fitScaling(points: readonly CapacityPoint[], ratio: number, notes: string[]): Result<Scaling | undefined> {
  const counts = [...new Set(points.map(({ workers }) => workers))]
  if (counts.length < FEWEST_POINTS) {
    const most = Math.max(...counts)
    const measured = counts.sort((a, b) => a - b).join(', ')
    notes.push(
      `measured with ${measured} worker${most === 1 ? '' : 's'}: that more of them pass as much each ` +
        `is an assumption (${FEWEST_POINTS} worker counts would show it)`,
    )
    return success(undefined)
  }
  const result = fitUsl({
    n: points.map(({ workers }) => workers),
    x: points.map((point) => equivalentOutput(point, ratio)),
  })
  if (!result.ok) return result
  const { model, resampled, largestN, warnings } = result.value
  notes.push(
    `over worker counts up to ${largestN}: contention ${(model.alpha * 100).toFixed(2)} %, ` +
      `coherency ${(model.beta * 100).toFixed(4)} %`,
    ...warnings,
  )
  return success({ model, resampled, largestN })
}

function bytesPerToken(run: MeasuredRun): number {
  return run.bytesPerSec / run.outputTokensPerSec
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
