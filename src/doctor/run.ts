/**
 * `--run`: starts the reference gateway from a config, in front of a simulated provider of its own. The config is taken as it stands but
 * for what would leave this machine or mix with what is in use: providers, ports, event sinks, keys in a shared Redis. Its events go
 * to a collector that never answers, so that a gateway that waits for one is seen.
 */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { stringify } from 'yaml'
import { startPair } from '../bench/embedded.ts'
import type { KtFile } from './config/read.ts'

export interface RunningPair {
  gatewayUrl: string
  providerUrl: string
  close(): Promise<void>
}

/** Tokens far enough apart that buffering, leaving and lateness can be told. */
const PROVIDER = ['--ttft', 'lognormal(20ms,0.3)', '--token-gap', '2ms', '--http2']
const READY_WITHIN_MS = 5_000
const READY_EVERY_MS = 50

export async function runFromConfig(file: KtFile, note: (line: string) => void): Promise<RunningPair> {
  const folder = mkdtempSync(join(tmpdir(), 'kt-doctor-'))
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
        writeFileSync(path, stringify(isolated(file, providerUrl, sink.url)), { mode: 0o600 })
        return ['--config', path, '--host', '127.0.0.1']
      },
      note,
    )
    await untilReady(pair.gatewayUrl)
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
export function isolated({ raw, config }: KtFile, providerUrl: string, sinkUrl: string): Keys {
  const file = keysOf(raw)
  const gateway = keysOf(file.gateway)
  const cache = keysOf(gateway.cache)
  const { file: _file, otlp, ...events } = keysOf(gateway.events)
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
      ...(gateway.admin_port === undefined ? {} : { admin_port: 0 }),
      events: { ...events, otlp: { ...keysOf(otlp), endpoint: sinkUrl, headers: {} } },
      ...(cache.backend === 'redis' && {
        cache: { ...cache, redis: { ...keysOf(cache.redis), prefix: `kt-doctor-${randomUUID()}` } },
      }),
    },
  }
}

function keysOf(value: unknown): Keys {
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

/** Until its warm-up is over, or has taken long enough. */
async function untilReady(gatewayUrl: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < READY_WITHIN_MS; waitedMs += READY_EVERY_MS) {
    const { statusCode, body } = await request(`${gatewayUrl}/readyz`)
    await body.dump()
    if (statusCode === 200) return
    await new Promise((resolve) => setTimeout(resolve, READY_EVERY_MS))
  }
}
