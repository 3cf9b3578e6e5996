/**
 * How far a plan may be off: what was learnt from measured runs and how far that reaches, else what a vendor's own
 * measurements differ by.
 */
import type { Load } from './calibrate/cost-model.ts'
import { costRatio, rawWorkers, workersByFigures } from './cpu.ts'
import type { Demand } from './demand.ts'
import type { PlanFigures } from './figures.ts'
import type { Need } from './need.ts'
import type { Factor } from './redundancy.ts'
import type { Sizing } from './sizing.ts'

/** What was learnt from measured runs. */
export interface Calibration {
  figures: Partial<PlanFigures>
  /** 95 % of the workers that a load may need by those runs. */
  interval95: (load: Load) => readonly [number, number]
  /** Events of a streamed output token. */
  eventsPerToken: number
  /** Input tokens an output token, from the lowest to the highest that was measured. */
  mixes: readonly [number, number]
  notes: string[]
}

/** 95 % of the workers by the runs of a calibration; without an upper end where these say nothing of such a load. */
export function intervalOf(demand: Demand, { interval95, eventsPerToken }: Calibration): readonly [number, number] {
  return interval95({
    requests: demand.requestsPerSec,
    input: demand.inputTokensPerSec,
    output: demand.outputTokensPerSec,
    events: demand.outputTokensPerSec * demand.request.streamedShare * eventsPerToken,
  })
}

/** Beyond the mixes that were measured, by more than a little. */
const NEAR_MIX = 1.5

/** What lies outside of what was measured, a note for each; none where nothing does. */
export function extrapolations(
  { inputTokensPerSec, outputTokensPerSec }: Demand,
  { mixes: [low, high] }: Calibration,
): string[] {
  const mix = inputTokensPerSec / Math.max(outputTokensPerSec, 1e-9)
  if (mix >= low / NEAR_MIX && mix <= high * NEAR_MIX) return []
  const form = (value: number): string => String(Number(value.toPrecision(2)))
  return [
    `extrapolated: ${form(mix)} input tokens an output token, where ${form(low)} to ${form(high)} were measured: ` +
      'bench such a mix',
  ]
}

/** How far the workers that the CPU needs may lie above what the figures say. */
export function cpuUncertainty(
  demand: Demand,
  figures: PlanFigures,
  sizing: Sizing,
  calibration: Calibration | undefined,
): Factor {
  if (calibration) {
    const factor = Math.max(1, intervalOf(demand, calibration)[1] / workersByFigures(demand, figures))
    return { factor, why: 'upper end of the 95 % interval of the calibration' }
  }
  const workers = sizing.measuredPerWorker.map((worker) =>
    rawWorkers(demand, costRatio(worker), worker.outputTokensPerSec),
  )
  if (workers.length === 0) return { factor: 1, why: 'not known: nothing was measured' }
  const why = "what the vendor's own measured paths differ by for this demand; yours is not measured"
  return { factor: Math.max(...workers) / Math.min(...workers), why }
}

/** The other constraints rest on figures that have an interval only where they were measured. */
export function otherUncertainty(name: Need['name'], { outputBytesPerToken, bytesPerStream }: PlanFigures): Factor {
  const figure = name === 'network' ? outputBytesPerToken : name === 'memory' ? bytesPerStream : undefined
  return figure?.high === undefined
    ? { factor: 1, why: 'not known: its figures have no interval' }
    : { factor: Math.max(1, figure.high / figure.value), why: 'upper end of what was measured' }
}
