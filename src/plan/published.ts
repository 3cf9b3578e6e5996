/** What other vendors publish of their gateways, and what the demand would take by it: requests/s alone, no tokens. */
import type { Demand } from './demand.ts'

export interface Published {
  name: string
  instances: number
  vcpu: number
  memoryGib: number
  requestsPerSec: number
  p99Ms: number
  source: string
  date: string
}

export interface PublishedNeed extends Published {
  /** At the peak, without redundancy. */
  needsVcpu: number
}

export function byOthers({ requestsPerSec }: Demand, published: readonly Published[]): PublishedNeed[] {
  return published.map((entry) => ({
    ...entry,
    needsVcpu: (requestsPerSec / entry.requestsPerSec) * entry.instances * entry.vcpu,
  }))
}
