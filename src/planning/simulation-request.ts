/** Turns the flags of `kt plan simulate` into traffic and a fleet. */

import { UserError } from '../errors.ts'
import { parseFlag, share } from '../parse/quantity.ts'
import { rawWorkers } from '../plan/cpu.ts'
import { makePlan } from '../plan/plan.ts'
import { fleetFigures } from '../plan/simulate/confirm.ts'
import type { FleetOptions } from '../plan/simulate/fleet.ts'
import { type Burst, steadyTraffic, type Traffic, traceTraffic } from '../plan/simulate/traffic.ts'
import { formatNumber, formatShare } from '../units.ts'
import { readTrace } from '../workload/trace.ts'
import type { PlanFlags } from './plan-flags.ts'
import { parseSeconds, positiveCount, wholeCount } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'

/** Requests simulated one by one; beyond it a sample of the workers stands for all. */
const BUDGET = 20_000_000
const MAX_SECONDS = 7 * 86_400

type SimulationFlags = PlanFlags & {
  workers?: string | undefined
  duration?: string | undefined
  burst?: string | undefined
  'lose-zone-at'?: string | undefined
  'lose-zone-for'?: string | undefined
  autoscale?: string | undefined
  'max-workers'?: string | undefined
  'start-lag'?: string | undefined
  seed?: number | undefined
}

export async function simulationRequest(flags: SimulationFlags): Promise<{ traffic: Traffic; options: FleetOptions }> {
  refuseUnusedFlags(flags)
  const { demand, sizing, choices } = await planRequest(flags)
  const workers =
    flags.workers === undefined
      ? makePlan(demand, sizing, choices).answer.workers.min
      : wholeCount('workers', flags.workers, 'workers', '60')
  refuseOverload(flags, workers, rawWorkers(demand, choices.figures.ratio.value, choices.figures.outputPerWorker.value))
  const traffic = await buildTraffic(flags, demand)
  const zoneLoss = parseZoneLoss(flags, traffic.steps, choices.parts.zonesLost)
  if (flags.autoscale !== undefined && parseFlag('autoscale', flags.autoscale, share, '70%') === 0) {
    throw new UserError('--autoscale 0 would want workers without end', 'Write for example --autoscale 70%.')
  }
  const most =
    flags['max-workers'] === undefined ? 4 * workers : wholeCount('max-workers', flags['max-workers'], 'workers', '120')
  if (most < workers)
    throw new UserError(`--max-workers ${most} is below the ${workers} workers at the start`, 'Give more.')
  const figures = fleetFigures(choices.figures, demand.request.hiddenTokens)
  const longestS =
    figures.ttftS +
    traffic.outputTokens.reduce((top, tokens) => Math.max(top, tokens), 0) / figures.tokensPerSecPerStream
  return {
    traffic,
    options: {
      ...figures,
      workers,
      zones: choices.parts.zones,
      ...(zoneLoss ? { zoneLoss } : {}),
      ...(flags.autoscale === undefined
        ? {}
        : {
            autoscaler: {
              target: parseFlag('autoscale', flags.autoscale, share, '70%'),
              min: Math.min(workers, choices.parts.zones),
              max: most,
              startLagS: flags['start-lag'] === undefined ? 60 : parseSeconds('start-lag', flags['start-lag'], '60s'),
              drainS: Math.ceil(longestS),
            },
          }),
      budget: BUDGET,
      seed: flags.seed ?? 1,
    },
  }
}

async function buildTraffic(flags: SimulationFlags, demand: Parameters<typeof steadyTraffic>[0]): Promise<Traffic> {
  if (flags.trace !== undefined) {
    const scale =
      flags.scale === undefined ? 1 : positiveCount('scale', flags.scale, 'times the traffic of the trace', '1000')
    return traceTraffic(await readTrace(flags.trace, flags['allow-gaps']), scale)
  }
  const seconds = Math.ceil(flags.duration === undefined ? 600 : parseSeconds('duration', flags.duration, '1h'))
  if (seconds > MAX_SECONDS)
    throw new UserError(`--duration ${flags.duration} is longer than a week`, 'Simulate the busiest hours.')
  return steadyTraffic(demand, seconds, flags.burst === undefined ? undefined : parseBurst(flags.burst))
}

/** '2x30s' */
function parseBurst(given: string): Burst {
  const [factor = '', seconds] = given.split('x')
  if (seconds === undefined)
    throw new UserError(`--burst: '${given}' is not a factor and a time`, 'Write for example --burst 2x30s.')
  return {
    factor: positiveCount('burst', factor, 'times the traffic', '2x30s'),
    seconds: Math.ceil(parseSeconds('burst', seconds, '2x30s')),
  }
}

function parseZoneLoss(flags: SimulationFlags, steps: number, zones: number): FleetOptions['zoneLoss'] {
  const at = flags['lose-zone-at']
  if (at === undefined) return undefined
  if (zones === 0) throw new UserError('--lose-zone-at loses no zone with --zones-lost 0', 'Leave one of them out.')
  const atS = Math.floor(parseSeconds('lose-zone-at', at, '10m'))
  if (atS >= steps)
    throw new UserError(`--lose-zone-at ${at}: the run is only ${steps} s long`, 'Lose it earlier, or run longer.')
  return {
    atS,
    forS: flags['lose-zone-for'] === undefined ? steps : parseSeconds('lose-zone-for', flags['lose-zone-for'], '15m'),
    zones,
  }
}

/** A steady load at or above the capacity has no steady state: waits would only tell the length of the run. */
function refuseOverload(flags: SimulationFlags, workers: number, needed: number): void {
  if (flags.trace !== undefined || flags.autoscale !== undefined || needed < workers) return
  throw new UserError(
    `${formatNumber(workers)} workers cannot carry it: the load is ${formatShare(needed / workers)} of their ` +
      'capacity, and the queue grows without end',
    `Give --workers ${Math.floor(needed) + 1} or more, or --autoscale 70%.`,
  )
}

function refuseUnusedFlags(flags: SimulationFlags): void {
  const needs = (name: keyof SimulationFlags, other: keyof SimulationFlags): void => {
    if (flags[name] !== undefined && flags[other] === undefined)
      throw new UserError(`--${name} has no effect without --${other}`, `Give --${other} too, or leave it out.`)
  }
  needs('lose-zone-for', 'lose-zone-at')
  needs('max-workers', 'autoscale')
  needs('start-lag', 'autoscale')
  for (const name of ['duration', 'burst'] as const) {
    if (flags[name] !== undefined && flags.trace !== undefined)
      throw new UserError(`--${name} has no effect with --trace`, 'A trace has its own length and bursts.')
  }
}
