/**
 * The keys of the gateway's YAML, their defaults and what they may hold. What is accepted works: a feature that this version
 * does not have is refused by name instead of being ignored. Policies, cache, events and admin say their own keys.
 */
import { z } from 'zod'
import { addressProblem, bytes, duration, secret } from '../../src/parse/config-values.ts'
import { policiesFile, streamingFile } from '../policies/kinds/config-file.ts'
import { PROTOCOLS } from '../protocols/protocols.ts'
import { adminFile, adminPortFile } from './admin-file.ts'
import { cacheFile } from './cache-file.ts'
import { eventsFile } from './events-file.ts'

const baseUrl = z.string().transform((text, context) => {
  const parsed = parseBaseUrl(text)
  if (typeof parsed !== 'string') return parsed
  context.addIssue({ code: 'custom', message: parsed })
  return z.NEVER
})

/** Splits a provider's base URL, or says what is wrong with it. */
export function parseBaseUrl(text: string): { origin: string; basePath: string } | string {
  const url = URL.parse(text)
  const problem = url && addressProblem(url)
  if (problem) return problem
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return `'${text}' is not an http(s) URL (like http://127.0.0.1:41001/v1)`
  }
  if (url.search || url.hash) return 'a base URL has no query and no fragment'
  return { origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') }
}

const provider = z.strictObject({
  name: z.string().min(1),
  base_url: baseUrl,
  protocol: z.enum(PROTOCOLS).default('openai'),
  api_key: secret.optional(),
  weight: z.number().positive().max(1_000_000).optional(),
  models: z
    .array(z.string().regex(/^(?:[^*]+\*?|\*)$/, "a model is a name, a prefix ('gpt-*') or '*'"))
    .min(1)
    .default(['*']),
})

const upstream = z.strictObject({
  http_version: z.enum(['h1', 'h2']).default('h1'),
  pipelining: z.int().min(1).max(64).default(1),
  ca_file: z.string().min(1).optional(),
  keep_alive: z
    .strictObject({
      enabled: z.boolean().default(true),
      interval: duration.prefault('30s'),
      timeout: duration.prefault('60s'),
    })
    .prefault({}),
  connect_timeout: duration.prefault('10s'),
  response_timeout: duration.prefault('300s'),
  body_idle_timeout: duration.prefault('300s'),
})

const auth = z.strictObject({
  keys: z.array(z.strictObject({ key: secret, tenant: z.string().regex(/^[\w.-]{1,64}$/) })).min(1),
})

const limits = z.strictObject({
  max_body: bytes.prefault('10MB'),
  max_in_flight: z.int().min(1).default(1_024),
  header_timeout: duration.prefault('20s'),
  request_timeout: duration.prefault('120s'),
  reader_timeout: duration.prefault('60s'),
  drain_timeout: duration.prefault('10s'),
})

const gateway = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(41_002),
  workers: z.union([z.int().min(1).max(64), z.literal('auto')]).default(1),
  admin_port: adminPortFile,
  admin: adminFile,
  providers: z
    .array(provider)
    .min(1)
    .prefault([{ name: 'openai', base_url: 'http://127.0.0.1:41001/v1' }]),
  auth: auth.optional(),
  limits: limits.prefault({}),
  upstream: upstream.prefault({}),
  fallback: z.strictObject({ enabled: z.boolean().default(true) }).prefault({}),
  circuit_breaker: z
    .strictObject({
      enabled: z.boolean().default(false),
      failures: z.int().min(1).default(5),
      open_for: duration.prefault('10s'),
    })
    .prefault({}),
  connection_pool: z
    .strictObject({
      max_idle_per_host: z.int().min(0).default(32),
      max_total: z.int().min(1).default(256),
      max_lifetime: duration.prefault('300s'),
      idle_timeout: duration.prefault('90s'),
    })
    .prefault({}),
  warmup: z
    .strictObject({
      enabled: z.boolean().default(true),
      connections_per_provider: z.int().min(1).default(4),
      probe_endpoint: z.string().startsWith('/').default('/v1/models'),
    })
    .prefault({}),
  streaming: streamingFile,
  cache: cacheFile,
  events: eventsFile,
})

/** The whole file. Durations are milliseconds and sizes bytes once parsed. */
export const configFile = z.strictObject({
  gateway: gateway.prefault({}),
  policies: policiesFile,
})
