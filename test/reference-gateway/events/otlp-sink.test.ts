// OTLP export as a collector receives it over HTTP, and a collector that stalls or is absent.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { OtlpSink } from '../../../reference-gateway/events/otlp-sink.ts'
import { bodyOf } from '../support/upstream.ts'
import { event } from './support.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function collector(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  stops.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`
}

function sink(endpoint: string, problems: string[] = [], timeout = 2_000): OtlpSink {
  const config = { endpoint, headers: { 'x-team': 'a' }, service_name: 'my-gateway', timeout }
  return new OtlpSink(config, (problem) => problems.push(problem))
}

const TRACE = {
  trace_id: '0af7651916cd43dd8448eb211c80319c',
  span_id: 'b7ad6b7169203331',
  parent_span_id: '00f067aa0ba902b7',
}

/** OTLP's attribute list as an object. */
function plain(attributes: { key: string; value: Record<string, unknown> }[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}

test('an event is a span by the conventions for generative AI', async () => {
  const bodies: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const endpoint = await collector(async (request, response) => {
    headers.push(request.headers)
    bodies.push(await bodyOf(request))
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  const to = sink(endpoint)
  await to.deliver([
    event({
      ...TRACE,
      ts: '2026-11-23T10:00:01.000Z',
      latency_ms: 250.5,
      stream: true,
      ttft_ms: 40,
      policy: { pii: 'redact' },
    }),
    event({ ...TRACE, span_id: 'b7ad6b7169203332', status: 502, error: 'upstream_failed', provider: null }),
    event(),
  ])
  await to.close()
  expect(headers[0]).toMatchObject({ 'content-type': 'application/json', 'x-team': 'a' })
  const [{ resource, scopeSpans }] = JSON.parse(bodies[0] ?? '').resourceSpans
  expect(plain(resource.attributes)).toMatchObject({ 'service.name': 'my-gateway' })
  const [first, second, ...more] = scopeSpans[0].spans
  // An event that is not sampled has no ids and becomes no span.
  expect(more).toEqual([])
  expect(first).toMatchObject({
    traceId: TRACE.trace_id,
    spanId: TRACE.span_id,
    parentSpanId: TRACE.parent_span_id,
    name: 'chat gpt-4o',
    kind: 2,
    startTimeUnixNano: '1795428000749500000',
    endTimeUnixNano: '1795428001000000000',
    status: { code: 0 },
  })
  expect(plain(first.attributes)).toMatchObject({
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-4o',
    'gen_ai.request.stream': true,
    'gen_ai.usage.input_tokens': 10,
    'gen_ai.usage.output_tokens': 5,
    'gen_ai.response.time_to_first_chunk': 0.04,
    'http.response.status_code': 200,
    'kt.overhead_ms': 0.4,
    'kt.overhead.routing_ms': 0.01,
    'kt.policy.pii': 'redact',
  })
  expect(second.status).toEqual({ code: 2, message: 'upstream_failed' })
  expect(plain(second.attributes)).toMatchObject({ 'error.type': 'upstream_failed' })
})

test('a collector that refuses or never answers: the batch fails, reported once', async () => {
  const problems: string[] = []
  const to = sink(await collector((_request, response) => void response.writeHead(400).end()), problems)
  for (let i = 0; i < 2; i++) await expect(to.deliver([event(TRACE)])).rejects.toThrow()
  expect(problems).toHaveLength(1)
  expect(problems[0]).toMatch(/^OTLP export: .*; spans are dropped$/)
  const silent = sink(await collector(() => {}), problems, 200)
  const startMs = performance.now()
  await expect(silent.deliver([event(TRACE)])).rejects.toThrow()
  expect(performance.now() - startMs).toBeLessThan(5_000)
})
