/** What providers, NAT gateways and the guide's instances allow, as text. */
import type { Plan } from '../report/plan-schema.ts'
import { counted, formatCount, formatNumber, formatShare } from '../units.ts'
import { raw, rows, trimmed } from './plan-words.ts'
import type { Page } from './table.ts'

const QUOTA_COLUMNS = ['left', 'left', 'right', 'left'] as const

export function natLine({
  gateways,
  addresses,
  binding,
  connectionsPerAddress,
  source,
  date,
}: NonNullable<Plan['nat']>): string {
  return (
    `- NAT: ${counted(gateways, 'gateway')} in each zone (${binding === 'zones' ? 'one is enough' : binding}), with ` +
    `${counted(addresses, 'address', 'addresses')} of ${formatNumber(connectionsPerAddress)} connections to one of ` +
    `the provider's: ${source} (${date}).`
  )
}

export function providerLines({ quotas, amplification, demand }: Plan, page: Page): string[] {
  const more = amplification === undefined ? '' : `; retries make ${trimmed(amplification, 3)} of each request`
  const lines = (without: string | undefined): string[][] =>
    quotas
      .filter((quota) => quota.without === without)
      .map(({ provider, name, need, limit, accounts, have }) => [
        provider,
        name,
        `${formatCount(need)} of ${have === 1 ? '' : `${formatNumber(have)} x `}${formatCount(limit)}`,
        accounts > have ? `takes ${counted(Math.ceil(accounts), 'account')}` : `${formatShare(accounts / have)} of it`,
      ])
  const gone = [...new Set(quotas.flatMap(({ without }) => without ?? []))]
  return [
    `By the busiest minute, ${trimmed(demand.minute.factor)} of the peak: ${demand.minute.why}${more}`,
    ...rows(lines(undefined), page, QUOTA_COLUMNS),
    ...(quotas.some(({ accounts, have }) => accounts > have)
      ? ['No number of workers carries what is over a quota.']
      : []),
    ...gone.flatMap((name) => [`without ${name}:`, ...rows(lines(name), page, QUOTA_COLUMNS)]),
  ]
}

/** What other vendors publish, beside Kong's. */
export function publishedLines(published: NonNullable<Plan['published']>): string[] {
  return published.map(
    ({ name, instances, vcpu, memoryGib, requestsPerSec, tokensPerSec, p99Ms, ...rest }) =>
      `- ${name}: ${formatNumber(requestsPerSec)} requests/s` +
      `${tokensPerSec === undefined ? '' : `, ${formatCount(tokensPerSec)} tokens/s`} on ${instances} x ${vcpu} ` +
      `vCPU, ${memoryGib} GB (P99 ${formatNumber(p99Ms)} ms), so ${raw(rest.needsVcpu)} vCPU for this rate` +
      (rest.needsVcpuByTokens === undefined ? ', of whatever tokens' : `, ${raw(rest.needsVcpuByTokens)} by tokens`) +
      `: ${rest.source} (${rest.date}).`,
  )
}

/** The guide's row, beside what the same demand computes to. */
export function instance(i: NonNullable<Plan['instance']>, page: Page): string[] {
  const more = i.orMore ? '+' : ''
  const { computed } = i
  return [
    ...rows(
      [
        ['', 'vCPU', 'memory', 'connections'],
        [i.name, `${i.vcpu}${more}`, `${formatNumber(i.memoryMb)} MB${more}`, formatNumber(i.connections)],
        ['computed', raw(computed.vcpu), `${formatNumber(computed.memoryMb)} MB`, formatNumber(computed.connections)],
      ],
      page,
    ),
    `Source: ${i.source}`,
  ]
}
