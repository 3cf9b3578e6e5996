/** Turns the options of `kt plan simulate` into traffic and a fleet. */

import { failure, type Result, success, UserError } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { durationMs, parsedBy, share, wholeNumber } from '../parse/quantity.ts'
import { workersByFigures } from '../plan/cpu.ts'
import type { Demand } from '../plan/demand.ts'
import { makePlan } from '../plan/plan.ts'
import { fleetFigures } from '../plan/simulate/confirm.ts'
import type { FleetOptions } from '../plan/simulate/fleet.ts'
import { type Burst, steadyTraffic, type Traffic, traceTraffic } from '../plan/simulate/traffic.ts'
import { counted, formatShare } from '../units.ts'
import { readTrace } from '../workload/trace.ts'
import { planCount, planFlags, wholeCount, without } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { PLAN_RULES } from './plan-rules.ts'

/** Requests simulated one by one; beyond it a sample of the workers stands for all. */
const BUDGET = 20_000_000
const MAX_SECONDS = 7 * 86_400
const DEFAULT_DURATION_MS = 600_000
const DEFAULT_START_LAG_MS = 60_000

/** '2x30s' */
function parseBurst(given: string): Result<Burst> {
  const [times = '', lasting] = given.split('x')
  const [factor, ms] = [planCount.safeParse(times), durationMs.safeParse(lasting ?? '')]
  return factor.success && ms.success && factor.data >= 1
    ? success({ factor: factor.data, seconds: Math.ceil(ms.data / 1_000) })
    : failure(`'${given}' is not a factor of at least 1 and a time`, 'Write for example --burst 2x30s.')
}

const { text } = flagGroup('SIMULATION')

/** The flags of `kt plan simulate`. */
export const simulationFlags = {
  ...without(planFlags, 'node', 'surge', 'target-utilisation', 'quota-tpm', 'quota-rpm'),
  workers: text(wholeCount.optional(), 'number of workers [default: the plan at its lower redundancy]', {
    example: '60',
  }),
  duration: text(
    durationMs
      .refine((ms) => ms <= MAX_SECONDS * 1_000, 'is longer than a week: simulate the busiest hours')
      .optional(),
    'duration, without a trace [default: 10m]',
    { example: '1h' },
  ),
  burst: text(parsedBy(parseBurst).optional(), 'a burst after a quarter of the time', { example: '2x30s' }),
  'lose-zone-at': text(durationMs.optional(), 'time at which zones are lost (--zones-lost of --zones)', {
    example: '10m',
  }),
  'lose-zone-for': text(durationMs.optional(), 'duration of the loss [default: to the end]', { example: '15m' }),
  autoscale: text(
    share.refine((target) => target > 0, '0 would want workers without end').optional(),
    'autoscale on CPU (HPA) with this target',
    { example: '70%' },
  ),
  'max-workers': text(wholeCount.optional(), 'upper bound of the autoscaler [default: four times the workers]', {
    example: '120',
  }),
  'start-lag': text(durationMs.optional(), 'time until a new worker serves [default: 60s]', { example: '60s' }),
  seed: text(wholeNumber, 'the same seed gives the same run', { default: '1' }),
  json: flagGroup().toggle('print the result as JSON'),
}

type SimulationOptions = FlagValues<typeof simulationFlags>

const rule = rulesOf<SimulationOptions>()

function needs(name: keyof SimulationOptions, other: keyof SimulationOptions): Rule<SimulationOptions> {
  return rule(
    [name, other],
    (options) =>
      options[name] !== undefined &&
      options[other] === undefined &&
      failure(`--${name} has no effect without --${other}`, `Give --${other} too, or leave it out.`),
  )
}

const RULES: readonly Rule<SimulationOptions>[] = [
  needs('lose-zone-for', 'lose-zone-at'),
  needs('max-workers', 'autoscale'),
  needs('start-lag', 'autoscale'),
  ...(['duration', 'burst'] as const).map((name) =>
    rule(
      [name, 'trace'],
      (options) =>
        options[name] !== undefined &&
        options.trace !== undefined &&
        failure(`--${name} has no effect with --trace`, 'A trace has its own length and bursts.'),
    ),
  ),
]

export function parseSimulationFlags(flags: Readonly<Record<string, unknown>>): SimulationOptions {
  return parseFlags(flags, simulationFlags, 'kt plan simulate', [...PLAN_RULES, ...RULES])
}

export async function simulationRequest(
  given: SimulationOptions,
): Promise<{ traffic: Traffic; options: FleetOptions }> {
  const { demand, sizing, choices } = await planRequest(given)
  const { workers = makePlan(demand, sizing, choices).answer.workers.min, autoscale, seed } = given
  const { 'max-workers': most = 4 * workers, 'start-lag': startLagMs = DEFAULT_START_LAG_MS } = given
  refuseOverload(given, workers, workersByFigures(demand, choices.figures))
  const traffic = await buildTraffic(given, demand)
  const zoneLoss = buildZoneLoss(given, traffic.steps, choices.parts.zonesLost)
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
      ...(autoscale === undefined
        ? {}
        : {
            autoscaler: {
              target: autoscale,
              min: Math.min(workers, choices.parts.zones),
              max: most,
              startLagS: startLagMs / 1_000,
              drainS: Math.ceil(longestS),
            },
          }),
      budget: BUDGET,
      seed,
    },
  }
}

async function buildTraffic(options: SimulationOptions, demand: Demand): Promise<Traffic> {
  const { trace, scale = 1, duration: lastingMs = DEFAULT_DURATION_MS } = options
  if (trace !== undefined) return traceTraffic(await readTrace(trace, options['allow-gaps']), scale)
  return steadyTraffic(demand, Math.ceil(lastingMs / 1_000), options.burst)
}

function buildZoneLoss(options: SimulationOptions, steps: number, zones: number): FleetOptions['zoneLoss'] {
  const { 'lose-zone-at': atMs, 'lose-zone-for': forMs } = options
  if (atMs === undefined) return undefined
  if (zones === 0) throw new UserError('--lose-zone-at loses no zone with --zones-lost 0', 'Leave one of them out.')
  const atS = Math.floor(atMs / 1_000)
  if (atS >= steps)
    throw new UserError(`--lose-zone-at ${atS}s: the run is only ${steps} s long`, 'Lose it earlier, or run longer.')
  return { atS, forS: forMs === undefined ? steps : forMs / 1_000, zones }
}

/** A steady load at or above the capacity has no steady state: waits would only tell the length of the run. */
function refuseOverload({ trace, autoscale }: SimulationOptions, workers: number, needed: number): void {
  if (trace !== undefined || autoscale !== undefined || needed < workers) return
  throw new UserError(
    `${counted(workers, 'worker')} cannot carry it: the load is ${formatShare(needed / workers)} of their ` +
      'capacity, and the queue grows without end',
    `Give --workers ${Math.floor(needed) + 1} or more, or --autoscale 70%.`,
  )
}
