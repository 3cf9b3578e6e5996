/**
 * A plan's figures from the user's own runs: what an input token, an output token and a request cost a worker, fitted
 * over all levels of all runs, with the interval that they leave open; bytes per token; memory per stream. Runs that
 * did not load their workers say nothing of full ones and are refused. The runs with the fewest workers count: what
 * processes of one host take from each other is shown, and not carried to pods on many hosts.
 */

import { failure, type Result, success } from '../../errors.ts'
import { fitLine, type Line } from '../../stats/line.ts'
import { mean } from '../../stats/means.ts'
import type { Figure, PlanFigures } from '../figures.ts'
import type { Calibration } from '../uncertainty.ts'
import { groupByMix, hasDistinctMixes, mixOf, rowOf, saturatedRows } from './capacity.ts'
import { type CostFit, type CostRow, fitCosts, type Load } from './cost-model.ts'
import { busyShare, LOADED, type MeasuredRun, READABLE, reasonUnloaded, reasonUnusable } from './run.ts'

/** A line through fewer levels of a sweep shows no memory per stream. */
const FEWEST_LEVELS = 3
/** From there on nothing is extrapolated. */
const NEARLY_FULL = 0.9

export function calibrate(
  all: readonly MeasuredRun[],
  streamedShare: number,
  vendorRatio: number,
): Result<Calibration> {
  const notes: string[] = []
  const usable = usableRuns(all, streamedShare, notes)
  if (!usable.ok) return usable
  const fewest = Math.min(...usable.value.map(({ workers }) => workers))
  const runs = usable.value.filter(({ workers }) => workers === fewest)
  const read = runs.filter(({ gateway }) => gateway !== undefined)
  const rows = [
    ...read
      .filter((run) => (busyShare(run) ?? 0) >= READABLE)
      .map((run) => rowOf(run, Math.min(run.workers, run.gateway?.cpuCores ?? 0))),
    ...groupByMix(runs.filter(({ gateway }) => !gateway)).flatMap((group) => saturatedRows(group, vendorRatio, notes)),
  ]
  const streamed = runs.filter((run) => run.stream && run.outputTokensPerSec > 0)
  const eventsPerToken =
    streamed.length > 0 ? mean(streamed.map((run) => run.eventsPerSec / run.outputTokensPerSec)) : 0
  const costs = tokenCosts(fitOfTokens(rows), rows, { eventsPerToken, streamedShare, vendorRatio })
  notes.push(mixNote(runs, costs.apart, vendorRatio), ...hostNote(usable.value, fewest, costs.fit, streamedShare))
  const busiest = Math.max(0, ...read.map((run) => busyShare(run) ?? 0))
  const little = read.length > 0 && busiest < LOADED
  if (little) {
    notes.push(
      `the busiest worker was ${Math.round(busiest * 100)} % busy, which says little of a full one: certain is only ` +
        'that a worker passes what it passed, so the interval reaches up to that. Raise the concurrency',
    )
  } else if (read.length > 0 && busiest < NEARLY_FULL) {
    notes.push(
      `extrapolated: the busiest worker was ${Math.round(busiest * 100)} % busy; that a token costs as much in a ` +
        'full one is an assumption',
    )
  }
  const mixes = runs.map(mixOf)
  return success({
    figures: {
      ...costs.figures,
      ...(streamed.length > 0 && { outputBytesPerToken: meanFigure(streamed.map(bytesPerToken)) }),
      ...fitMemory(runs, notes),
    },
    interval95: (load) => {
      const { low, high } = costs.fit.workersFor(load)
      const planned = costs.workersFor(load)
      return [Math.min(low, planned), Math.max(high, planned, little ? planned / busiest : 0)]
    },
    eventsPerToken,
    mixes: [Math.min(...mixes), Math.max(...mixes)],
    notes,
  })
}

/** Costs of requests and events that leave nothing to tokens are noise: then they are left out. */
function fitOfTokens(rows: readonly CostRow[]): CostFit {
  const full = fitCosts(rows)
  return full.costs.input > 0 && full.costs.output > 0 ? full : fitCosts(rows, ['idle', 'input', 'output'])
}

const OWN = { from: 'calibrated', source: 'own measurements' } as const

interface TokenCosts {
  figures: Partial<Pick<PlanFigures, 'ratio' | 'outputPerWorker' | 'requestCpuMs'>>
  /** Whether input and output tokens were told apart. */
  apart: boolean
  fit: CostFit
  /** By the figures. */
  workersFor: (load: Load) => number
}

/** The figures of the vendor's formula, from costs: an output token with its event, R, a request. */
function tokenCosts(
  fit: CostFit,
  rows: readonly CostRow[],
  {
    eventsPerToken,
    streamedShare,
    vendorRatio,
  }: { eventsPerToken: number; streamedShare: number; vendorRatio: number },
): TokenCosts {
  const input: Load = { requests: 0, input: 1, output: 0, events: 0 }
  const output: Load = { requests: 0, input: 0, output: 1, events: eventsPerToken * streamedShare }
  const { idle, request } = fit.costs
  const [perInput, perOutput] = [fit.workersFor(input), fit.workersFor(output)]
  if (perInput.value > 0 && perOutput.value > 0) {
    const perRequest = request / (1 - idle)
    const ratio = fit.ratioOf(output, input)
    return {
      figures: {
        outputPerWorker: bounded(1 / perOutput.value, 1 / perOutput.high, 1 / perOutput.low),
        ratio: bounded(ratio.value, ratio.low, ratio.high),
        ...(perRequest > 0 && { requestCpuMs: { ...OWN, value: perRequest * 1_000 } }),
      },
      apart: true,
      fit,
      workersFor: (load) => load.input * perInput.value + load.output * perOutput.value + load.requests * perRequest,
    }
  }
  // With R kept all of it is output: the one cost that is left.
  const only = fitCosts(
    rows.map((row) => ({ ...row, output: row.output + row.input / vendorRatio, input: 0, events: 0 })),
    ['output'],
  )
  const each = only.workersFor({ requests: 0, input: 0, output: 1, events: 0 })
  return {
    figures: { outputPerWorker: bounded(1 / each.value, 1 / each.high, 1 / each.low) },
    apart: false,
    fit,
    workersFor: (load) => (load.output + load.input / vendorRatio) * each.value,
  }
}

/** A bound that the runs leave open is none. */
function bounded(value: number, low: number, high: number): Figure {
  return { ...OWN, value, ...(low > 0 && { low }), ...(Number.isFinite(high) && { high }) }
}

function meanFigure(values: readonly number[]): Figure {
  return { ...OWN, value: mean(values), low: Math.min(...values), high: Math.max(...values) }
}

/** How far the runs tell the cost of an input token from that of an output token. */
function mixNote(runs: readonly MeasuredRun[], apart: boolean, vendorRatio: number): string {
  if (apart) return 'I_w and O_w from mixes of input and output that differ'
  const from = hasDistinctMixes(runs) ? 'these runs' : 'one input:output mix'
  const kept = `R stays the default ${Number(vendorRatio.toFixed(2))}, O_w is measured`
  return (
    `I_w and O_w cannot be told apart from ${from}: ${kept}. ` +
    'Bench a second mix (longer prompts, or fewer output tokens)'
  )
}

/** What more processes of one host cost than the fewest: theirs alone, unless pods share a host as closely. */
function hostNote(all: readonly MeasuredRun[], fewest: number, fit: CostFit, streamedShare: number): string[] {
  const most = Math.max(...all.map(({ workers }) => workers))
  if (most === fewest) {
    const what = fewest === 1 ? 'a worker' : `${fewest} workers`
    return [`measured with ${what} on one host: that pods on many hosts pass as much each is an assumption`]
  }
  const full = all.filter(({ workers, saturated, gateway }) => workers === most && (gateway !== undefined || saturated))
  const times = full.map((run) => {
    const { value } = fit.workersFor(rowOf(run, run.workers))
    return Math.min(run.workers, run.gateway?.cpuCores ?? run.workers) / value
  })
  const more = times.length === 0 ? '' : ` ${Math.round((mean(times) - 1) * 100)} % more CPU`
  return [
    `${most} workers on one host take${more || ' CPU from each other'} for the same tokens: not counted, since pods ` +
      'are on many hosts; a node full of them may take some of it',
    ...(streamedShare > 0 && fewest > 1 ? [`the fewest workers measured were ${fewest}: one alone may pass more`] : []),
  ]
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
  for (const source of new Set(runs.map((run) => run.source))) {
    const idle = reasonUnloaded(runs.filter((run) => run.source === source))
    if (idle) return failure(`${source}: ${idle}`)
  }
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
  return {
    bytesPerStream: { ...OWN, value: slope, low: slope95[0], high: slope95[1] },
    baseBytesPerWorker: { ...OWN, value: intercept / workers },
  }
}

function bytesPerToken(run: MeasuredRun): number {
  return run.bytesPerSec / run.outputTokensPerSec
}
