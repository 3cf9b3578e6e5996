/**
 * The targets of a run: the URLs that were given, or the embedded pair, which is started for the run and stopped
 * after it.
 */
import { resolveTarget, type Target } from '../client/target.ts'
import type { ApiEndpoint } from '../wire/formats.ts'
import { startEmbeddedPair } from './embedded.ts'
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
  close(): Promise<void>
}

/** Of the embedded pair: processes of the gateway, real-time scheduling, and whether its code is compiled first. */
interface EmbeddedOptions {
  gatewayWorkers?: number
  realtime?: boolean
  jitWarmup?: boolean
}

export async function openTargets(
  { at: url, baselineAt, aa, ...target }: TargetOptions,
  endpoint: ApiEndpoint,
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
    realtime,
    jitWarmup,
  })
  return {
    targets: [
      ['gateway', resolveTarget(pair.gatewayUrl, endpoint)],
      ['direct', resolveTarget(aa ? pair.gatewayUrl : pair.providerUrl, endpoint)],
    ],
    aa,
    embedded: true,
    gatewayPid: pair.gatewayPid,
    close: pair.close,
  }
}
