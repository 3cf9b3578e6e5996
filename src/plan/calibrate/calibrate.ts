/**
 * A plan's figures from one's own runs: what a worker passes, with an interval; bytes per token; how throughput scales over worker
 * counts (USL), or over concurrency, which caps one worker and no more; memory per stream. A run whose gateway's CPU is not known is
 * taken to have kept its workers busy: one that did not makes the plan larger, never smaller. What cannot be identified is said.
 */

import { fitLine, type Line } from '../../stats/line.ts'
import { normal, randomFrom } from '../../stats/random.ts'
import type { Figure, Figures } from '../figures.ts'
import type { Calibration } from '../plan.ts'
import { FEWEST_POINTS, fitUsl, middle95 } from '../usl/fit.ts'
import {
  type CapacityPoint,
  capacityOf,
  groupsOf,
  identifiable,
  workerCosts,
  workerCostsWithRatio,
} from './capacity.ts'
import { equivalentOutput, type MeasuredRun, unfit } from './run.ts'

/**
 * Memory of a worker at rest and of one stream, from what the gateway's processes held at numbers of streams: the line of least squares,
 * of one number of workers (the fewest), since further processes add more than streams. Resident memory seldom falls again and the
 * levels of a sweep rise, so garbage not yet collected counts as the streams': the figure errs upwards. A slope that its interval
 * cannot tell from none says nothing of a stream.
 */

const FEWEST_LEVELS = 3

function memoryOf(
  runs: readonly MeasuredRun[],
  notes: string[],
): Partial<Pick<Figures, 'bytesPerStream' | 'baseBytesPerWorker'>> {
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
      `memory per stream cannot be told from noise: it stays the default (sweep ${FEWEST_LEVELS} levels or more, farther apart)`,
    )
    return {}
  }
  notes.push('memory per stream from what was resident at rising levels: garbage not yet collected is in it')
  return figuresOf(most, fewest)
}

function figuresOf({ slope, intercept, slope95 }: Line, workers: number) {
  const common = { from: 'calibrated', source: 'own measurements' } as const
  return {
    bytesPerStream: { ...common, value: slope, low: slope95[0], high: slope95[1] },
    baseBytesPerWorker: { ...common, value: intercept / workers },
  }
}

export type CalibrationResult = { state: 'calibrated'; calibration: Calibration } | { state: 'refused'; why: string }

const DRAWS = 400

export function calibrate(
  all: readonly MeasuredRun[],
  streamedShare: number,
  vendorRatio: number,
  seed = 1,
): CalibrationResult {
  const notes: string[] = []
  const fit = fitRuns(all, streamedShare, notes)
  if ('why' in fit) return { state: 'refused', why: fit.why }
  const { runs } = fit
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
    return { value, from: 'calibrated', source: 'own measurements', low, high }
  }
  const memory = memoryOf(runs, notes)
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
        ...memory,
      },
      draws,
      ...(scaling.scaling ? { scaling: scaling.scaling } : {}),
      notes,
    },
  }
}

/** What of each file can be used. A sweep reaches past what a calibration may rest on: such levels are left out, and that is said. */
function fitRuns(
  all: readonly MeasuredRun[],
  streamedShare: number,
  notes: string[],
): { runs: MeasuredRun[] } | { why: string } {
  const runs: MeasuredRun[] = []
  for (const source of new Set(all.map((run) => run.source))) {
    const own = all.filter((run) => run.source === source)
    const reasons = own.flatMap((run) => unfit(run, streamedShare) ?? [])
    if (reasons.length === own.length) return { why: `${source}: ${reasons[0]}` }
    if (reasons.length > 0) notes.push(`${source}: ${reasons.length} of ${own.length} levels left out (${reasons[0]})`)
    runs.push(...own.filter((run) => unfit(run, streamedShare) === undefined))
  }
  const unknown = runs.filter(({ gateway }) => !gateway).length
  if (unknown > 0) notes.push(`${unknown} ${unknown === 1 ? 'run' : 'runs'} taken to have kept the workers busy`)
  return { runs }
}

/** How throughput grows with workers: fitted where it was measured, else in proportion, which is an assumption and labelled so. */
function scalingOf(
  points: readonly CapacityPoint[],
  ratio: number,
  notes: string[],
): { scaling?: Calibration['scaling'] } | { why: string } {
  const counts = [...new Set(points.map(({ workers }) => workers))]
  if (counts.length < FEWEST_POINTS) {
    const most = Math.max(...counts)
    notes.push(
      `measured with ${counts.sort((a, b) => a - b).join(', ')} worker${most === 1 ? '' : 's'}: that more of them pass as much each is an assumption (${FEWEST_POINTS} worker counts would show it)`,
    )
    return {}
  }
  const result = fitUsl({
    n: points.map(({ workers }) => workers),
    x: points.map((point) => equivalentOutput(point, ratio)),
  })
  if (result.state === 'refused') return { why: result.why }
  const { model, resampled, largestN, warnings } = result.fit
  notes.push(
    `over worker counts up to ${largestN}: contention ${(model.alpha * 100).toFixed(2)} %, coherency ${(model.beta * 100).toFixed(4)} %`,
    ...warnings,
  )
  return { scaling: { model, resampled, largestN } }
}

function bytesPerToken(run: MeasuredRun): number {
  return run.bytesPerSec / run.outputTokensPerSec
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
