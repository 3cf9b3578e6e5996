// What is off is not loaded: a gateway without cache, events and admin port loads none of their packages.
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGES = /node_modules\/(@opentelemetry\/exporter[^/]*|prom-client|ioredis|lru-cache)\//

/** The packages that a gateway with `settings` has loaded when it listens. */
async function packagesOf(settings: object): Promise<string[]> {
  const folder = tempDir()
  const list = folder.file('modules.txt')
  const script = `
    const { gatewayConfigSchema } = await import('${root}dist/reference-gateway/config/config.js')
    const { startGateway } = await import('${root}dist/reference-gateway/gateway.js')
    const gateway = { port: 0, admin_port: 'off', warmup: { enabled: false }, ...${JSON.stringify(settings)} }
    await (await startGateway(gatewayConfigSchema({}).parse({ gateway }))).close()`
  try {
    const hook = join(root, 'test', 'support', 'list-modules.js')
    await run(process.execPath, ['--import', hook, '--input-type=module', '--eval', script], {
      cwd: root,
      env: { ...process.env, KT_TEST_MODULES: list },
    })
    const modules = (await readFile(list, 'utf8')).split('\n')
    return [...new Set(modules.flatMap((url) => PACKAGES.exec(url)?.[1] ?? []))].sort()
  } finally {
    folder.remove()
  }
}

describe('packages that the gateway loads', () => {
  test.each([
    [{}, []],
    [{ cache: { enabled: true } }, ['lru-cache']],
    [{ events: { enabled: true } }, []],
    [{ events: { otlp: { endpoint: 'http://127.0.0.1:1/v1/traces' } } }, ['@opentelemetry/exporter-trace-otlp-http']],
    [{ admin_port: 0 }, []],
  ])('%j', async (settings, packages) => {
    expect(await packagesOf(settings)).toEqual(packages)
  })
})
