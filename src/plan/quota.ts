/**
 * A provider's quotas: tokens and requests a minute of one account. They bind the whole service whatever the gateway's size,
 * so they are counted in accounts and not in nodes. Answers from the gateway's cache use none of them.
 */
import { type Demand, tokensPerMinute } from './demand.ts'

export interface Quota {
  tokensPerMinute?: number | undefined
  requestsPerMinute?: number | undefined
}

export interface QuotaNeed {
  name: 'tokens per minute' | 'requests per minute'
  need: number
  limit: number
  /** How many accounts of that quota the peak takes; above 1, no number of workers carries it. */
  accounts: number
}

export function quotaNeeds(demand: Demand, quota: Quota): QuotaNeed[] {
  const upstream = 1 - demand.cacheHitShare
  const needs: QuotaNeed[] = []
  if (quota.tokensPerMinute !== undefined) {
    const need = tokensPerMinute(demand) * upstream
    needs.push({
      name: 'tokens per minute',
      need,
      limit: quota.tokensPerMinute,
      accounts: need / quota.tokensPerMinute,
    })
  }
  if (quota.requestsPerMinute !== undefined) {
    const need = demand.requestsPerSec * 60 * upstream
    needs.push({
      name: 'requests per minute',
      need,
      limit: quota.requestsPerMinute,
      accounts: need / quota.requestsPerMinute,
    })
  }
  return needs
}
