/**
 * The keys of the gateway's YAML file, their defaults and allowed values. Whatever is accepted works: a feature that
 * this version lacks is refused by name, not ignored. The keys of policies and streaming are in policies/kinds.
 */
import { z } from 'zod'
import { failure, success } from '../../src/errors.ts'
import { addressProblem, headerValue, secret } from '../../src/parse/config-values.ts'
import { bytes, parsedBy, timerMs } from '../../src/parse/quantity.ts'
import { ENDPOINT_NAMES, STORING_ENDPOINTS } from '../http/endpoints.ts'
import { policiesFile, streamingFile } from '../policies/kinds/config-file.ts'
import { PROTOCOLS } from '../protocols/protocols.ts'

// --- Events

const collector = z.string().refine((text) => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password
}, 'an OTLP endpoint is an http(s) URL without credentials (like http://127.0.0.1:4318/v1/traces)')

/** The keys of a file of lines. */
const LOG_FILE = {
  path: z.string().min(1),
  /** A file that grows beyond this becomes <path>.1, that file <path>.2, and so on. */
  max_size: bytes.prefault('64MB'),
  /** Number of rotated files kept. */
  max_files: z.int().min(1).max(100).default(4),
}

const eventsFile = z
  .strictObject({
    /** Unset: on where somebody can read events, by an admin port, a file or OTLP. */
    enabled: z.boolean().optional(),
    /** Events kept for readers that fall behind; further events are dropped and counted. */
    buffer: z.int().min(16).max(1_048_576).default(8_192),
    file: z.strictObject(LOG_FILE).optional(),
    otlp: z
      .strictObject({
        /** The whole URL. OTLP is sent over HTTP with JSON. */
        endpoint: collector,
        /** Values may hold references to the environment: `Bearer ${NAME}`. */
        headers: z.record(z.string(), headerValue).default({}),
        service_name: z.string().min(1).default('kt-gateway'),
        timeout: timerMs.prefault('10s'),
      })
      .optional(),
  })
  .prefault({})

export type EventsConfig = z.output<typeof eventsFile>
export type FileConfig = NonNullable<EventsConfig['file']>
export type OtlpConfig = NonNullable<EventsConfig['otlp']>

/** Whether events are emitted: where the config asks for them, or where somebody could read them. */
export function emitsEvents({ events, adminPort, metrics }: EventReaders): boolean {
  const { enabled, file, otlp } = events
  return enabled ?? (adminPort !== undefined || metrics !== undefined || file !== undefined || otlp !== undefined)
}

interface EventReaders {
  events: EventsConfig
  adminPort: number | 'auto' | undefined
  metrics: MetricsConfig | undefined
}

export const accessLogFile = z.strictObject({ ...LOG_FILE, format: z.enum(['json', 'common']).default('json') })

export type AccessLogConfig = z.output<typeof accessLogFile>

// --- Cache

/** A member of the request's body (all members count already), or a header that counts as well. */
const keyPart = z
  .string()
  .regex(
    /^(?:\*|[a-z_]\w*|header:[a-z0-9-]+)$/i,
    "a part of the key is a member of the body ('model'), '*' for all of them, or 'header:<name>'",
  )

export const cacheFile = z
  .strictObject({
    enabled: z.boolean().default(false),
    backend: z.enum(['memory', 'redis']).default('memory'),
    max_entries: z.int().min(1).max(10_000_000).default(10_000),
    /** A larger response is not stored. */
    max_entry_size: bytes.prefault('1MB'),
    /** Beyond this size the memory backend drops the least recently used entries. */
    max_size: bytes.prefault('256MB'),
    ttl: timerMs.prefault('3600s'),
    cache_when: z.strictObject({ temperature: z.number().min(0).default(0) }).prefault({}),
    key_includes: z.array(keyPart).default(['*']),
    redis: z
      .strictObject({
        url: z.string().min(1).default('redis://127.0.0.1:6379'),
        /** The longest that a request waits for Redis. */
        timeout: timerMs.prefault('100ms'),
        prefix: z
          .string()
          .regex(/^[\w.-]+$/, 'a prefix has letters, digits and _ . - only')
          .default('kt'),
      })
      .prefault({}),
  })
  .prefault({})

export type CacheConfig = z.output<typeof cacheFile>

/**
 * What is wrong with `url` as the address of a Redis server, if anything. The message does not show the URL, which may
 * hold a password.
 */
export function redisUrlProblem(url: string): string | undefined {
  const parsed = URL.parse(url)
  if (!parsed || !['redis:', 'rediss:'].includes(parsed.protocol)) return 'not a redis:// or rediss:// URL'
  return /^(?:\/\d*)?$/.test(parsed.pathname) ? undefined : 'the path of a redis URL is the number of a database'
}

// --- Admin port

/** 0: any free one; auto: 41003, or none where that is taken. */
const adminPortFile = z
  .union(
    [z.int().min(0).max(65_535), z.enum(['auto', 'off'])],
    "an admin port is a number from 0 to 65535, 'auto' or 'off'",
  )
  .default('auto')

const adminFile = z
  .strictObject({
    /** Clients send it as `authorization: Bearer …`; `${NAME}` is read from the environment. */
    token: secret.optional(),
  })
  .prefault({})

/** Figures for machines elsewhere. */
const metricsFile = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535),
  token: secret.optional(),
})

type MetricsConfig = z.output<typeof metricsFile>

// --- Providers and the rest

/** A provider's base URL, split. */
export const baseUrl = parsedBy((text) => {
  const url = URL.parse(text)
  const problem = url && addressProblem(url)
  if (problem) return failure(problem)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return failure(`'${text}' is not an http(s) URL (like http://127.0.0.1:41001/v1)`)
  }
  if (url.search || url.hash) return failure('a base URL has no query and no fragment')
  return success({ origin: url.origin, basePath: url.pathname.replace(/\/+$/, '') })
})

const modelPattern = z.string().regex(/^(?:[^*]+\*?|\*)$/, "a model is a name, a prefix ('gpt-*') or '*'")

const provider = z.strictObject({
  name: z.string().min(1),
  base_url: baseUrl,
  protocol: z.enum(PROTOCOLS).default('openai'),
  api_key: secret.optional(),
  weight: z.number().positive().max(1_000_000).optional(),
  models: z.array(modelPattern).min(1).default(['*']),
})

const upstream = z.strictObject({
  /** auto: h2 where TLS negotiates it, h1 without TLS. */
  http_version: z.enum(['auto', 'h1', 'h2']).default('auto'),
  pipelining: z.int().min(1).max(64).default(1),
  ca_file: z.string().min(1).optional(),
  keep_alive: z
    .strictObject({
      enabled: z.boolean().default(true),
      interval: timerMs.prefault('30s'),
      /** Unset: an idle connection stays as long as connection_pool.idle_timeout says. */
      timeout: timerMs.optional(),
    })
    .prefault({}),
  connect_timeout: timerMs.prefault('10s'),
  response_timeout: timerMs.prefault('300s'),
  body_idle_timeout: timerMs.prefault('300s'),
})

const clientKey = z.strictObject({
  key: secret,
  tenant: z.string().regex(/^[\w.-]{1,64}$/),
  models: z.array(modelPattern).min(1).optional(),
  endpoints: z.array(z.enum(ENDPOINT_NAMES)).min(1).optional(),
})

const auth = z.strictObject({
  keys: z
    .array(clientKey)
    .min(1)
    .superRefine((keys, context) => {
      const owners = new Map<string, number>()
      for (const [index, { endpoints = [] }] of keys.entries()) {
        for (const endpoint of endpoints) {
          const owner = owners.get(endpoint) ?? index
          owners.set(endpoint, owner)
          if (owner === index || !STORING_ENDPOINTS.has(endpoint)) continue
          const message = `one key may have '${endpoint}', whose objects are not told apart: key ${owner + 1} has it`
          context.addIssue({ code: 'custom', path: [index, 'endpoints'], message })
        }
      }
    }),
})

const limits = z.strictObject({
  max_body: bytes.prefault('10MB'),
  max_in_flight: z.int().min(1).default(1_024),
  max_buffered: bytes.prefault('512MB'),
  header_timeout: timerMs.prefault('20s'),
  request_timeout: timerMs.prefault('120s'),
  sender_timeout: timerMs.prefault('20s'),
  reader_timeout: timerMs.prefault('60s'),
  drain_timeout: timerMs.prefault('10s'),
})

const listen = z.strictObject({
  /** Paths of PEM files. */
  tls: z.strictObject({ cert: z.string().min(1), key: z.string().min(1) }).optional(),
})

const gateway = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  /** Serve other machines without keys of the gateway's own. */
  open: z.boolean().default(false),
  listen: listen.prefault({}),
  port: z.int().min(0).max(65_535).default(41_002),
  workers: z.union([z.int().min(1).max(64), z.literal('auto')]).default(1),
  admin_port: adminPortFile,
  admin: adminFile,
  metrics: metricsFile.optional(),
  access_log: accessLogFile.optional(),
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
      open_for: timerMs.prefault('10s'),
    })
    .prefault({}),
  connection_pool: z
    .strictObject({
      max_idle_per_host: z.int().min(0).default(32),
      max_total: z.int().min(1).default(256),
      max_wait: timerMs.prefault('10s'),
      max_lifetime: timerMs.prefault('300s'),
      idle_timeout: timerMs.prefault('90s'),
    })
    .prefault({}),
  warmup: z
    .strictObject({
      enabled: z.boolean().default(true),
      connections_per_provider: z.int().min(1).default(4),
      probe_endpoint: z.string().startsWith('/').default('/v1/models'),
      jit: z.union([z.boolean(), z.literal('auto')]).default('auto'),
    })
    .prefault({}),
  streaming: streamingFile,
  cache: cacheFile,
  events: eventsFile,
})

/** The whole file. Parsed durations are milliseconds, parsed sizes bytes. */
export const configFile = z.strictObject({
  gateway: gateway.prefault({}),
  policies: policiesFile,
})
