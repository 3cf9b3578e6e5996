/**
 * The targets of a run: the URLs that were given, or the embedded pair, which is started for the run and stopped
 * after it.
 */
import { type Addressed, resolveTarget, type Target } from '../client/target.ts'
import { UserError } from '../errors.ts'
import type { Fleet } from '../load/fleet/coordinator.ts'
import type { RunPlan } from '../load/plan.ts'
import { splitNames } from '../report/runs.ts'
import { formatBytes } from '../units.ts'
import { bytesOf, heldInMemory } from '../workload/texts.ts'
import type { TextSource } from '../workload/workload.ts'
import { startEmbeddedPair } from './embedded.ts'
import type { FleetAsk } from './options/fleet.ts'
import type { TargetOptions } from './options/target.ts'

/** A plan goes to each worker whole, and again for each part of a run. */
const MOST_PROMPT_BYTES = 16 * 1_024 ** 2

export type NamedTarget = readonly [string, Target]

export interface OpenTargets {
  /** The gateways, and the baseline after them. */
  targets: NamedTarget[]
  /** Both targets are one address. */
  aa: boolean
  embedded: boolean
  /** Process id of the embedded gateway. */
  gatewayPid?: number | undefined
  /** The workers that send; undefined where this machine does. */
  fleet?: Fleet | undefined
  close(): Promise<void>
}

/**
 * Of the embedded pair: processes of the gateway, real-time scheduling, whether its code is compiled first, and what
 * ends the wait for that.
 */
interface EmbeddedOptions {
  gatewayWorkers?: number
  realtime?: boolean
  jitWarmup?: boolean
  interrupt?: AbortSignal
}

/** What the user named; nothing where it is the embedded pair. */
export function namedTargets({ at, baselineAt, aa, arms }: TargetOptions): NamedTarget[] {
  if (!at) return []
  const baseline = aa ? at : baselineAt
  const gateways: NamedTarget[] = arms.map((arm) => [arm.name, arm.at])
  if (gateways.length === 0) gateways.push([baseline ? 'gateway' : 'target', at])
  return baseline ? [...gateways, ['direct', baseline]] : gateways
}

/** What the arms of a run with several are called by themselves. */
export function armNames({ arms, baselineAt }: TargetOptions): string[] {
  if (arms.length === 0) return ['gateway', 'baseline']
  const gateways = arms.map(({ name }) => ({ name }))
  return splitNames(baselineAt ? [...gateways, { name: 'direct', baseline: true }] : gateways)
}

/** As many senders as have something to do, where a fleet sends: each worker has one, and gets all prompts. */
export function sharedBy(fleet: Pick<Fleet, 'size'> | undefined, plan: RunPlan): RunPlan {
  if (!fleet) return plan
  const { load, workload } = plan
  const slots = load.mode === 'closed' ? load.concurrency : load.maxInFlight
  const parts = workload.parts.map((part) => ({ ...part, source: sentTo(part.source) }))
  return { ...plan, workers: Math.min(fleet.size, slots), workload: { ...workload, parts } }
}

function sentTo(source: TextSource): TextSource {
  if (source.kind !== 'given') return source
  const bytes = bytesOf(source.texts)
  if (bytes <= MOST_PROMPT_BYTES) return { ...source, texts: heldInMemory(source.texts) }
  const [all, most] = [bytes, MOST_PROMPT_BYTES].map(formatBytes)
  throw new UserError(
    `--fleet sends the prompts to each of its workers, ${most} at most, and these are ${all}`,
    'Draw some of them: --dataset-sample.',
  )
}

/** With `fleet` its workers are hired first: what is wrong with them is known before anything else is started. */
export async function openTargets(
  target: TargetOptions,
  addressed: Addressed,
  note: (line: string) => void,
  { fleet: asked, ...more }: EmbeddedOptions & { fleet?: FleetAsk | undefined } = {},
): Promise<OpenTargets> {
  if (!asked) return openPair(target, addressed, note, more)
  const { openFleet } = await import('./fleet.ts')
  const { fleet, close } = await openFleet(asked, note)
  try {
    const open = await openPair(target, addressed, note, more)
    return { ...open, fleet, close: () => open.close().finally(close) }
  } catch (error) {
    await close()
    throw error
  }
}

async function openPair(
  target: TargetOptions,
  asked: Addressed,
  note: (line: string) => void,
  { gatewayWorkers = 1, realtime = false, jitWarmup = false, interrupt }: EmbeddedOptions = {},
): Promise<OpenTargets> {
  const close = async (): Promise<void> => {}
  const { aa } = target
  const given = namedTargets(target)
  if (given.length > 0) return { targets: given, aa, embedded: false, close }
  const pair = await startEmbeddedPair(target['inject-delay'] ?? 0, note, {
    workers: gatewayWorkers,
    tokenGap: target['token-gap'],
    replay: target['provider-replay'],
    realtime,
    jitWarmup,
    interrupt,
  })
  return {
    targets: embeddedTargets(pair.gatewayUrl, aa ? pair.gatewayUrl : pair.providerUrl, asked),
    aa,
    embedded: true,
    gatewayPid: pair.gatewayPid,
    close: pair.close,
  }
}

/** The reference gateway serves every API below /v1. */
export function embeddedTargets(gatewayUrl: string, directUrl: string, asked: Addressed): NamedTarget[] {
  return [
    ['gateway', resolveTarget(`${gatewayUrl}/v1`, asked)],
    ['direct', resolveTarget(`${directUrl}/v1`, asked)],
  ]
}
