// What the rules read in a config, of each kind of gateway, both ways: one that has the fault, one that has not.
import { writeFileSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { configFile } from '../../reference-gateway/config/config-file.ts'
import { diagnose } from '../../src/doctor/doctor.ts'
import { isolateConfig } from '../../src/doctor/open-target.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import { backtracks } from '../../src/doctor/rules/policies.ts'
import { RULES } from '../../src/doctor/rules.ts'
import { mergePatch } from '../support/merge-patch.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const hooks = { note: () => {}, interrupt: new AbortController().signal }

async function examined(config: object) {
  const path = dir.file('config.yaml')
  writeFileSync(path, stringify(config))
  return (await diagnose(parseDoctorOptions({ config: path }), hooks)).result
}

async function ruleOf(config: object, id: string) {
  const { rules } = await examined(config)
  const rule = rules.find(({ rule }) => rule === id)
  return { status: rule?.status, severity: rule?.severity }
}

const is = (severity: string) => ({ status: 'found', severity })
const fine = { status: 'fine', severity: null }

const kt = (gateway: object, policies: object[] = []) => ({ gateway, policies })
const policy = (more: object) => ({ name: 'p', type: 'input_filter', action: 'block', keywords: ['x'], ...more })
const kong = (...plugins: object[]) => ({ _format_version: '3.0', plugins })
const litellm = (settings: object, general = {}) => ({
  model_list: [{ model_name: 'm', litellm_params: { model: 'openai/m' } }],
  litellm_settings: settings,
  general_settings: general,
})

describe('each fault of a config is found, and its opposite is fine', () => {
  test.each<[string, object, object, string]>([
    ['new-connection-per-request', kt({ connection_pool: { max_idle_per_host: 0 } }), kt({}), 'warning'],
    ['no-keep-alive', kt({ upstream: { keep_alive: { enabled: false } } }), kt({}), 'warning'],
    ['no-warm-up', kt({ warmup: { enabled: false } }), kt({}), 'warning'],
    ['no-warm-up', kt({ connection_pool: { max_idle_per_host: 0 } }), kt({}), 'warning'],
    ['http1-upstream', kt({}), kt({ upstream: { http_version: 'h2' } }), 'info'],
    ['fake-streaming', kt({ streaming: { passthrough_chunked: false } }), kt({}), 'warning'],
    ['cache-disabled', kt({}), kt({ cache: { enabled: true } }), 'warning'],
    ['small-body-limit', kt({ limits: { max_body: '64KB' } }), kt({}), 'warning'],
    ['unbounded-policy-timeout', kt({}, [policy({ policy_timeout: '30s' })]), kt({}, [policy({})]), 'warning'],
    ['synchronous-events', kong({ name: 'file-log', config: { path: '/l' } }), kong({ name: 'udp-log' }), 'warning'],
    [
      'synchronous-events',
      kong({ name: 'http-log', config: {} }),
      kong({ name: 'http-log', config: { queue: { max_batch_size: 50 } } }),
      'info',
    ],
    ['synchronous-events', litellm({ set_verbose: true }), litellm({}), 'warning'],
    ['synchronous-events', litellm({}, { database_url: 'x', proxy_batch_write_at: 1 }), litellm({}), 'info'],
    [
      'unbounded-policy-timeout',
      kong({ name: 'ai-prompt-guard', config: { deny_patterns: ['^(a+)+$'] } }),
      kong({ name: 'ai-prompt-guard', config: { deny_patterns: ['password'] } }),
      'warning',
    ],
    [
      'unbounded-policy-timeout',
      kong({ name: 'ai-request-transformer', config: {} }),
      kong({ name: 'ai-request-transformer', config: { http_timeout: 2_000 } }),
      'warning',
    ],
    ['unbounded-policy-timeout', litellm({}), litellm({ request_timeout: 120 }), 'warning'],
    ['cache-disabled', kong({ name: 'proxy-cache', config: {} }), kong({ name: 'ai-semantic-cache' }), 'warning'],
    ['cache-disabled', litellm({}), litellm({ cache: true }), 'warning'],
    [
      'shared-cache',
      kong({ name: 'proxy-cache', config: { request_method: ['GET', 'POST'] } }),
      kong({ name: 'proxy-cache', config: {} }),
      'critical',
    ],
    ['shared-cache', litellm({ cache: true }), litellm({}), 'warning'],
    [
      'small-body-limit',
      kong({ name: 'ai-proxy', config: {} }),
      kong({ name: 'ai-proxy', config: { max_request_body_size: 8 * 1024 ** 2 } }),
      'warning',
    ],
    [
      'small-body-limit',
      kong({ name: 'request-size-limiting', config: { allowed_payload_size: 64, size_unit: 'kilobytes' } }),
      kong({ name: 'request-size-limiting' }),
      'warning',
    ],
    [
      'fake-streaming',
      kong({ name: 'ai-proxy', config: { response_streaming: 'deny' } }),
      kong({ name: 'ai-proxy', config: {} }),
      'warning',
    ],
  ])('%s: %j', async (id, bad, good, severity) => {
    expect(await ruleOf(bad, id)).toEqual(is(severity))
    expect(await ruleOf(good, id)).toEqual(fine)
  })
})

test('plugins of Kong count wherever they stand, unless they are off', async () => {
  const plugin = { name: 'file-log', config: { path: '/l' } }
  const within = (owner: object) => ({ _format_version: '3.0', services: [{ name: 's', url: 'http://x', ...owner }] })
  expect(await ruleOf(within({ routes: [{ name: 'r', plugins: [plugin] }] }), 'synchronous-events')).toEqual(
    is('warning'),
  )
  expect(await ruleOf(within({ plugins: [{ ...plugin, enabled: false }] }), 'synchronous-events')).toEqual(fine)
})

test('what a kind of config cannot say is not checked, with the reason', async () => {
  const { rules } = await examined(kong())
  expect(rules.find(({ rule }) => rule === 'no-keep-alive')).toMatchObject({
    status: 'not-checked',
    opinions: [{ by: 'config', why: expect.stringContaining('kong.conf') }],
  })
})

test('the patch of each finding mends it: merged into the config, the finding is gone', async () => {
  const bad = kt({
    upstream: { keep_alive: { enabled: false } },
    connection_pool: { max_idle_per_host: 0 },
    warmup: { enabled: false },
    streaming: { passthrough_chunked: false },
    limits: { max_body: '64KB' },
  })
  const { rules } = await examined(bad)
  const found = rules.filter(({ status }) => status === 'found')
  expect(found.map(({ rule }) => rule).sort()).toEqual(
    [
      ...['cache-disabled', 'fake-streaming', 'http1-upstream', 'new-connection-per-request'],
      ...['no-keep-alive', 'no-warm-up', 'small-body-limit'],
    ].sort(),
  )
  const patches = found.flatMap(({ opinions }) =>
    opinions.flatMap((opinion) => (opinion.status === 'found' ? [parse(opinion.fix.patch ?? '')] : [])),
  )
  const mended = patches.reduce<Record<string, unknown>>(mergePatch, bad)
  configFile.parse(mended)
  expect((await examined(mended)).summary.found).toEqual({ critical: 0, warning: 0, info: 0 })
})

test('so do those of Kong and LiteLLM, of each finding that has one', async () => {
  const plugins = [
    { name: 'proxy-cache', config: { request_method: ['GET', 'POST'] } },
    { name: 'http-log', config: { http_endpoint: 'http://collector' } },
    { name: 'ai-proxy', config: { response_streaming: 'deny' } },
    { name: 'ai-request-transformer', config: {} },
    { name: 'request-size-limiting', config: { allowed_payload_size: 64, size_unit: 'kilobytes' } },
  ]
  const bad = [
    kong(...plugins),
    kong(
      { name: 'file-log', config: { path: '/l' } },
      { name: 'ai-proxy-advanced', config: { response_streaming: 'deny' } },
    ),
    litellm({ set_verbose: true }),
    litellm({}, { database_url: 'x', proxy_batch_write_at: 1 }),
  ]
  const left = []
  let patched = 0
  for (const config of bad) {
    const { rules } = await examined(config)
    for (const { rule, opinions } of rules) {
      const patches = opinions.flatMap((one) => (one.status === 'found' && one.fix.patch ? [one.fix.patch] : []))
      if (patches.length === 0) continue
      patched++
      const mended = patches.reduce<Record<string, unknown>>((into, patch) => mergePatch(into, parse(patch)), {
        ...config,
      })
      if ((await ruleOf(mended, rule)).status === 'found') left.push(rule)
    }
  }
  expect(left).toEqual([])
  expect(patched).toBe(14)
})

test('every patch for the reference gateway is of keys that it knows', () => {
  for (const { fix, id } of RULES) {
    // A policy's patch names only what changes.
    if (fix.kt && !('policies' in fix.kt)) expect(configFile.safeParse(fix.kt).success, id).toBe(true)
  }
})

test('a repetition of a repetition is told from one that is none', () => {
  for (const bad of ['(a+)+$', '^(\\w+\\s?)*$', '([a-z]*)*', '(?:x+){2,}']) expect(backtracks(bad), bad).toBe(true)
  for (const good of ['password', '(ab)+', '\\(a+\\)+', '(?:\\d{3}-){2}\\d+', '[a+]+'])
    expect(backtracks(good), good).toBe(false)
})

test('--run takes a config as it stands, but for what would leave this machine or mix with what is in use', () => {
  const raw = {
    gateway: {
      admin_port: 41_003,
      limits: { max_body: '1MB' },
      providers: [
        { name: 'a', base_url: 'https://api.anthropic.com/v1', protocol: 'anthropic', api_key: 'secret-of-a' },
        { name: 'g', base_url: 'https://gemini.example/v1beta', protocol: 'gemini' },
      ],
      cache: { enabled: true, backend: 'redis', redis: { url: 'redis://cache.example', timeout: '50ms' } },
      events: {
        file: { path: '/var/log/events' },
        otlp: { endpoint: 'https://otlp.example/v1', headers: { k: 'secret' } },
      },
    },
    policies: [policy({})],
  }
  const file = { kind: 'kt' as const, path: 'g.yaml', raw, config: configFile.parse(raw) }
  const taken = isolateConfig(file, 'http://127.0.0.1:1', 'http://127.0.0.1:2/v1/traces')
  const { gateway, policies } = configFile.parse(taken)
  expect(JSON.stringify(taken)).not.toMatch(/secret|anthropic\.com|gemini\.example|otlp\.example|var\/log/)
  expect(gateway.providers.map(({ base_url: { origin, basePath } }) => origin + basePath)).toEqual([
    'http://127.0.0.1:1/v1',
    'http://127.0.0.1:1/v1beta',
  ])
  expect(gateway).toMatchObject({ admin_port: 0, limits: { max_body: 1024 ** 2 }, events: { otlp: { headers: {} } } })
  expect(gateway.cache.redis).toMatchObject({ timeout: 50, prefix: expect.stringMatching(/^kt-doctor-/) })
  expect(policies).toEqual(file.config.policies)
})
