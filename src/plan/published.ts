/**
 * What other vendors publish of their gateways, and what the demand would take by it: requests/s, and tokens/s where
 * known.
 */
import type { Demand } from './demand.ts'

export interface Published {
  name: string
  instances: number
  vcpu: number
  memoryGib: number
  requestsPerSec: number
  /** Input and output. */
  tokensPerSec?: number
  p99Ms: number
  source: string
  date: string
}

export interface PublishedNeed extends Published {
  /** At the peak, without redundancy: by requests/s. */
  needsVcpu: number
  /** By tokens/s. */
  needsVcpuByTokens?: number
}

export function byOthers(
  { requestsPerSec, inputTokensPerSec, outputTokensPerSec }: Demand,
  published: readonly Published[],
): PublishedNeed[] {
  return published.map((entry) => ({
    ...entry,
    needsVcpu: (requestsPerSec / entry.requestsPerSec) * entry.instances * entry.vcpu,
    ...(entry.tokensPerSec !== undefined && {
      needsVcpuByTokens: ((inputTokensPerSec + outputTokensPerSec) / entry.tokensPerSec) * entry.instances * entry.vcpu,
    }),
  }))
}
