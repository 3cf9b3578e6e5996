/**
 * The targets of a run: the URLs that were given, or the embedded pair, which is started for the run and stopped
 * after it.
 */
import { type Addressed, resolveTarget, type Target } from '../client/target.ts'
import type { Fleet } from '../load/fleet/coordinator.ts'
import type { RunPlan } from '../load/plan.ts'
import { startEmbeddedPair } from './embedded.ts'
import type { FleetAsk } from './options/fleet.ts'
import type { TargetOptions } from './options/target.ts'

export type NamedTarget = readonly [string, Target]

export interface OpenTargets {
  /** The run is about the first target; the second is its baseline. */
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

/** Of the embedded pair: processes of the gateway, real-time scheduling, and whether its code is compiled first. */
interface EmbeddedOptions {
  gatewayWorkers?: number
  realtime?: boolean
  jitWarmup?: boolean
}

/** As many senders as have something to do, where a fleet sends: each worker has one. */
export function sharedBy(fleet: Fleet | undefined, plan: RunPlan): RunPlan {
  const { load } = plan
  const slots = load.mode === 'closed' ? load.concurrency : load.maxInFlight
  return fleet ? { ...plan, workers: Math.min(fleet.size, slots) } : plan
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
  { at: url, baselineAt, aa, ...target }: TargetOptions,
  asked: Addressed,
  note: (line: string) => void,
  { gatewayWorkers = 1, realtime = false, jitWarmup = false }: EmbeddedOptions = {},
): Promise<OpenTargets> {
  const close = async (): Promise<void> => {}
  if (url) {
    const baseline = aa ? url : baselineAt
    const targets: NamedTarget[] = baseline
      ? [
          ['gateway', url],
          ['direct', baseline],
        ]
      : [['target', url]]
    return { targets, aa, embedded: false, close }
  }
  const pair = await startEmbeddedPair(target['inject-delay'] ?? 0, note, {
    workers: gatewayWorkers,
    tokenGap: target['token-gap'],
    replay: target['provider-replay'],
    realtime,
    jitWarmup,
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
