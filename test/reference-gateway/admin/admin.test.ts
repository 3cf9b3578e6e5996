// The admin port: what it shows, who may read it, and that only this machine reaches it.

import { connect } from 'node:net'
import { networkInterfaces } from 'node:os'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { ask, gatewayBefore, post, recentEvents, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

const CHOICE = { message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }
const BODY = { model: 'gpt-4o', messages: [], temperature: 0 }
const usage = { prompt_tokens: 7, completion_tokens: 3 }

async function running(settings: Record<string, unknown> = {}, requests = 0) {
  const provider = await upstream((_request, response) => answerJson(response, { choices: [CHOICE], usage }))
  const gateway = await gatewayBefore(provider.url, { admin_port: 0, ...settings })
  for (let i = 0; i < requests; i++) await post(gateway, { ...BODY, seed: i % 3 })
  const get = async (path: string, options: Record<string, unknown> = {}) => {
    const answer = await ask(`${gateway.adminUrl}${path}`, options)
    return { ...answer, text: answer.body.toString(), json: () => JSON.parse(answer.body.toString()) }
  }
  return { gateway, get }
}

test('no admin port unless one is configured; it is on loopback whatever the gateway listens on', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  expect((await gatewayBefore(provider.url)).adminUrl).toBeUndefined()
  const gateway = await gatewayBefore(provider.url, { admin_port: 0, host: '0.0.0.0', open: true })
  const port = Number(new URL(gateway.adminUrl ?? '').port)
  const outside = Object.values(networkInterfaces())
    .flat()
    .find((one) => one?.family === 'IPv4' && !one.internal)
  if (!outside) return
  const refused = await new Promise((resolve) => {
    connect(port, outside.address)
      .once('error', () => resolve(true))
      .once('connect', () => resolve(false))
  })
  expect(refused).toBe(true)
})

test('health, readiness, pool', async () => {
  const { gateway, get } = await running({}, 2)
  expect((await get('/healthz')).json()).toEqual({ status: 'ok' })
  expect((await get('/readyz')).json()).toEqual({ ready: true })
  expect((await get('/pool')).json()).toMatchObject({
    open: 1,
    idle: 1,
    busy: 0,
    opened: 1,
    waited: 0,
    recycled: { lifetime: 0, idle: 0 },
    providers: [{ worker: 1, name: 'openai' }],
  })
  expect(gateway.poolStats().open).toBe(1)
  expect((await get('/nothing')).status).toBe(404)
  expect((await get('/cache', { method: 'POST' })).status).toBe(404)
})

test('not ready while a provider is cold', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}, 503))
  const gateway = await gatewayBefore(provider.url, { admin_port: 0, warmup: { enabled: true } })
  await gateway.warmedUp
  const answer = await ask(`${gateway.adminUrl}/readyz`)
  expect(answer.status).toBe(503)
  expect(JSON.parse(answer.body.toString())).toEqual({
    ready: false,
    reason: expect.stringContaining("provider 'openai'"),
  })
})

test('each component against its budget; too few observations are inconclusive', async () => {
  const { get } = await running({ cache: { enabled: true } }, 10)
  const stats = (await get('/stats')).json()
  expect(stats).toMatchObject({ workers: 1, requests: 10, tokens: { input: 70, output: 30 } })
  expect(Object.keys(stats.components)).toEqual([
    'routing',
    'cache',
    'acquire',
    'events',
    'event_emission',
    'total',
    'latency',
    'upstream',
  ])
  expect(stats.components.routing).toMatchObject({ count: 10, budget_ms: 0.5, verdict: 'inconclusive' })
  expect(stats.components.latency).not.toHaveProperty('verdict')
  expect(stats.components.acquire.count).toBe(10)
  expect(stats.components.upstream.count).toBe(3)
  expect(stats.events).toMatchObject({ emitted: 10, dropped: 0, in_flight: 0, file: null })
})

test('a thousand requests give a verdict', async () => {
  const { get } = await running({ cache: { enabled: true } }, 1_010)
  const { components } = (await get('/stats')).json()
  expect(components.routing.verdict).toMatch(/^(?:pass|fail)$/)
  expect(components.total.p99_ms).toBeGreaterThanOrEqual(components.total.p50_ms)
})

test('no model that a client names steers whoever reads the metrics or the events', async () => {
  const { gateway, get } = await running({ events: { enabled: true } })
  await post(gateway, { ...BODY, model: 'm\u001b[2J\r\n\u009b\u202e"' })
  const { text } = await get('/metrics')
  expect(text).toContain('model="m\\\\x1b[2J\\\\r\\\\n\\\\x9b\\\\u202e\\""')
  const events = (await recentEvents(gateway, 1)).join('\n')
  for (const shown of [text, events]) expect(shown).not.toMatch(/[^\P{Cc}\n]|\u202e/u)
})

test('metrics in Prometheus’s format', async () => {
  const { get } = await running({ cache: { enabled: true } }, 6)
  const { text, message } = await get('/metrics')
  expect(message.headers['content-type']).toMatch(/^text\/plain; version=0.0.4/)
  const value = (name: string) =>
    Number(
      text
        .split('\n')
        .find((line) => line.startsWith(`${name} `))
        ?.split(' ')[1],
    )
  expect(value('kt_requests_total{provider="openai",model="gpt-4o",status="200",stream="false",cache="hit"}')).toBe(3)
  expect(value('kt_tokens_total{direction="input"}')).toBe(42)
  expect(value('kt_cache_requests_total{result="miss"}')).toBe(3)
  expect(value('kt_cache_entries')).toBe(3)
  expect(value('kt_pool_connections{state="idle"}')).toBe(1)
  expect(value('kt_latency_seconds_count')).toBe(6)
  expect(value('kt_latency_seconds_bucket{le="+Inf"}')).toBe(6)
  expect(value('kt_overhead_seconds_count{component="total"}')).toBe(6)
  expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
  // Buckets never fall, and each name is declared once.
  const buckets = [...text.matchAll(/kt_overhead_seconds_bucket\{component="total",le="[\d.e-]+"\} (\d+)/g)].map((m) =>
    Number(m[1]),
  )
  expect(buckets.length).toBeGreaterThan(10)
  expect(buckets).toEqual([...buckets].sort((a, b) => a - b))
  const declared = [...text.matchAll(/^# TYPE (\S+)/gm)].map((m) => m[1])
  expect(new Set(declared).size).toBe(declared.length)
})

test('a model’s name comes from a client: it is escaped, and the number of names is limited', async () => {
  const { gateway, get } = await running()
  await post(gateway, { ...BODY, model: 'a"b\n' })
  await post(gateway, { ...BODY, model: 'x'.repeat(10_000) })
  const { text } = await get('/metrics')
  expect(text).toContain('model="a\\"b\\\\n"')
  expect(text).not.toContain('x'.repeat(300))
})

test('the cache: statistics, clearing, and a gateway without a cache', async () => {
  const { gateway, get } = await running({ cache: { enabled: true } }, 6)
  await post(gateway, { ...BODY, model: 'other' })
  expect((await get('/cache')).json()).toMatchObject({ backend: 'memory', entries: 4, hits: 3, misses: 4 })
  expect((await get('/cache?model=other', { method: 'DELETE' })).json()).toEqual({ cleared: 1, model: 'other' })
  expect((await get('/cache', { method: 'DELETE' })).json()).toEqual({ cleared: 3 })
  expect((await post(gateway, { ...BODY, seed: 0 })).message.headers['x-kt-cache']).toBe('miss')
  const without = await running()
  expect((await without.get('/cache')).status).toBe(404)
})

test('events: recent and live', async () => {
  const { gateway } = await running({}, 3)
  await recentEvents(gateway, 3)
  const live = fetch(`${gateway.adminUrl}/events`)
  const reader = (await live).body?.getReader()
  await post(gateway, { ...BODY, model: 'live' })
  const first = new TextDecoder().decode((await reader?.read())?.value)
  expect(JSON.parse(first)).toMatchObject({ model: 'live', status: 200 })
  expect(await recentEvents(gateway, 4)).toHaveLength(4)
  await reader?.cancel()
  const off = await running({ events: { enabled: false } }, 1)
  expect((await off.get('/events')).status).toBe(404)
  expect((await off.get('/stats')).json()).toMatchObject({ requests: 0, events: null })
  expect((await off.get('/metrics')).text).toContain('kt_pool_connections')
})

test('a token is required where one is set, except for health', async () => {
  const { get } = await running({ admin: { token: 'open-sesame' } })
  for (const authorization of [
    undefined,
    'Bearer wrong',
    'Basic open-sesame',
    'Bearer open-sesam',
    'Bearer open-sesamf',
  ]) {
    const headers = authorization === undefined ? {} : { authorization }
    for (const path of ['/stats', '/metrics', '/events', '/pool', '/cache']) {
      expect((await get(path, { headers })).status).toBe(401)
    }
  }
  expect((await get('/stats', { headers: { authorization: 'Bearer open-sesame' } })).status).toBe(200)
  expect((await get('/healthz')).status).toBe(200)
})

test('a page in a browser cannot reach the port through DNS rebinding', async () => {
  const { get } = await running()
  expect((await get('/stats', { headers: { host: 'evil.example:41003' } })).status).toBe(403)
  expect((await get('/stats', { headers: { host: '127.0.0.1.evil.example' } })).status).toBe(403)
  expect((await get('/stats', { headers: { host: 'localhost:41003' } })).status).toBe(200)
})

test('secrets come from the environment; a missing one is an error and never means no token', () => {
  const parse = (gateway: object, environment = {}) => gatewayConfigSchema(environment).safeParse({ gateway })
  const messages = (gateway: object, environment = {}) =>
    parse(gateway, environment).error?.issues.map((one) => one.message)
  const given = { admin_port: 0, admin: { token: '$'.concat('{ADMIN}') } }
  expect(parse(given, { ADMIN: 'secret' }).data?.admin.token).toBe('secret')
  expect(messages(given)).toEqual(['ADMIN is not set'])
  const redis = (url: string) => ({ cache: { enabled: true, backend: 'redis', redis: { url } } })
  expect(parse(redis('$'.concat('{REDIS}')), { REDIS: 'redis://:pw@h:6379/2' }).data?.cache.redis.url).toBe(
    'redis://:pw@h:6379/2',
  )
  expect(messages(redis('http://h'))).toEqual(['not a redis:// or rediss:// URL'])
  const collector = (headers: object) => ({ events: { otlp: { endpoint: 'http://h', headers } } })
  const bearer = collector({ authorization: 'Bearer $'.concat('{TOKEN}') })
  expect(parse(bearer, { TOKEN: 'abc' }).data?.events.otlp?.headers).toEqual({ authorization: 'Bearer abc' })
  expect(messages(bearer)).toEqual(['TOKEN is not set'])
  expect(messages(bearer, { TOKEN: 'a\nb' })).toEqual(['not usable as a header value'])
  expect(messages({ events: { otlp: { endpoint: 'ftp://h' } } })?.[0]).toMatch(/an OTLP endpoint is an http/)
  expect(messages({ cache: { key_includes: ['header:'] } })?.[0]).toMatch(/a part of the key is/)
})
