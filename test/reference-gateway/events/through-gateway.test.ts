// Events of requests through the gateway, to the file and to a collector, and trace context to the provider.

import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { tempDir } from '../../support/temp-dir.ts'
import { until } from '../../support/waits.ts'
import { atEnd, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf, wait } from '../support/upstream.ts'

const BODY = { model: 'gpt-4o', messages: [] }
const TRACE = '0af7651916cd43dd8448eb211c80319c'

function eventFile(): { path: string; events(): Record<string, unknown>[] } {
  const folder = tempDir()
  atEnd(async () => folder.remove())
  const path = folder.file('events.ndjson')
  const events = () =>
    existsSync(path)
      ? readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line))
      : []
  return { path, events }
}

test('an answer of status 200 that tells a failure has an error in its event', async () => {
  const provider = await upstream(async (request, response) => {
    const { stream } = JSON.parse(await bodyOf(request))
    if (!stream) return answerJson(response, { error: { message: 'model overloaded' } })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\nevent: error\ndata: no worker\n\ndata: [DONE]\n\n')
  })
  const file = eventFile()
  const gateway = await gatewayBefore(provider.url, { events: { file: { path: file.path } } })
  await post(gateway, BODY)
  await post(gateway, { ...BODY, stream: true })
  await until(() => file.events().length === 2)
  expect(file.events()).toMatchObject([
    { status: 200, stream: false, error: 'upstream_failed_within' },
    { status: 200, stream: true, error: 'upstream_failed_within' },
  ])
})

test('an event for every request: JSON, stream, refused, failed, left', async () => {
  const provider = await upstream(async (request, response) => {
    if (request.headers['x-slow']) return
    if (request.headers['x-break']) {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n', () => response.destroy())
      return
    }
    const { stream } = JSON.parse(await bodyOf(request))
    const usage = { prompt_tokens: 7, completion_tokens: 3 }
    if (!stream) {
      answerJson(response, { choices: [{ message: { content: 'Hi' } }], usage })
      return
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: {"choices":[{"delta":{"role":"assistant","content":""}}]}\n\n')
    await wait(30)
    response.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n')
    await wait(30)
    response.end(`data: {"choices":[],"usage":${JSON.stringify(usage)}}\n\ndata: [DONE]\n\n`)
  })
  const file = eventFile()
  const gateway = await gatewayBefore(provider.url, { events: { file: { path: file.path } } })
  await post(gateway, BODY)
  await post(gateway, { ...BODY, stream: true })
  await post(gateway, [])
  await post(gateway, { ...BODY, stream: true }, { headers: { 'x-break': '1' } })
  const abort = new AbortController()
  const left = post(gateway, BODY, { headers: { 'x-slow': '1' }, signal: abort.signal }).catch(() => {})
  await wait(50)
  abort.abort()
  await left
  await until(() => file.events().length === 5)
  const [json, stream, refused, broken, gone] = file.events()
  expect(json).toMatchObject({
    ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    request_id: expect.stringMatching(/^\w+-\w+$/),
    tenant: 'anonymous',
    provider: 'openai',
    model: 'gpt-4o',
    endpoint: 'chat',
    status: 200,
    stream: false,
    ttft_ms: null,
    input_tokens: 7,
    output_tokens: 3,
    cache: 'bypass',
    policy: {},
    attempts: 1,
    dropped_before: 0,
  })
  expect(json).not.toHaveProperty('error')
  expect(stream).toMatchObject({ stream: true, status: 200, input_tokens: 7, output_tokens: 3 })
  const { ttft_ms, latency_ms, overhead_ms, upstream_ms, overhead } = stream as Record<string, number> & {
    overhead: Record<string, number>
  }
  // A role alone, which comes at once, is no token.
  expect(ttft_ms).toBeGreaterThan(20)
  expect(latency_ms).toBeGreaterThanOrEqual(ttft_ms ?? Number.NaN)
  const { overlapped_work: overlapped = 0 } = overhead
  expect((overhead_ms ?? 0) + (upstream_ms ?? 0) + overlapped).toBeCloseTo(latency_ms ?? 0, 2)
  expect(Object.keys(overhead)).toEqual(['routing', 'acquire', 'events', 'overlapped_work'])
  expect(refused).toMatchObject({ status: 400, error: 'invalid_json', provider: null, model: null, attempts: 0 })
  expect(broken).toMatchObject({ status: 200, error: 'upstream_failed' })
  expect(gone).toMatchObject({ error: 'client_gone' })
})

test('a trace goes on to the provider and to the collector; what is not sampled only to the provider', async () => {
  const seen: (string | undefined)[] = []
  const provider = await upstream((request, response) => {
    seen.push(request.headers.traceparent as string | undefined)
    answerJson(response, {})
  })
  const spans: Record<string, string>[] = []
  const collector = createServer(async (request, response) => {
    const { resourceSpans } = JSON.parse(await bodyOf(request))
    spans.push(...resourceSpans[0].scopeSpans[0].spans)
    response.end('{}')
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  atEnd(async () => {
    collector.close()
    collector.closeAllConnections()
  })
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`
  const gateway = await gatewayBefore(provider.url, { events: { otlp: { endpoint } } })
  await post(gateway, BODY, { headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01`, tracestate: 'a=b' } })
  await post(gateway, BODY, { headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-00` } })
  await post(gateway, BODY)
  await until(() => spans.length >= 2)
  const [first, unsampled, fresh] = seen
  expect(first).toBe(`00-${TRACE}-${spans[0]?.spanId}-01`)
  expect(spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: 'b7ad6b7169203331' })
  expect(unsampled).toMatch(new RegExp(`^00-${TRACE}-(?!b7ad6b7169203331)[0-9a-f]{16}-00$`))
  expect(fresh).toBe(`00-${spans[1]?.traceId}-${spans[1]?.spanId}-01`)
  await gateway.close()
  expect(spans).toHaveLength(2)
})

test('without OTLP the client’s own trace header passes as it is', async () => {
  const seen: unknown[] = []
  const provider = await upstream((request, response) => {
    seen.push(request.headers.traceparent)
    answerJson(response, {})
  })
  await post(await gatewayBefore(provider.url, { admin_port: 0 }), BODY, { headers: { traceparent: 'as it is' } })
  expect(seen).toEqual(['as it is'])
})

test('a request in flight when the gateway ends still gets its event', async () => {
  const provider = await upstream((_request, response) => void setTimeout(() => answerJson(response, {}), 80))
  const file = eventFile()
  const gateway = await gatewayBefore(provider.url, { events: { file: { path: file.path } } }, { drainMs: 2_000 })
  const answer = post(gateway, BODY)
  await wait(40)
  await gateway.close()
  expect((await answer).status).toBe(200)
  expect(file.events()).toHaveLength(1)
})

test('a collector that never answers delays no request, and lost events are counted', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const stuck = createServer(() => {}).listen(0, '127.0.0.1')
  await once(stuck, 'listening')
  atEnd(async () => {
    stuck.close()
    stuck.closeAllConnections()
  })
  const endpoint = `http://127.0.0.1:${(stuck.address() as AddressInfo).port}/v1/traces`
  const gateway = await gatewayBefore(provider.url, {
    admin_port: 0,
    events: { buffer: 64, otlp: { endpoint, timeout: '1s' } },
  })
  const startMs = performance.now()
  for (let i = 0; i < 400; i++) expect((await post(gateway, BODY)).status).toBe(200)
  // A single export that times out would take this long, if a request waited for it.
  expect(performance.now() - startMs).toBeLessThan(20_000)
  await wait(1_200)
  const stats = await (await fetch(`${gateway.adminUrl}/stats`)).json()
  expect(stats).toMatchObject({ requests: 400, events: { emitted: 400 } })
  expect((stats as { events: { dropped_by: { otlp: number } } }).events.dropped_by.otlp).toBeGreaterThan(100)
})
