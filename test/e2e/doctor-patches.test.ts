// What kt doctor prints as a patch for LiteLLM is merged into the config of a running LiteLLM, as its user would do it:
// started again it has none of these findings any more, by its config, by a run and by measuring.
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { diagnose } from '../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import { API_KEY, type Gateway, startGateway } from '../setup/gateways.ts'
import { kt } from '../support/kt.ts'
import { mergePatch } from '../support/merge-patch.ts'
import { quickProvider } from '../support/provider.ts'
import { startRedis, type TestRedis } from '../support/redis.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
let provider: SimulatedProvider
let redis: TestRedis
beforeAll(async () => {
  provider = await quickProvider()
  redis = await startRedis()
})
afterAll(async () => {
  await redis?.stop()
  await provider?.close()
  dir.remove()
})

/** What it costs to have none of the advice: a finding each. */
const UNADVISED = { litellm_settings: { set_verbose: true, request_timeout: undefined, cache: false } }
const PATCHED = ['cache-disabled', 'missing-usage', 'synchronous-events', 'unbounded-policy-timeout']

async function started(name: string, change: (config: Record<string, unknown>) => Record<string, unknown>) {
  const config = dir.file(`${name}.yaml`)
  const { port } = new URL(redis.url)
  const gateway = await startGateway('litellm', new URL(provider.url).origin, {
    folder: dir.file(name),
    // Where the cache is, is said beside the config.
    env: { REDIS_HOST: '127.0.0.1', REDIS_PORT: port },
    edit: (text, file) => {
      if (file !== 'litellm.yaml') return text
      const changed = stringify(change(parse(text)))
      writeFileSync(config, changed)
      return changed
    },
  })
  return { gateway, config }
}

/** By its config, by a run whose client asks for no usage, and by measuring. */
async function examined({ gateway, config }: { gateway: Gateway; config: string }) {
  const report = `${config}.json`
  const load = ['--requests', '20', '--concurrency', '2', '--stream', '--no-usage', '--no-jit-warmup', '--no-floor']
  const { stderr } = await kt(['bench', '--url', gateway.url, '--api-key', API_KEY, ...load, '--output', report])
  expect(stderr).not.toContain('kt: ')
  const asked = { config, report, url: gateway.url, 'provider-url': provider.url, 'api-key': API_KEY }
  const { result } = await diagnose(parseDoctorOptions(asked), {
    note: () => {},
    interrupt: new AbortController().signal,
  })
  return result.rules
}

test('the patches for LiteLLM are applied to it, and their findings are gone', async () => {
  const before = await started('before', (config) => mergePatch(config, UNADVISED))
  const found = (await examined(before)).flatMap(({ rule, opinions }) =>
    opinions.flatMap((one) =>
      one.status === 'found' && one.fix.patch ? [{ rule, by: one.by, patch: one.fix.patch }] : [],
    ),
  )
  await before.gateway.stop()
  expect([...new Set(found.map(({ rule }) => rule))].sort()).toEqual(PATCHED)
  const after = await started('after', (config) =>
    found.reduce((into, { patch }) => mergePatch(into, parse(patch)), mergePatch(config, UNADVISED)),
  )
  const rules = await examined(after)
  await after.gateway.stop()
  for (const { rule, by } of found) {
    const opinions = rules.find((one) => one.rule === rule)?.opinions ?? []
    const now = opinions.find((opinion) => opinion.by === by)
    expect(now, `${rule}: ${JSON.stringify(now)}`).toMatchObject({ status: 'fine' })
  }
  // Not by what its config says alone: usage came unasked, and the second of two equal requests came from the cache.
  const seen = found.map(({ rule, by }) => `${rule} by ${by}`)
  expect(seen).toEqual(expect.arrayContaining(['missing-usage by report', 'cache-disabled by measurement']))
})
