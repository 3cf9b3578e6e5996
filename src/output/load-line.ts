/** How a run loaded its target, in words: the loop and its shape, the connections, what waited where. Strings out. */
import type { BenchReport } from '../report/schema.ts'
import { formatDuration, formatMs, formatNumber } from '../units.ts'

type Load = BenchReport['load']

/** `open loop, 200 requests/s, poisson arrivals`; what is not the usual follows the loop. */
export function loopLine({ load, totals }: BenchReport): string {
  const parts = load.mode === 'closed' ? closedParts(load) : openParts(load)
  if (load.thinkTimeMs !== undefined && totals.inFlight) {
    parts.push(`${formatNumber(totals.inFlight.mean, 1)} in flight on average`)
  }
  if (load.workers !== undefined) parts.push(`${load.workers} sending threads`)
  return [...parts, ...connectionParts(load)].join(', ')
}

function closedParts(load: Load): string[] {
  const { concurrency, thinkTimeMs } = load
  const count = formatNumber(concurrency ?? 0)
  if (thinkTimeMs !== undefined) {
    return [`closed loop, ${count} users`, ...shape(load), `think time ${formatDuration(thinkTimeMs)}`]
  }
  return load.stages ? ['closed loop', ...shape(load)] : [`closed loop, ${count} in flight`]
}

function openParts(load: Load): string[] {
  const { rps, arrival, burstiness } = load
  const rate = load.stages ? ['open loop', ...shape(load)] : [`open loop, ${rps} requests/s`]
  if (arrival === 'poisson') rate.push('poisson arrivals')
  if (arrival === 'gamma') rate.push(`gamma arrivals of burstiness ${burstiness}`)
  return rate
}

/** `10 for 30 s, then to 200 in 60 s`. */
function shape({ stages, mode }: Load): string[] {
  if (!stages) return []
  const unit = mode === 'open' ? ' requests/s' : ' in flight'
  const lasting = stages.filter(({ durationS }) => durationS > 0)
  const words = lasting.map(({ from, to, durationS }) => {
    const time = formatDuration(durationS * 1_000)
    return from === to ? `${from}${unit} for ${time}` : `${from} to ${to}${unit} in ${time}`
  })
  return [words.join(', then ')]
}

function connectionParts({ connection }: Load): string[] {
  if (!connection) return []
  const { http, keepAlive, certificates } = connection
  return [
    http === 'h2' ? 'HTTP/2' : '',
    keepAlive ? '' : 'a connection for every request',
    certificates === 'any' ? 'certificates not verified (--insecure)' : '',
    certificates === 'own-ca' ? 'certificates by --ca' : '',
  ].filter((part) => part !== '')
}

/**
 * What an open loop shows that a closed one hides: requests that waited to be sent. Said when the wait makes the tail, for a tool
 * that counts from sent alone would not have it (coordinated omission).
 */
export function omissionNote({ load, latencyMs, serviceMs }: BenchReport): string | undefined {
  if (load.mode !== 'open' || !latencyMs || !serviceMs) return undefined
  const waitedMs = latencyMs.p99 - serviceMs.p99
  if (waitedMs < 5 || latencyMs.p99 < 2 * serviceMs.p99) return undefined
  return (
    `requests waited to be sent: P99 is ${formatMs(latencyMs.p99)} from the intended time, which is what a user meets, and ` +
    `${formatMs(serviceMs.p99)} from sent, where whoever waits behind a slow answer does not count (coordinated omission)`
  )
}
