/**
 * Connections: a new one for every request in front of the gateway or behind it, none opened before the first request,
 * HTTP/1.1 where many requests could share one, and a provider that is not told that a client has left. The guide's
 * anti-patterns are among them.
 */
import type { ProviderRecord } from '../../overhead/provider-records.ts'
import { counted, formatMs } from '../../units.ts'
import { NO_PROVIDER } from '../probe/measured.ts'
import { type DoctorRule, fine, found, notChecked, onlyMeasured } from '../rule.ts'

/** As many connections as half of the requests: the other half may still have been kept by accident. */
const TOO_MANY = 0.5
/** The provider must have been at it for this much longer than the client stayed. */
const MARGIN_US = 100_000

const KONG_CONF = "kong.conf holds Kong's pools (upstream_keepalive_pool_size), the declarative config does not"

const NOT_IN_LITELLM = 'its YAML says nothing of connections'

export const newConnectionPerRequest: DoctorRule = {
  id: 'new-connection-per-request',
  title: 'A new TCP connection for every request',
  cost: '50 to 100 ms more per request over a network, by the guide: TCP and TLS handshakes',
  fix: { how: 'Let connections be pooled and kept.', kt: pool({ max_idle_per_host: 32, max_total: 256 }) },
  config: {
    kt: ({ config: { gateway } }) => {
      const { max_idle_per_host: idle, max_total: total } = gateway.connection_pool
      if (idle > 0) return fine(`the pool keeps ${idle} idle connections to each provider, ${total} in all`)
      return found('warning', 'certain', 'connection_pool.max_idle_per_host is 0: no connection outlives its request')
    },
    kong: KONG_CONF,
    litellm: NOT_IN_LITELLM,
  },
  report: ({ totals, load }) => {
    if (load.connection?.keepAlive === false) return notChecked('the run itself asked for a connection a request')
    const { opened, reused } = totals.connections
    const seen =
      `${counted(opened, 'connection')} opened for ${counted(totals.sent, 'request')}, ` +
      `${reused} of them on one that was open`
    const many = opened > totals.sent * TOO_MANY && opened > (load.concurrency ?? load.maxInFlight ?? 0)
    return many ? found('warning', 'certain', seen, CLIENT_SIDE) : fine(seen)
  },
  measure: ({ opened, whole, streams }) => {
    const requests = whole.length + streams.length
    const seen = `${opened} opened by kt for ${requests} requests, one after another`
    return opened > requests * TOO_MANY ? found('warning', 'certain', seen, CLIENT_SIDE) : fine(seen)
  },
}

/** What no config of these gateways sets. */
const CLIENT_SIDE = {
  how:
    "Keep clients' connections open: no `connection: close` by the gateway or a proxy before it, " +
    "an idle time above the clients' own.",
  patch: {},
}

export const noKeepAlive: DoctorRule = {
  id: 'no-keep-alive',
  title: 'No keep-alive to the provider',
  cost: 'a TCP and TLS handshake with the provider in every request',
  fix: {
    how: 'Keep connections to providers open between requests.',
    kt: { gateway: { upstream: { keep_alive: { enabled: true, interval: '30s', timeout: '60s' } } } },
  },
  config: {
    kt: ({ config: { gateway } }) =>
      gateway.upstream.keep_alive.enabled
        ? fine('upstream.keep_alive is enabled')
        : found('warning', 'certain', 'upstream.keep_alive.enabled is false: a connection for every request'),
    kong: KONG_CONF,
    litellm: NOT_IN_LITELLM,
  },
  report: "a report sees the clients' side of the gateway only",
  measure: ({ provider, whole, streams }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    const records = [...whole, ...streams].flatMap(
      ({ nonce }): readonly ProviderRecord[] => provider.truth.get(nonce) ?? [],
    )
    const connections = records.flatMap(({ connection }) => (connection === undefined ? [] : [connection]))
    if (connections.length === 0) return notChecked("the provider's record names no connections of these requests")
    const distinct = new Set(connections).size
    const seen =
      `${counted(distinct, 'connection')} at the provider for ${counted(connections.length, 'request')}, ` +
      'one after another'
    return distinct > connections.length * TOO_MANY ? found('warning', 'certain', seen) : fine(seen)
  },
}

export const noWarmUp: DoctorRule = {
  id: 'no-warm-up',
  title: 'No connection is opened before the first request',
  cost: 'the first requests after a start or a scale-out pay for TCP and TLS',
  fix: {
    how: 'Open connections at the start, and take no traffic before.',
    kt: { gateway: { warmup: { enabled: true, connections_per_provider: 4, probe_endpoint: '/v1/models' } } },
  },
  config: {
    kt: ({ config: { gateway } }) => {
      const { enabled, connections_per_provider: count } = gateway.warmup
      if (!enabled) return found('warning', 'certain', 'warmup.enabled is false')
      const fits = gateway.upstream.keep_alive.enabled && gateway.connection_pool.max_idle_per_host > 0
      if (fits) return fine(`${counted(count, 'connection is', 'connections are')} opened to each provider`)
      return found('warning', 'certain', 'warmup is enabled, but the pool keeps no idle connection: it opens none', {
        patch: { gateway: { upstream: { keep_alive: { enabled: true } }, connection_pool: { max_idle_per_host: 32 } } },
      })
    },
    kong: 'Kong has no warm-up of upstream connections',
    litellm: 'LiteLLM has no warm-up of connections',
  },
  report: 'a report leaves the first requests out',
  measure: ({ provider }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    if (provider.warm === undefined)
      return notChecked('the gateway was running already; --run starts one from the config')
    const were = counted(provider.warm, 'connection was', 'connections were')
    return provider.warm > 0
      ? fine(`${were} open at the provider before the first request`)
      : found('warning', 'certain', 'no connection was open at the provider before the first request')
  },
}

export const http1Upstream: DoctorRule = {
  id: 'http1-upstream',
  title: 'HTTP/1.1 to the provider',
  cost:
    'a connection for each request in flight, where HTTP/2 carries about 100 on one; ' +
    'per request HTTP/1.1 is often the quicker of the two',
  fix: {
    how: 'Use HTTP/2 where the provider speaks it and many requests are in flight; measure both.',
    kt: { gateway: { upstream: { http_version: 'h2' } } },
  },
  config: {
    kt: ({ config: { gateway } }) => {
      const { http_version: version } = gateway.upstream
      if (version === 'h2') return fine('upstream.http_version is h2')
      if (version === 'h1') return found('info', 'certain', 'upstream.http_version is h1')
      const isPlain = gateway.providers.some(({ base_url: { origin } }) => origin.startsWith('http:'))
      return isPlain
        ? found('info', 'certain', 'upstream.http_version is auto, and a provider without TLS is asked over HTTP/1.1')
        : fine('upstream.http_version is auto, and TLS negotiates HTTP/2')
    },
    kong: 'Kong speaks HTTP/1.1 to its upstreams',
    litellm: NOT_IN_LITELLM,
  },
  report: "a report sees the clients' side of the gateway only",
  measure: ({ provider }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    const { http2 } = provider.connections
    return http2 > 0
      ? fine(`${counted(http2, 'connection')} of HTTP/2 at the provider`)
      : found('info', 'certain', 'no connection of HTTP/2 at the provider')
  },
}

export const disconnectIgnored: DoctorRule = {
  id: 'disconnect-ignored',
  needs: 'streams',
  title: 'The provider is not told that a client has left',
  cost: 'answers are generated to their end, and billed, for nobody; each holds a connection meanwhile',
  fix: { how: "Abort the upstream request when the client's connection closes." },
  config: onlyMeasured('no key of a config shows it'),
  report: 'no client of a bench leaves early',
  measure: ({ left, provider }) => {
    if (!provider) return notChecked(NO_PROVIDER)
    const record = left && provider.truth.get(left.nonce)?.[0]
    if (!record) return notChecked('the provider has no record of the request')
    if (record.aborted) return fine(`the client left, and the provider noticed after ${record.tokens} tokens`)
    const wroteUs = (record.lastWriteUs ?? record.receivedUs) - record.receivedUs
    if (left.outcome === 'OK' || wroteUs < left.tookUs + MARGIN_US) {
      return notChecked(
        'the provider was done before the client could leave: start it with a --token-gap of 2ms or more',
      )
    }
    const [stayed, wrote] = [left.tookUs, wroteUs].map((us) => formatMs(us / 1_000))
    return found(
      'warning',
      'certain',
      `the client left after ${stayed} ms; the provider wrote on until ${wrote} ms, ${record.tokens} tokens`,
    )
  },
}

function pool(keys: Record<string, unknown>) {
  return { gateway: { connection_pool: keys } }
}
