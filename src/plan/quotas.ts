/**
 * What providers allow. Quotas bind the whole service whatever the size of the gateway, so they are counted in accounts
 * and not in nodes, and by the busiest minute, since they are of a minute. Answers from the gateway's cache use none of
 * them; retries use more; a provider that counts `max_tokens` when a request comes counts what was reserved. Where a
 * provider fails, the others carry its requests.
 */
import type { Demand } from './demand.ts'

const QUOTAS = [
  'tokens per minute',
  'input tokens per minute',
  'output tokens per minute',
  'requests per minute',
] as const
type QuotaName = (typeof QUOTAS)[number]

export interface Provider {
  name: string
  /** Share of the requests. */
  share: number
  accounts: number
  /** Of one account. */
  limits: Partial<Record<QuotaName, number>>
}

export interface Quota {
  providers: readonly Provider[]
  /** Output tokens that each request reserves, where the provider counts them when it comes. */
  maxTokens?: number | undefined
  /** Share of requests that fail, each of them tried again so many times. */
  failing?: { share: number; retries: number } | undefined
}

interface QuotaNeed {
  name: QuotaName
  provider: string
  need: number
  /** Of one account. */
  limit: number
  /** How many accounts of that quota the peak takes, and how many there are. */
  accounts: number
  have: number
  /** The provider that is gone, where this is what the others must carry then. */
  without?: string | undefined
}

export interface QuotaPlan {
  needs: QuotaNeed[]
  /** Requests to providers for each request of a client that the cache does not answer. */
  amplification: number
}

export function quotaPlan(demand: Demand, quota: Quota): QuotaPlan {
  const { providers } = quota
  const amplification = retryAmplification(quota.failing)
  const all = minuteOf(demand, quota.maxTokens ?? 0, amplification)
  const needsOf = (carrying: readonly Provider[], without?: string): QuotaNeed[] => {
    const total = carrying.reduce((sum, { share }) => sum + share, 0)
    return carrying.flatMap(({ name: provider, share, accounts: have, limits }) =>
      QUOTAS.flatMap((name): QuotaNeed[] => {
        const limit = limits[name]
        if (limit === undefined || total === 0) return []
        const need = (all[name] * share) / total
        return [
          { name, provider, need, limit, accounts: need / limit, have, ...(without === undefined ? {} : { without }) },
        ]
      }),
    )
  }
  const lost = providers.length < 2 ? [] : providers
  return {
    needs: [
      ...needsOf(providers),
      ...lost.flatMap((gone) =>
        needsOf(
          providers.filter((provider) => provider !== gone),
          gone.name,
        ),
      ),
    ],
    amplification,
  }
}

/** 1 + f + f^2 + ... to the last try. */
function retryAmplification(failing: Quota['failing']): number {
  if (!failing) return 1
  return Array.from({ length: failing.retries + 1 }, (_, i) => failing.share ** i).reduce((sum, part) => sum + part, 0)
}

function minuteOf(demand: Demand, maxTokens: number, amplification: number): Record<QuotaName, number> {
  const upstream = (1 - demand.cacheHitShare) * amplification * 60 * demand.minute.factor
  const requests = demand.requestsPerSec * upstream
  const input = demand.inputTokensPerSec * upstream
  const output = Math.max((demand.outputTokensPerSec + demand.hiddenTokensPerSec) * upstream, requests * maxTokens)
  return {
    'tokens per minute': input + output,
    'input tokens per minute': input,
    'output tokens per minute': output,
    'requests per minute': requests,
  }
}
