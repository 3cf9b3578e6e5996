/**
 * `kt plan` from its options to the plan: the demand, the figures and choices beside it, the plan that follows, and the
 * wait at the planned size, simulated.
 */

import { UserError } from '../errors.ts'
import { workersPerNode } from '../plan/allocatable.ts'
import { answerRange } from '../plan/answer-range.ts'
import { costRatio } from '../plan/cpu.ts'
import type { Demand } from '../plan/demand.ts'
import { type FigureKey, type PlanFigures, withFigure } from '../plan/figures.ts'
import { withPublicAddress } from '../plan/nat.ts'
import { defaultChoices, makePlan, nodeCapacity, type PlanChoices, planFleet } from '../plan/plan.ts'
import { byOthers } from '../plan/published.ts'
import { confirmWait } from '../plan/simulate/confirm.ts'
import type { NodeType, RedundancyParts, Sizing } from '../plan/sizing.ts'
import { type Calibration, intervalOf } from '../plan/uncertainty.ts'
import type { Plan } from '../report/plan-schema.ts'
import { ktVersion } from '../system/machine.ts'
import { limitsOf } from './cloud-limits.ts'
import { type CostOptions, costOf } from './cost-request.ts'
import { buildDemand } from './demand-request.ts'
import { instanceNamed, machinesOf } from './instances.ts'
import { requirePrice } from './machines.ts'
import type { FigureOptions, FleetOptions, PlanOptions, QuotaOptions } from './plan-flags.ts'
import { readPublished } from './published.ts'
import { quotaOf } from './quota-request.ts'
import { readSizing } from './sizing.ts'

/** The report's schema by its name: a plan is made here, so the zod schema that reads one need not be loaded. */
const SCHEMA: Plan['schema'] = 'kt.plan/1'

export async function planReport(options: PlanOptions & CostOptions): Promise<PlanRequest & { plan: Plan }> {
  const request = await planRequest(options)
  const { demand, sizing, choices } = request
  const made = makePlan(demand, sizing, choices)
  const simulated = confirmWait(demand, choices.figures, made.answer.workers.min)
  const cost = costOf(options, demand, choices, { ...made.fleet, natGateways: made.nat?.gateways ?? 0 })
  const plan: Plan = {
    schema: SCHEMA,
    kt: { version: ktVersion },
    ...made,
    range: answerRange(demand, sizing, choices),
    published: byOthers(demand, readPublished()),
    ...(cost ? { cost } : {}),
    ...(simulated ? { simulated } : {}),
  }
  return { ...request, plan }
}

interface PlanRequest {
  demand: Demand
  sizing: Sizing
  choices: PlanChoices
}

export async function planRequest(options: PlanOptions): Promise<PlanRequest> {
  const demand = await buildDemand(options)
  const sizing = readSizing(options.sizing)
  const choices = await buildChoices(options, sizing, demand.request.streamedShare)
  if (choices.calibration) refuseUnmeasured(choices.calibration, demand)
  return {
    demand,
    sizing,
    choices: options.node === undefined ? smallestOf(demand, sizing, choices, options) : choices,
  }
}

/** Runs without output tokens say nothing of what one of them costs. */
function refuseUnmeasured(calibration: Calibration, demand: Demand): void {
  if (Number.isFinite(intervalOf(demand, calibration)[1])) return
  throw new UserError(
    'these runs leave open what such requests cost: no number of workers is enough by them',
    'Bench requests that have input and output tokens, as those that are planned for.',
  )
}

/** Where one machine a zone is enough, the smallest of its family that still is. */
function smallestOf(demand: Demand, sizing: Sizing, choices: PlanChoices, options: FleetOptions): PlanChoices {
  const aZone = (node: NodeType): boolean =>
    workersPerNode(node) > 0 && planFleet(demand, sizing, choices, nodeCapacity(node)).nodes.perZone === 1
  if (!aZone(choices.node)) return choices
  const { instances } = machinesOf(options)
  const family = instances.find(({ type }) => type === choices.node.type)?.family
  const [node] = instances
    .filter((instance) => instance.family === family && instance.usdPerHour !== undefined)
    .map((instance) => onTheWayOut(options, { ...choices, node: instance }).node)
    .filter(aZone)
    .sort((a, b) => (a.usdPerHour ?? 0) - (b.usdPerHour ?? 0))
  return node ? { ...choices, node } : choices
}

/** Everything but the demand. The streamed share of the demand decides which runs may calibrate the plan. */
export async function buildChoices(
  options: FigureOptions & FleetOptions & QuotaOptions,
  sizing: Sizing,
  streamedShare: number,
): Promise<PlanChoices> {
  const defaults = defaultChoices(sizing)
  const calibrated = await calibratedChoices(options, streamedShare, sizing, defaults)
  const choices: PlanChoices = {
    ...calibrated,
    figures: givenFigures(options, calibrated.figures, sizing),
    redundancy: options.redundancy ?? defaults.redundancy,
    parts: redundancyParts(options, defaults.parts),
    setting: {
      upstream: options['upstream-http'] ?? 'h1',
      upstreamKeepAlive: options['upstream-keepalive'] ?? true,
      providerAddresses: options['provider-addresses'] ?? 1,
    },
    quota: quotaOf(options),
  }
  return onTheWayOut(options, { ...choices, node: nodeOf(options) ?? choices.node })
}

/** The machine that was named; the default is looked up where it is bought in another way, or a file may have it. */
function nodeOf(options: FleetOptions): NodeType | undefined {
  const isAsSized = options.purchase === undefined && options.machines === undefined
  const { node = isAsSized ? undefined : DEFAULT_NODE } = options
  if (node === undefined) return undefined
  const instance = instanceNamed(node, machinesOf(options))
  requirePrice(instance, options.purchase)
  return instance
}

const DEFAULT_NODE = 'c5.4xlarge'

/** Through NAT, or by public addresses of the nodes, which some clouds give less bandwidth. */
function onTheWayOut({ internet = 'nat' }: FleetOptions, choices: PlanChoices): PlanChoices {
  const limits = limitsOf(choices.node.cloud)
  if (!limits) return choices
  return internet === 'nat'
    ? { ...choices, cloud: limits }
    : { ...choices, node: withPublicAddress(choices.node, limits) }
}

async function calibratedChoices(
  { 'from-bench': reports, 'bench-workers': counts = [] }: FigureOptions,
  streamedShare: number,
  sizing: Sizing,
  defaults: PlanChoices,
): Promise<PlanChoices> {
  if (!reports) return defaults
  // Reading reports takes the start of a plan that has none of them a tenth of a second.
  const { calibrationFrom } = await import('./measured-runs.ts')
  const calibration = calibrationFrom(reports, counts, streamedShare, sizing)
  return { ...defaults, figures: { ...defaults.figures, ...calibration.figures }, calibration }
}

function givenFigures(options: FigureOptions, base: PlanFigures, sizing: Sizing): PlanFigures {
  let figures = options.path === undefined ? base : pathFigures(options.path, base, sizing)
  const set = (key: FigureKey, value: number | undefined, flag: string): void => {
    if (value !== undefined) figures = withFigure(figures, key, value, 'given', `--${flag}`)
  }
  const { 'input-per-worker': inputPerWorker, 'output-per-worker': outputPerWorker, ttft, rss } = options
  set('outputPerWorker', outputPerWorker, 'output-per-worker')
  if (inputPerWorker !== undefined && outputPerWorker !== undefined) {
    set('ratio', inputPerWorker / outputPerWorker, 'input-per-worker')
  }
  for (const [flag, key] of GIVEN_FIGURES) set(key, options[flag], flag)
  if (ttft !== undefined) set('ttftS', ttft / 1_000, 'ttft')
  if (rss) {
    figures = withFigure(figures, 'baseBytesPerWorker', rss.base, 'calibrated', '--rss')
    figures = withFigure(figures, 'bytesPerStream', rss.perStream, 'calibrated', '--rss')
  }
  return figures
}

/** Flags that give a figure as it is. */
const GIVEN_FIGURES = [
  ['ratio', 'ratio'],
  ['bytes-per-output-token', 'outputBytesPerToken'],
  ['bytes-per-input-token', 'inputBytesPerToken'],
  ['events-per-token', 'eventsPerToken'],
  ['events-per-worker', 'eventsPerWorker'],
  ['stream-rate', 'tokensPerSecPerStream'],
  ['connections-per-worker', 'connectionsPerWorker'],
  ['memory-per-stream', 'bytesPerStream'],
  ['memory-base', 'baseBytesPerWorker'],
  ['body-buffer', 'bodyBufferBytes'],
] as const satisfies readonly (readonly [keyof FigureOptions, FigureKey])[]

function pathFigures(name: string, figures: PlanFigures, sizing: Sizing): PlanFigures {
  const worker = sizing.measuredPerWorker.find(({ path }) => path.toLowerCase() === name.toLowerCase())
  if (!worker) {
    const known = sizing.measuredPerWorker.map(({ path }) => path.toLowerCase())
    throw new UserError(
      `--path: no measured figures of '${name}'`,
      `Known: ${known.join(', ') || 'none in this sizing profile'}.`,
    )
  }
  const source = `${sizing.source}, ${worker.path} path`
  return withFigure(
    withFigure(figures, 'ratio', costRatio(worker), 'vendor default', source),
    'outputPerWorker',
    worker.outputTokensPerSec,
    'vendor default',
    source,
  )
}

function redundancyParts(options: FleetOptions, defaults: RedundancyParts): RedundancyParts {
  const { zones = defaults.zones, surge = defaults.surge } = options
  const zonesLost = options['zones-lost'] ?? Math.min(defaults.zonesLost, zones - 1)
  if (zonesLost >= zones)
    throw new UserError(
      `--zones-lost ${zonesLost} of ${zones} zones leaves none`,
      'Plan for the loss of fewer zones than there are.',
    )
  return { zones, zonesLost, surge, targetUtilisation: options['target-utilisation'] ?? defaults.targetUtilisation }
}
