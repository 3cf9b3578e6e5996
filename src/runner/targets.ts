/** Where a run sends: the URL that was given, or the embedded pair, started for the run and stopped after it. */
import { type Target, targetOf } from '../client/target.ts'
import type { ArmName } from '../report/schema.ts'
import { startEmbeddedPair } from './embedded.ts'
import type { BenchOptions } from './options.ts'

export type NamedTarget = readonly [ArmName, Target]

export interface OpenTargets {
  /** The first is the one whose figures count. */
  targets: NamedTarget[]
  embedded: boolean
  close(): Promise<void>
}

export async function openTargets(options: BenchOptions, note: (line: string) => void): Promise<OpenTargets> {
  if (options.url !== undefined) {
    return { targets: [['target', targetOf(options.url, options.endpoint)]], embedded: false, close: async () => {} }
  }
  const pair = await startEmbeddedPair(options['inject-delay'] ?? 0, note)
  return {
    targets: [
      ['gateway', targetOf(pair.gatewayUrl, options.endpoint)],
      ['direct', targetOf(pair.providerUrl, options.endpoint)],
    ],
    embedded: true,
    close: pair.close,
  }
}
