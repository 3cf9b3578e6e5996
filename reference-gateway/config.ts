/**
 * The gateway's config as the code works with it, and how it follows from the file: keys looked up in the environment, and
 * limits that depend on each other brought together. The file's own keys are in config-file.ts.
 */
import { z } from 'zod'
import { configFile } from './config-file.ts'
import { type Environment, lookUpSecret } from './config-values.ts'

export type { Environment } from './config-values.ts'

type File = z.output<typeof configFile>

export interface Provider {
  name: string
  /** Scheme, host and port. */
  origin: string
  /** What stands in place of '/v1': '/v1' for http://host/v1, '' for http://host. */
  basePath: string
  apiKey: string | undefined
  models: readonly string[]
}

export interface UpstreamConfig {
  keepAlive: boolean
  tcpKeepAliveMs: number
  connectTimeoutMs: number
  responseTimeoutMs: number
  bodyIdleTimeoutMs: number
}

export interface PoolConfig {
  maxIdlePerHost: number
  maxTotal: number
  maxLifetimeMs: number
  /** The smaller of keep_alive.timeout and connection_pool.idle_timeout. */
  idleTimeoutMs: number
}

export interface GatewayConfig {
  host: string
  port: number
  providers: readonly [Provider, ...Provider[]]
  upstream: UpstreamConfig
  pool: PoolConfig
  /** Connections per provider opened at start; 0 for none. */
  warmup: { connections: number; probeEndpoint: string }
  /** As their own folders define them. */
  policies: File['policies']
  streaming: File['gateway']['streaming']
  cache: File['gateway']['cache']
  events: File['gateway']['events']
  adminPort: File['gateway']['admin_port']
  admin: File['gateway']['admin']
  /** What the user should know about how the config was understood. */
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
    const providers = given.providers.map((one, index): Provider => {
      if (names.has(one.name)) refuse(['providers', index, 'name'], `there are two providers '${one.name}'`)
      names.add(one.name)
      const key = resolveKey(one.api_key, one.name, environment)
      if (key.problem) refuse(['providers', index, 'api_key'], key.problem)
      if (key.notice) notices.push(key.notice)
      return { name: one.name, ...one.base_url, apiKey: key.value, models: one.models }
    })
    const [first, ...others] = providers
    if (!first) return z.NEVER
    const { keep_alive: keepAlive } = given.upstream
    const pool: PoolConfig = {
      maxIdlePerHost: given.connection_pool.max_idle_per_host,
      maxTotal: given.connection_pool.max_total,
      maxLifetimeMs: given.connection_pool.max_lifetime,
      idleTimeoutMs: Math.min(keepAlive.timeout, given.connection_pool.idle_timeout),
    }
    return {
      host: given.host,
      port: given.port,
      providers: [first, ...others],
      upstream: {
        keepAlive: keepAlive.enabled,
        tcpKeepAliveMs: keepAlive.interval,
        connectTimeoutMs: given.upstream.connect_timeout,
        responseTimeoutMs: given.upstream.response_timeout,
        bodyIdleTimeoutMs: given.upstream.body_idle_timeout,
      },
      pool,
      warmup: {
        connections: warmConnections(given.warmup, keepAlive.enabled, pool, providers.length, notices),
        probeEndpoint: given.warmup.probe_endpoint,
      },
      policies: parsed.policies,
      streaming: given.streaming,
      cache: given.cache,
      events: given.events,
      adminPort: given.admin_port,
      admin: given.admin,
      notices,
    }
  })
}

function resolveKey(
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

/** As many as were asked for and as can stay: what does not fit the pool would be closed at once. */
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
    `warm-up opens ${fitting} instead of ${warmup.connections_per_provider} connections per provider: connection_pool holds no more`,
  )
  return fitting
}
