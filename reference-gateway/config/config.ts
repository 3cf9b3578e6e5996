/**
 * The gateway's config in the form that the code uses, made from the file: secrets are looked up in the environment,
 * and limits that depend on each other are reconciled. The file's own keys are in config-file.ts.
 */
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type Environment, lookUpHeader, lookUpSecret, type Secret } from '../../src/parse/config-values.ts'
import { plainReason } from '../../src/wire/connection-errors.ts'
import type { ClientKey } from '../http/client-key.ts'
import { isLoopback } from '../http/request-head.ts'
import type { PoolConfig, ProviderConfig, UpstreamConfig } from '../upstream/types.ts'
import { type CacheConfig, configFile, redisUrlProblem } from './config-file.ts'
import { cacheNotices, idleNotices, streamNotices } from './notices.ts'

export type { Environment } from '../../src/parse/config-values.ts'

type File = z.output<typeof configFile>

const JIT_FROM_BYTES = 256 * 1_024 * 1_024
/** How long the acknowledgement of a PING may take where keep_alive.timeout does not say. */
const PING_TIMEOUT_MS = 60_000

interface GatewayLimits {
  maxBodyBytes: number
  maxInFlight: number
  /** Bytes of bodies and of whole answers in memory at the same time. */
  maxBufferedBytes: number
  headerTimeoutMs: number
  requestTimeoutMs: number
  /** How long a client may send nothing of a body that it has begun. */
  senderTimeoutMs: number
  readerTimeoutMs: number
  /** How long a gateway that was asked to end waits for requests in flight. */
  drainTimeoutMs: number
}

export interface GatewayConfig {
  host: string
  port: number
  /** Other machines may be served without keys. */
  open: boolean
  /** PEM; undefined: without TLS. */
  tls: { cert: string; key: string } | undefined
  /** Number of processes that serve. */
  workers: number
  providers: readonly [ProviderConfig, ...ProviderConfig[]]
  /** Undefined: any client may use the gateway. */
  clientKeys: readonly ClientKey[] | undefined
  limits: GatewayLimits
  upstream: UpstreamConfig
  pool: PoolConfig
  /** Connections opened to each provider at the start, 0 for none; whether processes compile their code first. */
  warmup: { connections: number; probeEndpoint: string; jit: boolean }
  /** These keys keep the form that their own schemas give them. */
  policies: File['policies']
  streaming: File['gateway']['streaming']
  cache: File['gateway']['cache']
  events: File['gateway']['events']
  /** Undefined: none; auto: the usual one, if it is free. */
  adminPort: number | 'auto' | undefined
  admin: File['gateway']['admin']
  metrics: File['gateway']['metrics']
  accessLog: File['gateway']['access_log']
  /** Notes for the user about how the config was understood. */
  notices: readonly string[]
}

/** The schema of the config file; references like `${OPENAI_API_KEY}` are looked up in `environment`. */
export function gatewayConfigSchema(environment: Environment) {
  return configFile.transform((parsed, context): GatewayConfig => {
    const { gateway: given } = parsed
    const notices: string[] = []
    const refuse = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path: ['gateway', ...path], message })
    const names = new Set<string>()
    const providers = given.providers.map((one, index): ProviderConfig => {
      if (names.has(one.name)) refuse(['providers', index, 'name'], `there are two providers '${one.name}'`)
      names.add(one.name)
      const key = resolveApiKey(one.api_key, one.name, environment)
      if (key.problem) refuse(['providers', index, 'api_key'], key.problem)
      if (key.notice) notices.push(key.notice)
      const { name, protocol, models, weight } = one
      return { name, ...one.base_url, protocol, apiKey: key.value, models, weight }
    })
    const found = ({ value, missing, problem }: Secret, ...path: (string | number)[]): string => {
      const message = problem ?? `${missing} is not set`
      if (value === undefined) context.addIssue({ code: 'custom', path, message })
      return value ?? ''
    }
    if (given.admin_port === given.port && given.port !== 0)
      refuse(['admin_port'], `${given.port} is the port it serves on`)
    const secret = (text: string, ...path: (string | number)[]): string =>
      found(lookUpSecret(text, environment), 'gateway', ...path)
    const clientKeys = given.auth?.keys.map(({ key, tenant, models, endpoints }, index): ClientKey => {
      return { value: secret(key, 'auth', 'keys', index, 'key'), tenant, models, endpoints }
    })
    const withHeaders = <T extends { headers: Record<string, string> }>(holder: T, ...path: (string | number)[]): T => {
      const headers = Object.entries(holder.headers).map(([name, value]) => {
        return [name, found(lookUpHeader(value, environment), ...path, 'headers', name)]
      })
      return { ...holder, headers: Object.fromEntries(headers) }
    }
    const policies = parsed.policies.map((policy, index) =>
      policy.kind === 'webhook'
        ? { ...policy, webhook: withHeaders(policy.webhook, 'policies', index, 'webhook') }
        : policy,
    )
    if (!isLoopback(given.host) && !given.auth && !given.open) {
      refuse(['host'], `${given.host} serves other machines with the providers' keys: set auth.keys, or open: true`)
    }
    if (given.metrics && !isLoopback(given.metrics.host) && given.metrics.token === undefined)
      refuse(['metrics', 'token'], 'other machines could read the metrics: set a token')
    if (given.limits.max_buffered < given.limits.max_body)
      refuse(['limits', 'max_buffered'], 'is smaller than max_body: no such body could be taken')
    const { otlp } = given.events
    const [first, ...others] = providers
    if (!first) return z.NEVER
    const workers = given.workers === 'auto' ? availableParallelism() : given.workers
    const { keep_alive: keepAlive } = given.upstream
    const pool: PoolConfig = {
      maxIdlePerHost: given.connection_pool.max_idle_per_host,
      maxTotal: given.connection_pool.max_total,
      maxLifetimeMs: given.connection_pool.max_lifetime,
      maxWaitMs: given.connection_pool.max_wait,
      idleTimeoutMs: Math.min(keepAlive.timeout ?? Number.POSITIVE_INFINITY, given.connection_pool.idle_timeout),
    }
    return {
      host: given.host,
      port: given.port,
      open: given.open,
      tls: readCertificate(given.listen.tls, refuse),
      workers,
      providers: [first, ...others],
      clientKeys,
      limits: {
        maxBodyBytes: given.limits.max_body,
        maxInFlight: given.limits.max_in_flight,
        maxBufferedBytes: given.limits.max_buffered,
        // The head is a part of the request.
        headerTimeoutMs: Math.min(given.limits.header_timeout, given.limits.request_timeout),
        requestTimeoutMs: given.limits.request_timeout,
        senderTimeoutMs: given.limits.sender_timeout,
        readerTimeoutMs: given.limits.reader_timeout,
        drainTimeoutMs: given.limits.drain_timeout,
      },
      upstream: {
        httpVersion: given.upstream.http_version,
        keepAlive: keepAlive.enabled,
        keepAliveIntervalMs: keepAlive.interval,
        keepAliveTimeoutMs: keepAlive.timeout ?? PING_TIMEOUT_MS,
        pipelining: given.upstream.pipelining,
        ca: readCertificates(given.upstream.ca_file, (problem) => refuse(['upstream', 'ca_file'], problem)),
        connectTimeoutMs: given.upstream.connect_timeout,
        responseTimeoutMs: given.upstream.response_timeout,
        bodyIdleTimeoutMs: given.upstream.body_idle_timeout,
        fallback: given.fallback.enabled,
        breaker: given.circuit_breaker.enabled
          ? { failures: given.circuit_breaker.failures, openForMs: given.circuit_breaker.open_for }
          : undefined,
      },
      pool,
      warmup: {
        connections: warmConnections(given.warmup, keepAlive.enabled, pool, providers.length, notices),
        probeEndpoint: given.warmup.probe_endpoint,
        jit: given.warmup.enabled && (given.warmup.jit === 'auto' ? hasRoom(workers) : given.warmup.jit),
      },
      policies,
      streaming: given.streaming,
      cache: withRedisUrl(given.cache, (url) => secret(url, 'cache', 'redis', 'url'), refuse),
      events: { ...given.events, ...(otlp && { otlp: withHeaders(otlp, 'gateway', 'events', 'otlp') }) },
      adminPort: given.admin_port === 'off' ? undefined : given.admin_port,
      metrics: given.metrics && {
        ...given.metrics,
        token: given.metrics.token && secret(given.metrics.token, 'metrics', 'token'),
      },
      accessLog: given.access_log,
      admin: { token: given.admin.token && secret(given.admin.token, 'admin', 'token') },
      notices: [
        ...notices,
        ...idleNotices(keepAlive.timeout, given.connection_pool.idle_timeout),
        ...streamNotices(policies, given.streaming),
        ...cacheNotices(given.cache),
      ],
    }
  })
}

/** What V8 compiles, and what its compilers keep of the memory that they needed, takes some 50 MB of a process. */
function hasRoom(workers: number): boolean {
  return process.constrainedMemory() === 0 || process.constrainedMemory() / workers >= JIT_FROM_BYTES
}

function withRedisUrl(
  cache: CacheConfig,
  secret: (url: string) => string,
  refuse: (path: string[], problem: string) => void,
): CacheConfig {
  if (!cache.enabled || cache.backend !== 'redis') return cache
  const url = secret(cache.redis.url)
  const problem = url && redisUrlProblem(url)
  if (problem) refuse(['cache', 'redis', 'url'], problem)
  return { ...cache, redis: { ...cache.redis, url } }
}

function resolveApiKey(
  given: string | undefined,
  provider: string,
  environment: Environment,
): { value: string | undefined; notice?: string; problem?: string } {
  if (given === undefined) return { value: undefined }
  const secret = lookUpSecret(given, environment)
  if (secret.missing === undefined) return { value: secret.value, ...(secret.problem && { problem: secret.problem }) }
  return {
    value: undefined,
    notice: `${secret.missing} is not set: provider '${provider}' gets the authorization that the client sends`,
  }
}

function readCertificate(
  given: { cert: string; key: string } | undefined,
  refuse: (path: string[], problem: string) => void,
): GatewayConfig['tls'] {
  if (!given) return undefined
  const read = (part: 'cert' | 'key') =>
    readCertificates(given[part], (problem) => refuse(['listen', 'tls', part], problem))
  const [cert, key] = [read('cert'), read('key')]
  if (cert === undefined || key === undefined) return undefined
  try {
    createSecureContext({ cert, key })
  } catch (error) {
    refuse(['listen', 'tls'], `these are no certificate and its key (${plainReason(error)})`)
  }
  return { cert, key }
}

function readCertificates(path: string | undefined, refuse: (problem: string) => void): string | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch {
    refuse(`cannot read ${path}`)
    return undefined
  }
}

/**
 * The connections that were asked for, as far as they can stay: the pool would close any further connection at once.
 */
function warmConnections(
  warmup: { enabled: boolean; connections_per_provider: number },
  keepAlive: boolean,
  pool: PoolConfig,
  providers: number,
  notices: string[],
): number {
  if (!warmup.enabled) return 0
  if (!keepAlive) {
    notices.push('no warm-up: keep_alive is off, so that a connection serves one request only')
    return 0
  }
  const fitting = Math.min(pool.maxIdlePerHost, Math.floor(pool.maxTotal / providers))
  if (fitting >= warmup.connections_per_provider) return warmup.connections_per_provider
  notices.push(
    `warm-up opens ${fitting} instead of ${warmup.connections_per_provider} connections per provider: ` +
      'connection_pool holds no more',
  )
  return fitting
}
