/** The gateway in several real processes. */
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { type Gateway, runGateway } from '../../../reference-gateway/gateway.ts'
import { SMALL_HEAP } from '../../../src/system/helper-threads.ts'
import { until } from '../../support/waits.ts'
import { ask, atEnd, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

async function workers(url: string, settings: Record<string, unknown> = {}, report?: (problem: string) => void) {
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      workers: 2,
      providers: [{ name: 'openai', base_url: url }],
      warmup: { connections_per_provider: 2 },
      ...settings,
    },
  })
  const gateway = await runGateway(config, { drainMs: 5_000, ...(report && { report }) })
  atEnd(() => gateway.close())
  await gateway.warmedUp
  return gateway
}

const chat = (gateway: Gateway, body = '{"model":"m"}') =>
  ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, body)

async function numbersIn(gateway: Gateway, method: string, name: string): Promise<number[]> {
  const answers = await gateway.workers.call(method)
  return answers.map(({ value }) => Number((value as Record<string, unknown>)[name]))
}

test('workers share requests and limits, and one admin port answers for all of them', async () => {
  const provider = await upstream((_request, response) => setTimeout(() => answerJson(response, {}), 20))
  const gateway = await workers(provider.url, {
    admin_port: 0,
    connection_pool: { max_total: 6 },
    warmup: { connections_per_provider: 4 },
  })
  expect(provider.opened).toBe(4)
  const answers = await Promise.all(Array.from({ length: 24 }, () => chat(gateway)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(provider.mostOpen).toBeLessThanOrEqual(6)
  const opened = await numbersIn(gateway, 'pool', 'opened')
  expect(opened).toHaveLength(2)
  expect(opened.every((count) => count >= 2)).toBe(true)
  expect(await gateway.workers.call('nothing')).toEqual([])
  const pool = JSON.parse((await ask(`${gateway.adminUrl}/pool`)).body.toString())
  expect(pool.opened).toBe(opened.reduce((sum, one) => sum + one, 0))
  const stats = JSON.parse((await ask(`${gateway.adminUrl}/stats`)).body.toString())
  expect(stats.workers).toBe(2)
  expect((await ask(`${gateway.adminUrl}/readyz`)).status).toBe(200)
})

test('a worker that ends is replaced, and the gateway keeps serving', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const reports: string[] = []
  const gateway = await workers(provider.url, { admin_port: 0 }, (problem) => reports.push(problem))
  const pids = async () => (await gateway.workers.call('pid')).map(({ value }) => Number(value))
  const [first = 0, second] = await pids()
  process.kill(first, 'SIGKILL')
  await until(() => reports.length === 1)
  expect(reports[0]).toBe('worker 1 ended with SIGKILL; starting another')
  for (let i = 0; i < 4; i++) expect((await chat(gateway)).status).toBe(200)
  let now: number[] = []
  while (now.length < 2) now = await pids()
  expect(now[0]).not.toBe(first)
  expect(now[1]).toBe(second)
})

test.runIf(process.platform === 'linux')(
  'every process runs in little memory, as a gateway of one process does',
  async () => {
    const provider = await upstream((_request, response) => answerJson(response, {}))
    const gateway = await workers(provider.url)
    const pids = await gateway.workers.call('pid')
    const words = pids.map(({ value }) => readFileSync(`/proc/${value}/cmdline`, 'utf8').split('\0'))
    expect(words).toEqual([expect.arrayContaining(SMALL_HEAP), expect.arrayContaining(SMALL_HEAP)])
  },
)

test('draining: streams in flight finish in every worker, and no new request is accepted', async () => {
  const finish: (() => void)[] = []
  const provider = await upstream((request, response) => {
    if (request.method === 'GET') return answerJson(response, {})
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    finish.push(() => response.end('data: 2\n\n'))
  })
  const gateway = await workers(provider.url)
  const streams = Array.from({ length: 4 }, () => {
    const stream = { text: '', ended: false }
    const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false }, (message) => {
      message.setEncoding('utf8').on('data', (part: string) => {
        stream.text += part
      })
      message.on('end', () => {
        stream.ended = true
      })
    })
    request.end('{"model":"m","stream":true}')
    return stream
  })
  await until(() => streams.every(({ text }) => text !== ''))
  const inFlight = (await gateway.workers.call('inFlight')).map(({ value }) => Number(value))
  expect(inFlight.reduce((sum, one) => sum + one, 0)).toBe(4)
  const closed = gateway.close()
  await until(() => finish.length === 4)
  // A connection that is handed over at the moment of closing reaches no worker, and is closed with the primary.
  const taken = () =>
    ask(`${gateway.url}/healthz`, { signal: AbortSignal.timeout(200) }).then(
      () => true,
      (error: NodeJS.ErrnoException) => error.code !== 'ECONNREFUSED',
    )
  while (await taken());
  for (const one of finish) one()
  await closed
  expect(streams).toEqual(Array(4).fill({ text: 'data: 1\n\ndata: 2\n\n', ended: true }))
  await until(() => provider.open === 0)
})

test('a port in use rejects the start', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const port = Number(new URL(provider.url).port)
  await expect(workers(provider.url, { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('a reload reaches every process', async () => {
  const [old, fresh] = await Promise.all(
    ['old', 'fresh'].map((from) => upstream((_request, response) => answerJson(response, { from }))),
  )
  const gateway = await workers(old?.url ?? '')
  const providers = [{ name: 'p', base_url: fresh?.url }]
  await gateway.reload(gatewayConfigSchema({}).parse({ gateway: { providers, warmup: { enabled: false } } }))
  const answers = await Promise.all(Array.from({ length: 8 }, () => chat(gateway)))
  expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['{"from":"fresh"}']))
})

test('where all processes end at once, others serve at the same port', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await workers(provider.url)
  const pids = async () => (await gateway.workers.call('pid')).map(({ value }) => Number(value))
  const before = await pids()
  for (const pid of before) process.kill(pid, 'SIGKILL')
  await until(async () => {
    const now = await pids()
    return now.length === 2 && now.every((pid) => !before.includes(pid))
  })
  expect((await chat(gateway)).status).toBe(200)
})

test('counts outlive a process that is killed, and a reload', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await workers(provider.url, { admin_port: 0, warmup: { enabled: false }, cache: { enabled: true } })
  const figures = async (): Promise<Record<string, number>> => {
    const text = (await ask(`${gateway.adminUrl}/metrics`)).body.toString()
    const of = (name: string): number =>
      [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\d+)$`, 'gm'))].reduce(
        (all, [, one]) => all + Number(one),
        0,
      )
    return {
      requests: of('kt_requests_total'),
      latencies: of('kt_latency_seconds_count'),
      events: of('kt_events_total'),
      opened: of('kt_pool_opened_total'),
      cache: of('kt_cache_requests_total'),
    }
  }
  for (let i = 0; i < 20; i++) expect((await chat(gateway)).status).toBe(200)
  const before = await figures()
  expect(before).toMatchObject({ requests: 20, latencies: 20, events: 20, cache: 20 })
  expect(before.opened).toBeGreaterThanOrEqual(2)
  const pids = async () => (await gateway.workers.call('pid')).map(({ value }) => Number(value))
  const [first = 0] = await pids()
  process.kill(first, 'SIGKILL')
  await until(async () => {
    const now = await pids()
    return now.length === 2 && !now.includes(first)
  })
  expect(await figures()).toEqual(before)
  const next = { providers: [{ name: 'p', base_url: provider.url }], warmup: { enabled: false } }
  await gateway.reload(gatewayConfigSchema({}).parse({ gateway: { ...next, cache: { enabled: true } } }))
  await until(async () => (await figures()).events === 20)
  expect(await figures()).toEqual(before)
  for (let i = 0; i < 4; i++) expect((await chat(gateway)).status).toBe(200)
  expect(await figures()).toMatchObject({ requests: 24, latencies: 24, events: 24, cache: 24 })
})
