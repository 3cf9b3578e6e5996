import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { until } from '../../support/waits.ts'
import { errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, type Upstream, wait } from '../support/upstream.ts'

/** A provider that answers at once, or after `x-hold` milliseconds. */
function provider(options: { keepAliveTimeout?: number } = {}): Promise<Upstream> {
  return upstream((request, response) => {
    setTimeout(() => answerJson(response, {}), Number(request.headers['x-hold'] ?? 0))
  }, options)
}

async function inSequence(gateway: RunningGateway, count: number): Promise<void> {
  for (let i = 0; i < count; i++) expect((await post(gateway, { model: 'm' })).status).toBe(200)
}

async function atOnce(gateway: RunningGateway, count: number, holdMs: number): Promise<void> {
  const one = async () => {
    const answer = await post(gateway, { model: 'm' }, { headers: { 'x-hold': String(holdMs) } })
    expect(answer.status).toBe(200)
  }
  await Promise.all(Array.from({ length: count }, one))
}

test('keep-alive: requests in sequence share one connection', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url)
  await inSequence(gateway, 20)
  expect(to.opened).toBe(1)
  expect(gateway.poolStats()).toMatchObject({ open: 1, idle: 1, busy: 0, opened: 1, waited: 0 })
})

test('keep_alive.enabled: false opens a connection for every request (single_use)', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, { upstream: { keep_alive: { enabled: false } } })
  await inSequence(gateway, 5)
  expect(to.opened).toBe(5)
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().recycled.single_use).toBe(5)
})

test('max_total: further requests wait their turn, and never more connections are open', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, { connection_pool: { max_total: 3 } })
  await atOnce(gateway, 12, 10)
  expect(to.mostOpen).toBe(3)
  expect(gateway.poolStats()).toMatchObject({ open: 3, idle: 3, waiting: 0, opened: 3 })
  // Nine, unless the first three were answered before the last ones arrived.
  expect(gateway.poolStats().waited).toBeGreaterThan(4)
})

test('max_total holds over all providers: an idle connection to one makes room for another (excess)', async () => {
  const [a, b] = [await provider(), await provider()]
  const providers = [
    { name: 'a', base_url: a.url, models: ['a'] },
    { name: 'b', base_url: b.url, models: ['b'] },
  ]
  const gateway = await gatewayBefore('', { providers, connection_pool: { max_total: 1 } })
  for (const model of ['a', 'b', 'b', 'a']) expect((await post(gateway, { model })).status).toBe(200)
  expect([a.opened, b.opened]).toEqual([2, 1])
  expect(gateway.poolStats()).toMatchObject({ open: 1, recycled: { excess: 2 } })
  // Under contention, no provider starves.
  await Promise.all(['a', 'b', 'a', 'b', 'b', 'a'].map((model) => post(gateway, { model })))
  expect(gateway.poolStats()).toMatchObject({ open: 1, waiting: 0 })
})

test('max_idle_per_host: idle connections above it are closed (excess)', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, { connection_pool: { max_idle_per_host: 2 } })
  await atOnce(gateway, 6, 30)
  await until(() => to.open === 2)
  expect(gateway.poolStats()).toMatchObject({ idle: 2, opened: 6, recycled: { excess: 4 } })
})

test('max_lifetime: an old connection is closed, idle or after its request (lifetime)', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, { connection_pool: { max_lifetime: '60ms' } })
  await inSequence(gateway, 1)
  await until(() => to.open === 0)
  expect(gateway.poolStats().recycled.lifetime).toBe(1)
  await atOnce(gateway, 1, 150)
  await until(() => to.open === 0)
  expect(gateway.poolStats().recycled.lifetime).toBe(2)
})

test.each([{ connection_pool: { idle_timeout: '80ms' } }, { upstream: { keep_alive: { timeout: '80ms' } } }])(
  'the smaller of idle_timeout and keep_alive.timeout closes an idle connection: %j (idle)',
  async (settings) => {
    const to = await provider()
    const gateway = await gatewayBefore(to.url, settings)
    await inSequence(gateway, 1)
    await until(() => to.open === 0)
    await until(() => gateway.poolStats().open === 0)
    expect(gateway.poolStats().recycled).toMatchObject({ idle: 1, upstream: 0 })
  },
)

test('an idle connection outlives the four seconds that are undici’s default', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url)
  await inSequence(gateway, 1)
  await wait(4_600)
  await inSequence(gateway, 1)
  expect(to.opened).toBe(1)
})

test('a connection that the provider closes is replaced, and no request is lost (upstream)', async () => {
  const to = await upstream((request, response) => {
    if (request.headers['x-close']) response.setHeader('connection', 'close')
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(to.url)
  await post(gateway, { model: 'm' }, { headers: { 'x-close': 'yes' } })
  await inSequence(gateway, 2)
  expect(gateway.poolStats().recycled.upstream).toBe(1)
  for (let i = 0; i < 20; i++) {
    to.server.closeIdleConnections()
    await inSequence(gateway, 1)
  }
  expect(gateway.poolStats()).toMatchObject({ open: 1, busy: 0 })
})

test('a connection that is reset is no connection that the provider has closed (error)', async () => {
  const to = await upstream((request, response) => {
    if (request.headers['x-reset']) setTimeout(() => (request.socket as Socket).resetAndDestroy(), 20)
    else answerJson(response, {})
  })
  const gateway = await gatewayBefore(to.url)
  const reset = await post(gateway, { model: 'm' }, { headers: { 'x-reset': 'yes' } })
  expect([reset.status, errorOf(reset).message]).toEqual([
    502,
    "provider 'openai' reset the connection before its answer was complete",
  ])
  // Idle, with nothing asked.
  await inSequence(gateway, 1)
  for (const socket of to.sockets) socket.resetAndDestroy()
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().recycled).toMatchObject({ error: 2, upstream: 0 })
})

test('the gateway closes a connection a second before the provider’s announced keep-alive ends (idle)', async () => {
  // Announced as `keep-alive: timeout=2`.
  const to = await provider({ keepAliveTimeout: 2_000 })
  const gateway = await gatewayBefore(to.url)
  const startMs = performance.now()
  await inSequence(gateway, 1)
  await until(() => to.open === 0)
  expect(performance.now() - startMs).toBeGreaterThan(500)
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().recycled).toMatchObject({ idle: 1, upstream: 0 })
})

test('the connection that became idle last is used first', async () => {
  const ports: (number | undefined)[] = []
  const to = await upstream((request, response) => {
    ports.push(request.socket.remotePort)
    setTimeout(() => answerJson(response, {}), Number(request.headers['x-hold'] ?? 0))
  })
  const gateway = await gatewayBefore(to.url)
  const hold = (ms: number) => post(gateway, { model: 'm' }, { headers: { 'x-hold': String(ms) } })
  const early = hold(30)
  await until(() => ports.length === 1)
  await Promise.all([early, hold(120)])
  await inSequence(gateway, 3)
  expect(ports.slice(2)).toEqual([ports[1], ports[1], ports[1]])
})

test('pipelining: where no more connections can be opened, requests share one instead of waiting', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, {
    upstream: { pipelining: 4 },
    connection_pool: { max_total: 1 },
  })
  await inSequence(gateway, 1)
  await atOnce(gateway, 10, 30)
  expect(to.opened).toBe(1)
  // Three behind the first; the rest waits until one of the four is answered.
  expect(gateway.poolStats()).toMatchObject({ open: 1, idle: 1, waited: 6, inFlight: 0 })
})

test('pipelining is off by default, and beside it free connections come first', async () => {
  const to = await provider()
  const gateway = await gatewayBefore(to.url, { upstream: { pipelining: 4 } })
  await atOnce(gateway, 6, 30)
  expect(to.mostOpen).toBe(6)
})

test('re-warm: a connection closed for its age is opened again before it is needed; an idle one not', async () => {
  const to = await provider()
  const warm = { warmup: { connections_per_provider: 3 } }
  const gateway = await gatewayBefore(to.url, { ...warm, connection_pool: { max_lifetime: '150ms' } })
  await gateway.warmedUp
  await until(() => gateway.poolStats().recycled.lifetime >= 3)
  await until(() => to.opened >= 6 && gateway.poolStats().idle === 3)
  const quiet = await gatewayBefore(to.url, { ...warm, connection_pool: { idle_timeout: '80ms' } })
  await quiet.warmedUp
  await until(() => quiet.poolStats().open === 0)
  await wait(100)
  expect(quiet.poolStats()).toMatchObject({ open: 0, opened: 3, recycled: { idle: 3 } })
})
