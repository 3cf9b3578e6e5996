/** Turns the options of `kt plan simulate` into traffic and a fleet. */

import { failure, type Result, success, UserError } from '../errors.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { durationMs, parsedBy, share, wholeNumber, wordOr } from '../parse/quantity.ts'
import { scalingBounds } from '../plan/autoscaling.ts'
import { bytesPerRequest, connectionsPerRequest } from '../plan/constraints.ts'
import { workersByFigures } from '../plan/cpu.ts'
import type { Demand } from '../plan/demand.ts'
import { makePlan, nodeCapacity, type PlanChoices } from '../plan/plan.ts'
import { workerCosts } from '../plan/simulate/confirm.ts'
import type { FleetOptions } from '../plan/simulate/fleet.ts'
import type { NodeLimits } from '../plan/simulate/nodes.ts'
import { type Burst, steadyTraffic, type Traffic, traceTraffic } from '../plan/simulate/traffic.ts'
import { bytesPerOutputToken } from '../plan/wire-needs.ts'
import { counted, formatShare } from '../units.ts'
import { readTrace } from '../workload/traces/whole.ts'
import { planCount, planFlags, QUOTA_FLAGS, wholeCount, without } from './plan-flags.ts'
import { planRequest } from './plan-request.ts'
import { PLAN_RULES } from './plan-rules.ts'

/** Requests of a run simulated one by one; beyond it a sample of the workers stands for all. */
const BUDGET = 4_000_000
const MAX_SECONDS = 7 * 86_400
const DEFAULT_DURATION_MS = 600_000
const DEFAULT_START_LAG_MS = 60_000

/** The autoscaler that --emit writes. */
const PLANNED = 'planned'
const MAX_RUNS = 100

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
  ...without(planFlags, ...QUOTA_FLAGS),
  workers: text(wholeCount.optional(), 'number of workers [default: what kt plan deploys]', { example: '60' }),
  nodes: text(wholeCount.optional(), 'number of nodes [default: as many workers on each as kt plan puts there]', {
    example: '12',
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
    wordOr(
      PLANNED,
      share.refine((target) => target > 0, '0 would want workers without end'),
    ).optional(),
    'autoscale on CPU (HPA) with this target, or as --emit writes it',
    { example: PLANNED, helpValue: `${PLANNED}|70%` },
  ),
  'min-workers': text(wholeCount.optional(), 'lower bound of the autoscaler [default: as --emit writes it]', {
    example: '15',
  }),
  'max-workers': text(wholeCount.optional(), 'upper bound of the autoscaler [default: as --emit writes it]', {
    example: '120',
  }),
  'start-lag': text(durationMs.optional(), 'time until a new worker serves [default: 60s]', { example: '60s' }),
  runs: text(
    wholeCount.refine((runs) => runs <= MAX_RUNS, `more than ${MAX_RUNS} add nothing`),
    'runs with seeds one after the other, whose spread gives the intervals',
    { default: '5' },
  ),
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
  needs('min-workers', 'autoscale'),
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
): Promise<{ traffic: Traffic; options: FleetOptions; runs: number; node: string }> {
  const { demand, sizing, choices } = await planRequest(given)
  const { fleet, answer } = makePlan(demand, sizing, choices)
  const { workers = fleet.pods.steady, seed, runs } = given
  refuseOverload(given, workers, workersByFigures(demand, choices.figures))
  const traffic = await buildTraffic(given, demand)
  const zoneLoss = buildZoneLoss(given, traffic.steps, choices.parts.zonesLost)
  const costs = workerCosts(choices.figures, demand)
  const { min, max, target } = scalingBounds(fleet, answer.workers.max)
  const bounds = {
    target: given.autoscale === PLANNED || given.autoscale === undefined ? target : given.autoscale,
    min: Math.min(workers, given['min-workers'] ?? min),
    max: given['max-workers'] ?? Math.max(workers, max),
  }
  if (bounds.max < workers)
    throw new UserError(`--max-workers ${bounds.max} is below the ${workers} workers at the start`, 'Give more.')
  const { 'start-lag': startLagMs = DEFAULT_START_LAG_MS } = given
  const longestS = costs.ttftS + traffic.longestTokens / costs.tokensPerSecPerStream
  const nodes = given.nodes ?? Math.ceil((workers * fleet.nodes.steady) / fleet.pods.steady)
  return {
    traffic,
    runs,
    node: choices.node.type,
    options: {
      ...costs,
      workers,
      zones: choices.parts.zones,
      ...(zoneLoss ? { zoneLoss } : {}),
      ...(given.autoscale === undefined
        ? {}
        : { autoscaler: { ...bounds, startLagS: startLagMs / 1_000, drainS: Math.ceil(longestS) } }),
      limits: nodeLimits(demand, choices, nodes, workers),
      budget: BUDGET,
      seed,
    },
  }
}

function nodeLimits(demand: Demand, choices: PlanChoices, nodes: number, workers: number): NodeLimits {
  const { workersPerNode, bandwidthGbps, memoryBytes } = nodeCapacity(choices.node)
  if (nodes * workersPerNode < workers)
    throw new UserError(
      `${nodes} nodes like ${choices.node.type} hold ${nodes * workersPerNode} workers, not ${workers}`,
      'Give more --nodes, or a larger --node.',
    )
  const { figures } = choices
  const missShare = 1 - demand.cacheHitShare
  return {
    nodes,
    workersPerNode,
    bytesPerSec: (bandwidthGbps * 1e9) / 8,
    inputBytesPerToken: figures.inputBytesPerToken.value,
    outputBytesPerToken: bytesPerOutputToken(demand, figures),
    missShare,
    memoryBytes,
    baseBytesPerWorker: figures.baseBytesPerWorker.value,
    bytesPerRequest: bytesPerRequest(demand, figures),
    mostOpen: figures.connectionsPerWorker.value / connectionsPerRequest(demand, figures, choices.setting),
  }
}

async function buildTraffic(options: SimulationOptions, demand: Demand): Promise<Traffic> {
  const { trace, scale = 1, duration: lastingMs = DEFAULT_DURATION_MS } = options
  if (trace !== undefined)
    return traceTraffic(
      await readTrace(trace, { allowGaps: options['allow-gaps'], columns: options['trace-columns'] }),
      scale,
    )
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
    `Give --workers ${Math.floor(needed) + 1} or more, or --autoscale planned.`,
  )
}
