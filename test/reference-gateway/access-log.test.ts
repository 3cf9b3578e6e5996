// Requests are named, logged in a line each, and counted at an address of choice.
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { runGateway } from '../../reference-gateway/gateway.ts'
import { tempDir } from '../support/temp-dir.ts'
import { until } from '../support/waits.ts'
import { ask, atEnd, gatewayBefore, post, recentEvents, upstream } from './support/harness.ts'
import { answerJson } from './support/upstream.ts'

const KEYS = { keys: [{ key: 'sk-secret', tenant: 'team' }] }

function logFile() {
  const folder = tempDir()
  atEnd(async () => folder.remove())
  const path = folder.file('access.log')
  const lines = (): string[] =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : []
  return { path, lines }
}

test('x-request-id: a well-formed one names the request, everywhere; else the gateway names it', async () => {
  const seen: (string | undefined)[] = []
  const provider = await upstream((request, response) => {
    seen.push(request.headers['x-request-id']?.toString())
    if (request.headers['x-named']) response.setHeader('x-request-id', 'of-the-provider')
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url, { admin_port: 0 })
  const idsOf = async (headers: Record<string, string>, path?: string): Promise<unknown[]> => {
    const answer = path ? await ask(gateway.url + path, { headers }) : await post(gateway, { model: 'm' }, { headers })
    return ['x-kt-request-id', 'x-request-id'].map((name) => answer.message.headers[name])
  }
  expect(await idsOf({ 'x-request-id': 'req_1.a:B' })).toEqual(['req_1.a:B', 'req_1.a:B'])
  expect(await idsOf({ 'x-request-id': 'r2', 'x-named': '1' })).toEqual(['r2', 'of-the-provider'])
  const own = expect.stringMatching(/^[a-z0-9]+-[a-z0-9]+$/)
  for (const bad of ['', 'a b', '<b>', 'ä', 'x'.repeat(129)]) {
    expect(await idsOf(bad === '' ? {} : { 'x-request-id': bad })).toEqual([own, own])
  }
  expect(await idsOf({ 'x-request-id': 'r3' }, '/v1/none')).toEqual(['r3', 'r3'])
  expect(seen.slice(0, 2)).toEqual(['req_1.a:B', 'r2'])
  const events = await recentEvents(gateway, 2)
  expect(events.slice(0, 2).map((line) => JSON.parse(line).request_id)).toEqual(['req_1.a:B', 'r2'])
})

test('a line of JSON for each request: who, what, how it ended; no secret, no query, no body', async () => {
  const provider = await upstream((request, response) => {
    if (!request.headers['x-hold']) answerJson(response, {})
  })
  const log = logFile()
  const gateway = await gatewayBefore(provider.url, { access_log: { path: log.path }, auth: KEYS })
  const headers = { authorization: 'Bearer sk-secret', 'x-request-id': 'r1' }
  await post(gateway, { model: 'm', prompt: 'a secret text' }, { headers })
  await ask(`${gateway.url}/v1/models?key=sk-query`, { headers: { 'x-api-key': 'sk-wrong' } })
  await ask(`${gateway.url}/nothing?token=sk-query`)
  await ask(`${gateway.url}/healthz`)
  const leaving = new AbortController()
  const held = { headers: { ...headers, 'x-hold': '1' }, signal: leaving.signal }
  const left = post(gateway, { model: 'm' }, held).catch(() => undefined)
  await until(() => provider.open > 0 && gateway.poolStats().busy === 1)
  leaving.abort()
  await left
  await until(() => log.lines().length === 5)
  const lines = log.lines().map((line) => JSON.parse(line))
  expect(lines[0]).toEqual({
    ts: expect.any(String),
    request_id: 'r1',
    client: '127.0.0.1',
    tenant: 'team',
    method: 'POST',
    path: '/v1/chat/completions',
    protocol: 'HTTP/1.1',
    status: 200,
    bytes: expect.any(Number),
    ms: expect.any(Number),
    model: 'm',
    provider: 'openai',
  })
  expect(lines[0].bytes).toBeGreaterThan(100)
  expect(lines.slice(1).map(({ path, status, tenant }) => [path, status, tenant !== 'team'])).toEqual([
    ['/v1/models', 401, true],
    ['/nothing', 404, true],
    ['/healthz', 200, true],
    ['/v1/chat/completions', 499, false],
  ])
  expect(lines[4].error).toBe('client_gone')
  expect(log.lines().join('')).not.toMatch(/sk-|secret text/)
})

test('the common form, from several processes, and never more than a line a request', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const log = logFile()
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      admin_port: 'off',
      workers: 2,
      providers: [{ name: 'p', base_url: provider.url }],
      warmup: { enabled: false },
      access_log: { path: log.path, format: 'common' },
      auth: KEYS,
    },
  })
  const gateway = await runGateway(config, { drainMs: 500 })
  atEnd(() => gateway.close())
  const headers = { authorization: 'Bearer sk-secret' }
  const body = '{"model":"m"}'
  for (let i = 0; i < 6; i++) await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers }, body)
  const socket = connect(gateway.port, '127.0.0.1')
  socket.resume().on('error', () => {})
  socket.write('GET /v1/"x\u001b[2J HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  await until(() => socket.destroyed)
  await until(() => log.lines().length >= 6)
  const usual =
    /^127\.0\.0\.1 - team \[\d\d\/[A-Z]\w\w\/\d{4}(?::\d\d){3} \+0000\] "POST \/v1\/chat\/completions HTTP\S+ 200 \d+$/
  expect(log.lines().filter((line) => usual.test(line))).toHaveLength(6)
  expect(log.lines().join('')).not.toMatch(/\p{Cc}/u)
})

test('metrics at an address of choice, with a token, and nothing else there', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const metrics = { host: '0.0.0.0', port: 0, token: 't0ken' }
  const gateway = await gatewayBefore(provider.url, { metrics })
  expect(gateway.adminUrl).toBeUndefined()
  await post(gateway, { model: 'm' })
  const url = `http://127.0.0.1:${new URL(gateway.metricsUrl ?? '').port}`
  const get = async (path: string, headers = {}) => (await ask(url + path, { headers })).status
  expect([await get('/metrics'), await get('/metrics', { authorization: 'Bearer wrong' })]).toEqual([401, 401])
  const authorization = 'Bearer t0ken'
  const { body } = await ask(`${url}/metrics`, { headers: { authorization, host: 'gateway.example.org' } })
  expect(body.toString()).toMatch(/^kt_requests_total\{.*model="m".*\} 1$/m)
  for (const path of ['/stats', '/events', '/cache', '/pool']) expect(await get(path, { authorization })).toBe(404)
  const parsed = (given: object) => gatewayConfigSchema({}).parse({ gateway: { metrics: given } })
  expect(() => parsed({ host: '0.0.0.0', port: 1 })).toThrow(/set a token/)
  expect(parsed({ port: 1 }).metrics?.host).toBe('127.0.0.1')
})

test('other machines are served without keys only where the config says so', () => {
  const parsed = (given: object) => gatewayConfigSchema({}).parse({ gateway: given })
  expect(() => parsed({ host: '0.0.0.0' })).toThrow(/set auth.keys, or open: true/)
  expect(parsed({ host: '0.0.0.0', open: true }).host).toBe('0.0.0.0')
  expect(parsed({ host: '::', auth: KEYS }).host).toBe('::')
  expect(parsed({ host: 'localhost' }).host).toBe('localhost')
})
