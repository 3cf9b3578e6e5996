import { Agent, request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { until } from '../support/waits.ts'
import { ask, gatewayBefore, upstream } from './support/harness.ts'
import { answerJson } from './support/upstream.ts'

test('shutdown finishes requests in flight and accepts no new ones', async () => {
  let finish: (() => void) | undefined
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    finish = () => response.end('data: 2\n\n')
  })
  const gateway = await gatewayBefore(provider.url, { admin_port: 0 }, { drainMs: 10_000 })
  let text = ''
  let ended = false
  const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false }, (message) => {
    message.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    message.on('end', () => {
      ended = true
    })
  })
  request.end('{"model":"m"}')
  await until(() => text !== '')
  const closed = gateway.close()
  await expect(ask(`${gateway.url}/healthz`)).rejects.toThrow(/ECONNREFUSED/)
  // Load balancers learn it at the admin port, which stays open until the end.
  const ready = await ask(`${gateway.adminUrl}/readyz`)
  expect([ready.status, JSON.parse(ready.body.toString())]).toEqual([503, { ready: false, reason: 'shutting down' }])
  finish?.()
  await closed
  await until(() => ended)
  expect(text).toBe('data: 1\n\ndata: 2\n\n')
  await until(() => provider.open === 0)
})

test('a response sent during shutdown is the last on its connection', async () => {
  let finish: (() => void) | undefined
  const provider = await upstream((_request, response) => {
    finish = () => answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url, {}, { drainMs: 10_000 })
  const agent = new Agent({ keepAlive: true })
  const answer = ask(`${gateway.url}/v1/models`, { agent })
  await until(() => finish !== undefined)
  const closed = gateway.close()
  finish?.()
  expect((await answer).message.headers.connection).toBe('close')
  await closed
  agent.destroy()
})

test.each([
  ['its starter', {}, { drainMs: 50 }],
  ['limits.drain_timeout', { limits: { drain_timeout: '50ms' } }, {}],
])('shutdown does not wait longer than %s', async (_, settings, options) => {
  let asked = 0
  const provider = await upstream(() => asked++)
  const gateway = await gatewayBefore(provider.url, settings, options)
  const answer = ask(`${gateway.url}/v1/models`).catch((error: Error) => error)
  await until(() => asked === 1)
  await gateway.close()
  expect(await answer).toBeInstanceOf(Error)
  await until(() => provider.open === 0)
})

test('warm-up opens its connections before the first request, and /readyz says when', async () => {
  const probed: string[] = []
  const held: (() => void)[] = []
  const provider = await upstream((request, response) => {
    probed.push(`${request.method} ${request.url}`)
    held.push(() => answerJson(response, { data: [] }))
  })
  const gateway = await gatewayBefore(provider.url, { warmup: { connections_per_provider: 3 } })
  expect((await ask(`${gateway.url}/healthz`)).status).toBe(200)
  await until(() => held.length === 3)
  const cold = await ask(`${gateway.url}/readyz`)
  expect(cold.status).toBe(503)
  expect(JSON.parse(cold.body.toString())).toEqual({ ready: false, reason: 'warming up' })
  for (const answer of held.splice(0)) answer()
  await gateway.warmedUp
  expect((await ask(`${gateway.url}/readyz`)).status).toBe(200)
  expect(probed).toEqual(['GET /v1/models', 'GET /v1/models', 'GET /v1/models'])
  expect(provider.opened).toBe(3)
  expect(gateway.poolStats()).toMatchObject({ idle: 3, opened: 3 })
})

test.each([404, 301, 400])(
  'a provider that answers %i to the probe is not warm, however often it is asked',
  async (status) => {
    let asked = 0
    const provider = await upstream((_request, response) => {
      asked++
      answerJson(response, {}, status)
    })
    const reports: string[] = []
    const gateway = await gatewayBefore(
      provider.url,
      { warmup: { connections_per_provider: 2 } },
      { report: (problem) => reports.push(problem) },
    )
    await gateway.warmedUp
    const first = asked
    await until(() => asked > first)
    const cold = await ask(`${gateway.url}/readyz`)
    expect([cold.status, cold.body.toString()]).toEqual([
      503,
      expect.stringContaining(`answered ${status} to /v1/models`),
    ])
    expect(reports).toHaveLength(1)
  },
)

test.each([401, 403, 429])(
  'a provider that answers %i is there: the probe has no key, and clients may',
  async (status) => {
    const provider = await upstream((_request, response) => answerJson(response, {}, status))
    const gateway = await gatewayBefore(provider.url, { warmup: { connections_per_provider: 1 } })
    await gateway.warmedUp
    expect((await ask(`${gateway.url}/readyz`)).status).toBe(200)
  },
)

test('a failed warm-up is reported, does not stop the start, and is repeated', async () => {
  let healthy = false
  const provider = await upstream((_request, response) => answerJson(response, {}, healthy ? 200 : 503))
  const reports: string[] = []
  const gateway = await gatewayBefore(
    provider.url,
    { warmup: { connections_per_provider: 2 } },
    { report: (problem) => reports.push(problem) },
  )
  await gateway.warmedUp
  expect(reports).toEqual([`warm-up: provider 'openai' answered 503 to /v1/models (${provider.url}); trying again`])
  const cold = await ask(`${gateway.url}/readyz`)
  expect(cold.status).toBe(503)
  expect(cold.body.toString()).toContain('answered 503')
  healthy = true
  while ((await ask(`${gateway.url}/readyz`)).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20))
})

test('a provider that knows no path below an address without /v1 is said to lack it', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}, 404))
  const reports: string[] = []
  const warmup = { connections_per_provider: 1 }
  const { origin } = new URL(provider.url)
  const gateway = await gatewayBefore(origin, { warmup }, { report: (problem) => reports.push(problem) })
  await gateway.warmedUp
  expect(reports).toEqual([
    `warm-up: provider 'openai' answered 404 to /models; a base URL mostly ends with /v1 (${origin}); trying again`,
  ])
})
