/**
 * `kt plan` from its flags to the plan: the demand, the figures and choices beside it, the plan that follows, and the
 * wait at the planned size, simulated.
 */

import { UserError } from '../errors.ts'
import { bytes, parseFlag, share } from '../parse/quantity.ts'
import { costRatio } from '../plan/cpu.ts'
import type { Demand } from '../plan/demand.ts'
import { type FigureKey, type PlanFigures, withFigure } from '../plan/figures.ts'
import { defaultChoices, makePlan, type PlanChoices } from '../plan/plan.ts'
import { confirmWait } from '../plan/simulate/confirm.ts'
import type { RedundancyParts, Sizing } from '../plan/sizing.ts'
import type { Plan } from '../report/plan-schema.ts'
import { ktVersion } from '../system/machine.ts'
import { buildDemand } from './demand-request.ts'
import { instanceNamed, readInstances } from './instances.ts'
import { calibrationFrom, memoryFromRss } from './measured-runs.ts'
import { type PlanFlags, parseRedundancy, parseSeconds, positiveCount, wholeCount } from './plan-flags.ts'
import { readSizing } from './sizing.ts'

/** The report's schema by its name: a plan is made here, so the zod schema that reads one need not be loaded. */
const SCHEMA: Plan['schema'] = 'kt.plan/1'

export async function planReport(flags: PlanFlags): Promise<PlanRequest & { plan: Plan }> {
  const request = await planRequest(flags)
  const { demand, sizing, choices } = request
  const made = makePlan(demand, sizing, choices)
  const simulated = confirmWait(demand, choices.figures, made.answer.workers.min)
  const plan: Plan = { schema: SCHEMA, kt: { version: ktVersion }, ...made, ...(simulated ? { simulated } : {}) }
  return { ...request, plan }
}

interface PlanRequest {
  demand: Demand
  sizing: Sizing
  choices: PlanChoices
}

export async function planRequest(flags: PlanFlags): Promise<PlanRequest> {
  const demand = await buildDemand(flags)
  const sizing = readSizing(flags.sizing)
  return { demand, sizing, choices: buildChoices(flags, sizing, demand.request.streamedShare) }
}

/** Everything but the demand. The streamed share of the demand decides which runs may calibrate the plan. */
export function buildChoices(flags: PlanFlags, sizing: Sizing, streamedShare: number): PlanChoices {
  const defaults = defaultChoices(sizing)
  const calibrated = calibratedChoices(flags, streamedShare, sizing, defaults)
  const choices: PlanChoices = {
    ...calibrated,
    figures: givenFigures(flags, calibrated.figures, sizing),
    redundancy: flags.redundancy === undefined ? defaults.redundancy : parseRedundancy(flags.redundancy),
    parts: redundancyParts(flags, defaults.parts),
    setting: {
      upstream: flags.upstream ?? 'h1',
      upstreamKeepAlive: flags['upstream-keepalive'] ?? true,
      providerAddresses: optionalWhole(flags, 'provider-addresses', "addresses behind the provider's name", '1') ?? 1,
    },
    quota: {
      tokensPerMinute: optionalCount(flags, 'quota-tpm', 'tokens per minute', '30M'),
      requestsPerMinute: optionalCount(flags, 'quota-rpm', 'requests per minute', '10k'),
    },
  }
  return flags.node === undefined ? choices : { ...choices, node: instanceNamed(flags.node, readInstances()) }
}

function calibratedChoices(
  flags: PlanFlags,
  streamedShare: number,
  sizing: Sizing,
  defaults: PlanChoices,
): PlanChoices {
  if (flags['from-bench'] === undefined) {
    if (flags['bench-workers'] !== undefined)
      throw new UserError('--bench-workers has no effect without --from-bench', 'Give the reports with --from-bench.')
    return defaults
  }
  for (const name of ['output-per-worker', 'input-per-worker', 'path'] as const) {
    if (flags[name] !== undefined)
      throw new UserError(`--${name} and --from-bench both say what a worker passes`, 'Give one of them.')
  }
  const calibration = calibrationFrom(flags['from-bench'], flags['bench-workers'], streamedShare, sizing)
  return { ...defaults, figures: { ...defaults.figures, ...calibration.figures }, calibration }
}

function givenFigures(flags: PlanFlags, base: PlanFigures, sizing: Sizing): PlanFigures {
  let figures = base
  const set = (key: FigureKey, value: number, flag: string): void => {
    figures = withFigure(figures, key, value, 'given', `--${flag}`)
  }
  if (flags.path !== undefined) figures = pathFigures(flags, figures, sizing)
  const outputPerWorker = optionalCount(flags, 'output-per-worker', 'tokens per second', '1M')
  if (outputPerWorker !== undefined) set('outputPerWorker', outputPerWorker, 'output-per-worker')
  const inputPerWorker = optionalCount(flags, 'input-per-worker', 'tokens per second', '4.4M')
  if (inputPerWorker !== undefined) {
    if (flags.ratio !== undefined)
      throw new UserError(
        '--ratio and --input-per-worker say the same',
        'R is input per worker over output per worker: give one of them.',
      )
    if (outputPerWorker === undefined)
      throw new UserError(
        '--input-per-worker needs --output-per-worker',
        'Give both: one worker passes so many of each, measured apart.',
      )
    set('ratio', inputPerWorker / outputPerWorker, 'input-per-worker')
  }
  const ratio = optionalCount(flags, 'ratio', 'input tokens that cost as much as one output token', '4')
  if (ratio !== undefined) set('ratio', ratio, 'ratio')
  for (const [flag, key, what, example] of COUNTS) {
    const value = optionalCount(flags, flag, what, example)
    if (value !== undefined) set(key, value, flag)
  }
  if (flags.ttft !== undefined) set('ttftS', parseSeconds('ttft', flags.ttft, '1s'), 'ttft')
  for (const [flag, key, example] of SIZES) {
    const given = flags[flag]
    if (given !== undefined) set(key, parseFlag(flag, given, bytes, example), flag)
  }
  if (flags.rss !== undefined) {
    const { base: atRest, perStream } = memoryFromRss(flags.rss)
    figures = withFigure(figures, 'baseBytesPerWorker', atRest, 'calibrated', '--rss')
    figures = withFigure(figures, 'bytesPerStream', perStream, 'calibrated', '--rss')
  }
  return figures
}

const COUNTS = [
  ['bytes-per-output-token', 'outputBytesPerToken', 'bytes of an output token', '290'],
  ['bytes-per-input-token', 'inputBytesPerToken', 'bytes of an input token', '4.5'],
  ['stream-rate', 'tokensPerSecPerStream', 'tokens per second of one stream', '50'],
  ['connections-per-worker', 'connectionsPerWorker', 'connections', '16384'],
] as const

const SIZES = [
  ['memory-per-stream', 'bytesPerStream', '64KiB'],
  ['memory-base', 'baseBytesPerWorker', '500MiB'],
  ['body-buffer', 'bodyBufferBytes', '512KiB'],
] as const

function pathFigures(flags: PlanFlags, figures: PlanFigures, sizing: Sizing): PlanFigures {
  for (const name of ['output-per-worker', 'input-per-worker', 'ratio'] as const) {
    if (flags[name] !== undefined)
      throw new UserError(`--${name} and --path both say what a worker passes`, 'Give one of them.')
  }
  const worker = sizing.measuredPerWorker.find(({ path }) => path.toLowerCase() === flags.path?.toLowerCase())
  if (!worker) {
    const known = sizing.measuredPerWorker.map(({ path }) => path.toLowerCase())
    throw new UserError(
      `--path: no measured figures of '${flags.path}'`,
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

function redundancyParts(flags: PlanFlags, defaults: RedundancyParts): RedundancyParts {
  const zones = optionalWhole(flags, 'zones', 'zones', '3') ?? defaults.zones
  const zonesLost =
    flags['zones-lost'] === undefined
      ? Math.min(defaults.zonesLost, zones - 1)
      : flags['zones-lost'] === '0'
        ? 0
        : wholeCount('zones-lost', flags['zones-lost'], 'zones', '1')
  if (zonesLost >= zones)
    throw new UserError(
      `--zones-lost ${zonesLost} of ${zones} zones leaves none`,
      'Plan for the loss of fewer zones than there are.',
    )
  const targetUtilisation =
    flags['target-utilisation'] === undefined
      ? defaults.targetUtilisation
      : parseFlag('target-utilisation', flags['target-utilisation'], share, '70%')
  if (targetUtilisation === 0)
    throw new UserError(
      '--target-utilisation 0 uses nothing of a worker',
      'Write for example --target-utilisation 70%.',
    )
  const surge = flags.surge === undefined ? defaults.surge : parseFlag('surge', flags.surge, share, '25%')
  return { zones, zonesLost, surge, targetUtilisation }
}

type TextFlag = { [K in keyof PlanFlags]-?: PlanFlags[K] extends string | undefined ? K : never }[keyof PlanFlags]

function optionalCount(flags: PlanFlags, flag: TextFlag, what: string, example: string): number | undefined {
  const given = flags[flag]
  return given === undefined ? undefined : positiveCount(flag, given, what, example)
}

function optionalWhole(flags: PlanFlags, flag: TextFlag, what: string, example: string): number | undefined {
  const given = flags[flag]
  return given === undefined ? undefined : wholeCount(flag, given, what, example)
}
