/**
 * What `kt doctor` measures: a gateway that was named, or, with `--run`, the reference gateway started from a config in
 * front of a simulated provider of its own. That config is taken as it stands but for what would leave this machine or
 * mix with what is in use: providers, ports, event sinks, keys in a shared Redis. Its events go to a collector that
 * never answers, so that a gateway that waits for one is seen.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { startPair } from '../bench/embedded.ts'
import { readCertificates } from '../bench/options/certificates.ts'
import { assertKeyStaysSecret, buildRoutes, routeLines } from '../bench/options/routes.ts'
import { type ConnectionSpec, ONE_AT_A_TIME } from '../client/connection.ts'
import { routeTo } from '../client/route.ts'
import type { Target } from '../client/target.ts'
import { UserError } from '../errors.ts'
import { isProviderItself } from '../overhead/provider-records.ts'
import { parseWith } from '../parse/file.ts'
import { systemReason } from '../parse/system-reason.ts'
import { createServer } from '../system/node-http.ts'
import type { GatewayFile, KtFile } from './config/read.ts'
import type { DoctorOptions } from './options.ts'
import { type AskedTarget, MOST_REQUESTS, PROBES, targetAt } from './probe/measure.ts'
import { headersOf } from './probe/requests.ts'

export interface DoctorHooks {
  /** Shows a line to the user while the examination runs. */
  note(line: string): void
  interrupt: AbortSignal
}

/** A gateway to measure, and the simulated provider behind it where there is one. */
interface MeasuredPair {
  target: AskedTarget
  /** How it is reached. */
  connection: ConnectionSpec
  providerOrigin: string | undefined
  /** The keys of two clients. */
  keys: readonly [string | undefined, string | undefined]
  fresh: boolean
  close(): Promise<void>
}

/** Finds or starts what is to be measured; undefined where no measurement was asked for. */
export async function openTarget(
  options: DoctorOptions,
  file: GatewayFile | undefined,
  hooks: DoctorHooks,
): Promise<MeasuredPair | undefined> {
  const { url, endpoint, model, 'provider-url': providerUrl, 'api-key': key, 'other-api-key': other } = options
  // Refuses an address for what is not asked.
  if (url === undefined) buildRoutes({ ...options, at: undefined })
  if (options.run) {
    if (file?.kind !== 'kt') {
      throw new UserError(
        `--run starts the reference gateway: ${options.config} is of another`,
        'Start that gateway, and name it with --url.',
      )
    }
    const { clientKeys = [] } = parseWith(file.raw, gatewayConfigSchema(process.env), file.path, 'gateway config')
    const pair = await runFromConfig(file, hooks.note)
    const own = [clientKeys[0]?.value, clientKeys.find(({ tenant }) => tenant !== clientKeys[0]?.tenant)?.value]
    return {
      // It serves every API below /v1.
      target: targetAt(`${pair.gatewayUrl}/v1`, endpoint, model),
      connection: ONE_AT_A_TIME,
      providerOrigin: pair.providerUrl,
      keys: [key ?? own[0] ?? STAND_IN[0], other ?? own[1] ?? STAND_IN[1]],
      fresh: true,
      close: pair.close,
    }
  }
  if (url === undefined) return undefined
  const target = targetAt(url, endpoint, model)
  const connection = connectionTo(target.whole, options)
  const { origin } = target.whole
  if (routeTo(origin, connection.routes) === undefined && (await isProviderItself(origin))) {
    throw new UserError(
      `${origin} is kt's simulated provider itself, not a gateway`,
      'Name the gateway with --url, and this one with --provider-url.',
    )
  }
  const providerOrigin = await findProvider(providerUrl, file)
  return {
    target,
    connection,
    providerOrigin,
    // A real provider would refuse a made-up key, and all would fail of it.
    keys: [key ?? (providerOrigin === undefined ? undefined : STAND_IN[0]), other ?? STAND_IN[1]],
    fresh: false,
    close: async () => {},
  }
}

/** What the flags say of certificates and of the way there; refuses a key that would go in the clear. */
function connectionTo(at: Target, options: DoctorOptions): ConnectionSpec {
  const { endpoint, header, 'api-key': key, 'other-api-key': other = key } = options
  const routes = buildRoutes({ ...options, at })
  if (!options['allow-insecure-key']) {
    for (const sent of [key, other]) assertKeyStaysSecret(headersOf(endpoint, at, sent, header), at.origin, routes)
  }
  return { ...ONE_AT_A_TIME, ...readCertificates(options), routes }
}

const STAND_IN = ['kt-doctor-one', 'kt-doctor-two'] as const

/** The simulated provider that was named, or that the config names, where one answers there. */
async function findProvider(given: URL | undefined, file: GatewayFile | undefined): Promise<string | undefined> {
  if (given !== undefined) {
    const { origin } = given
    if (await isProviderItself(origin)) return origin
    throw new UserError(
      `no simulated provider answers at ${origin}`,
      "Start one with 'kt provider start', and let the gateway ask it.",
    )
  }
  if (file?.kind !== 'kt') return undefined
  for (const { base_url: base } of file.config.gateway.providers) {
    if (!targetAt(base.origin, 'chat', '').whole.isPublic && (await isProviderItself(base.origin))) return base.origin
  }
  return undefined
}

/** Before anything is sent to an address outside of this network. */
export function announce(
  { target, connection: { routes = [] } }: Pick<MeasuredPair, 'target' | 'connection'>,
  note: (line: string) => void,
): void {
  const { isPublic, origin } = target.whole
  for (const line of routeLines([origin], routes)) note(line)
  if (!isPublic) return
  note(`${new URL(origin).host} is a public address. kt doctor sends up to ${MOST_REQUESTS} requests,`)
  note(`each for up to ${PROBES.tokens} tokens.`)
}

interface RunningPair {
  gatewayUrl: string
  providerUrl: string
  close(): Promise<void>
}

/** Tokens far enough apart that buffering, leaving and lateness can be told. */
const PROVIDER = ['--ttft', 'lognormal(20ms,0.3)', '--token-gap', '2ms', '--http2']

function inTemporary<T>(write: () => T): T {
  try {
    return write()
  } catch (error) {
    throw new UserError(
      `cannot keep the config of the gateway under ${tmpdir()}: ${systemReason(error)}`,
      'Make space, or name another folder in TMPDIR.',
    )
  }
}

async function runFromConfig(file: KtFile, note: (line: string) => void): Promise<RunningPair> {
  const folder = inTemporary(() => mkdtempSync(join(tmpdir(), 'kt-doctor-')))
  const sink = await startSilentSink()
  const cleanUp = async (): Promise<void> => {
    await sink.close()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const path = join(folder, 'gateway.yaml')
    const pair = await startPair(
      PROVIDER,
      (providerUrl) => {
        // It may name secrets.
        const text = stringify(isolateConfig(file, providerUrl, sink.url))
        inTemporary(() => writeFileSync(path, text, { mode: 0o600 }))
        return ['--config', path, '--host', '127.0.0.1']
      },
      note,
    )
    return {
      ...pair,
      close: async () => {
        await pair.close()
        await cleanUp()
      },
    }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

type Keys = Record<string, unknown>

/** The config with everything outside of it replaced. */
export function isolateConfig({ raw, config }: KtFile, providerUrl: string, sinkUrl: string): Keys {
  const file = asKeys(raw)
  const gateway = asKeys(file.gateway)
  const cache = asKeys(gateway.cache)
  const { file: _file, otlp, ...events } = asKeys(gateway.events)
  const providers = config.gateway.providers.map(({ name, protocol, models, weight }) => ({
    name,
    protocol,
    models,
    ...(weight === undefined ? {} : { weight }),
    base_url: `${providerUrl}/${protocol === 'gemini' ? 'v1beta' : 'v1'}`,
  }))
  return {
    ...file,
    gateway: {
      ...gateway,
      providers,
      admin_port: gateway.admin_port === 'off' ? 'off' : 0,
      events: { ...events, otlp: { ...asKeys(otlp), endpoint: sinkUrl, headers: {} } },
      ...(cache.backend === 'redis' && {
        cache: { ...cache, redis: { ...asKeys(cache.redis), prefix: `kt-doctor-${randomUUID()}` } },
      }),
    },
  }
}

function asKeys(value: unknown): Keys {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Keys) : {}
}

/** Takes what it is sent and never answers. */
async function startSilentSink(): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((incoming) => incoming.resume())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
