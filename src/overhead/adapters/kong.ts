/**
 * Kong: `X-Kong-Proxy-Latency` (its request side, up to the balancer) and `X-Kong-Upstream-Latency` (the wait for the
 * upstream's first byte), differences of a clock of whole milliseconds. `X-Kong-Response-Latency` means that Kong
 * answered itself. Some providers sit behind a Kong of their own, whose headers another gateway passes on, so gateways
 * that name themselves come first (index.ts).
 */
import { type Adapter, BETWEEN_MS, FROM_CACHE, millisecondsUs, type Statement, word } from './adapter.ts'

const PROXY_NOTE = 'its request side, up to the balancer: what it does with the answer is not in it'
const UPSTREAM_NOTE =
  "the client's time less the wait for the upstream's first byte; the network to the gateway and kt are in it"

export const kong: Adapter = {
  names: [
    'x-kong-proxy-latency',
    'x-kong-upstream-latency',
    'x-kong-response-latency',
    'x-kong-llm-model',
    'via',
    'server',
  ],
  read(headers) {
    const proxyUs = millisecondsUs(headers['x-kong-proxy-latency'])
    const upstreamUs = millisecondsUs(headers['x-kong-upstream-latency'])
    const answeredItself = headers['x-kong-response-latency'] !== undefined
    if (proxyUs === undefined && upstreamUs === undefined && !answeredItself) {
      const named =
        word(headers.via).includes('kong/') ||
        word(headers.server).startsWith('kong/') ||
        headers['x-kong-llm-model'] !== undefined
      return named
        ? { gateway: 'Kong', caveat: 'its latency headers are switched off (headers = latency_tokens)' }
        : undefined
    }
    const statement: Statement = { gateway: 'Kong' }
    if (proxyUs !== undefined) {
      statement.overhead = {
        us: proxyUs,
        source: 'X-Kong-Proxy-Latency',
        note: PROXY_NOTE,
        ...BETWEEN_MS,
      }
    }
    if (upstreamUs !== undefined) {
      statement.upstream = {
        us: upstreamUs,
        source: 'X-Kong-Upstream-Latency',
        note: UPSTREAM_NOTE,
        ...BETWEEN_MS,
      }
    }
    if (word(headers['x-cache-status']) === 'hit') statement.unusable = FROM_CACHE
    else if (answeredItself) statement.unusable = 'Kong answered itself, without an upstream'
    return statement
  },
}
