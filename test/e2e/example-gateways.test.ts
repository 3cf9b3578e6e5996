// The gateways of examples/gateways/: before a provider each answers everything, the provider's stamps get through, and
// what kt reads of its headers is what its page says. Of some of them `npm run field -- --short` sees to that.
import { execFile } from 'node:child_process'
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { API_KEY, type Gateway, gatewayNames, IN_SHORT_FORM, startGateway } from '../setup/gateways.ts'
import { kt, parseBench } from '../support/kt.ts'
import { root } from '../support/pages.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const folder = join(root, 'examples', 'gateways')
let provider: SimulatedProvider
const dir = tempDir()
beforeAll(async () => {
  provider = await quickProvider()
})
afterAll(async () => {
  await provider.close()
  dir.remove()
})

/** What kt reads of each beside stamps: of those that tell a time. */
const TOLD: Readonly<Record<string, string>> = {
  haproxy: 'upstream-reported',
  kt: 'self-reported',
}

async function benchOf({ url, headers }: Gateway, ...more: string[]) {
  const given = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
  const load = [
    '--requests',
    '30',
    '--concurrency',
    '2',
    '--max-tokens',
    '4',
    '--no-jit-warmup',
    '--no-floor',
    '--json',
  ]
  const { stdout, stderr } = await kt(['bench', '--url', url, '--api-key', API_KEY, ...given, ...load, ...more])
  expect(stdout, stderr).not.toBe('')
  return parseBench(stdout)
}

describe.for(gatewayNames().filter((name) => !IN_SHORT_FORM.includes(name)))('%s', (name) => {
  test('answers everything, with stamps, and tells what its page says', async () => {
    const gateway = await startGateway(name, new URL(provider.url).origin, { folder: dir.file(name) })
    try {
      for (const more of [[], ['--stream']]) {
        const { totals, overhead } = await benchOf(gateway, ...more)
        expect(totals, JSON.stringify(totals.outcomes)).toMatchObject({ sent: 30, successful: 30 })
        const told = overhead.map(({ definition }) => definition)
        expect(told).toEqual(['provider-stamped', ...(TOLD[name] ? [TOLD[name]] : [])])
      }
    } finally {
      await gateway.stop()
    }
    if (name !== 'kt') expect(readFileSync(join(folder, name, 'README.md'), 'utf8')).toContain(` ${gateway.version}\n`)
  })
})

test('up starts a gateway that down ends, and nothing else is ended', async () => {
  const call = (verb: string, ...args: string[]) => run(join(folder, 'nginx', verb), args)
  const upstream = new URL(provider.url).origin
  const { stdout } = await call('up', upstream)
  expect((await fetch(`${stdout.trim()}/v1/models`)).status).toBe(200)
  await expect(call('up', upstream)).rejects.toMatchObject({
    stderr: expect.stringMatching(/^nginx runs already, at /),
  })
  await call('down')
  await expect(fetch(stdout.trim())).rejects.toThrow()
  await expect(call('down')).rejects.toMatchObject({ stderr: 'nginx was not started here, or has ended\n' })
  await expect(call('up', 'https://api.example.org')).rejects.toMatchObject({
    stderr: expect.stringMatching(/127\.0\.0\.1/),
  })
})

test('each folder starts, or says that it was not run here, and has a config', () => {
  for (const name of readdirSync(folder).filter((file) => existsSync(join(folder, file, 'README.md')))) {
    const files = globSync('*', { cwd: join(folder, name) })
    if (gatewayNames().includes(name)) expect(files).toEqual(expect.arrayContaining(['up', 'down', 'start.json']))
    else {
      expect(readFileSync(join(folder, name, 'README.md'), 'utf8')).toMatch(/^# .*: not run here\n/)
      expect(files).toContain('compose.yaml')
      expect(files.length).toBeGreaterThan(2)
    }
  }
})
