/**
 * The targets of a run: the URLs that were given, or the embedded pair, which is started for the run and stopped
 * after it.
 */
import { resolveTarget, type Target } from '../client/target.ts'
import type { ArmName } from '../report/schema.ts'
import { startEmbeddedPair } from './embedded.ts'
import type { BenchOptions } from './option-schema.ts'

export type NamedTarget = readonly [ArmName, Target]

export interface OpenTargets {
  /** The figures of the report are those of the first target. */
  targets: NamedTarget[]
  embedded: boolean
  /** Process id of the embedded gateway. */
  gatewayPid?: number | undefined
  close(): Promise<void>
}

export async function openTargets(
  options: BenchOptions,
  note: (line: string) => void,
  gatewayWorkers = 1,
): Promise<OpenTargets> {
  const at = (url: string): Target => resolveTarget(url, options.workloadSpec.endpoint)
  const { url, 'baseline-url': baselineUrl, aa } = options
  const close = async (): Promise<void> => {}
  if (url !== undefined && (baselineUrl !== undefined || aa)) {
    const baseline = at(baselineUrl ?? url)
    return {
      targets: [
        ['gateway', at(url)],
        ['direct', baseline],
      ],
      embedded: false,
      close,
    }
  }
  if (url !== undefined) return { targets: [['target', at(url)]], embedded: false, close }
  const pair = await startEmbeddedPair(options['inject-delay'] ?? 0, note, {
    workers: gatewayWorkers,
    tokenGap: options['token-gap'],
  })
  return {
    targets: [
      ['gateway', at(pair.gatewayUrl)],
      ['direct', at(aa ? pair.gatewayUrl : pair.providerUrl)],
    ],
    embedded: true,
    gatewayPid: pair.gatewayPid,
    close: pair.close,
  }
}
