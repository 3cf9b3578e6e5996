import { expect, test } from 'vitest'
import { ask, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf } from '../support/upstream.ts'

test('a body goes upstream byte for byte, and the answer comes back with the gateway’s timings', async () => {
  const text = '{ "model":"gpt-4o", "messages":[{"role":"user","content":"Grüße 🚀"}] }'
  let received = ''
  const provider = await upstream(async (request, response) => {
    received = `${request.method} ${request.url} ${await bodyOf(request)}`
    response.setHeader('server-timing', 'kt-provider;dur=1.5')
    answerJson(response, { id: 'x' })
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await ask(`${gateway.url}/v1/chat/completions?a=b`, { method: 'POST' }, text)
  expect(received).toBe(`POST /v1/chat/completions?a=b ${text}`)
  expect(answer.status).toBe(200)
  expect(answer.body.toString()).toBe('{"id":"x"}')
  const timing = String(answer.message.headers['server-timing'])
  expect(timing).toMatch(/^kt-provider;dur=1.5, /)
  const parts = timing.split(', ').map((part) => /^([\w-]+);dur=[\d.]+$/.exec(part)?.[1])
  expect(parts).toEqual(['kt-provider', 'kt-routing', 'kt-acquire', 'kt-upstream', 'kt-overhead'])
  expect(timing).toContain(`kt-overhead;dur=${answer.message.headers['x-kt-overhead-ms']}`)
})

test('an injected delay is its own component and part of the overhead, never shorter than asked', async () => {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await gatewayBefore(provider.url, {}, { injectDelayMs: 15.5 })
  const { message } = await post(gateway, { model: 'm' })
  const injectMs = Number(/kt-inject;dur=([\d.]+)/.exec(String(message.headers['server-timing']))?.[1])
  expect(injectMs).toBeGreaterThanOrEqual(15.5)
  expect(Number(message.headers['x-kt-overhead-ms'])).toBeGreaterThanOrEqual(injectMs)
})

test('waiting for the upstream is not overhead, whether the answer is whole or chunked', async () => {
  const provider = await upstream((request, response) => {
    const chunked = request.headers['x-chunked'] === 'yes'
    setTimeout(() => {
      if (!chunked) return answerJson(response, {})
      response.write('data: 1\n\n')
      setTimeout(() => response.end('data: 2\n\n'), 100)
    }, 100)
  })
  const gateway = await gatewayBefore(provider.url)
  for (const chunked of ['no', 'yes']) {
    const { message } = await post(gateway, { model: 'm' }, { headers: { 'x-chunked': chunked } })
    const last = String(message.trailers['server-timing'] ?? message.headers['server-timing'])
    const upstreamMs = Number(/kt-upstream;dur=([\d.]+)/.exec(last)?.[1])
    expect(upstreamMs).toBeGreaterThan(chunked === 'yes' ? 180 : 90)
    expect(Number(/kt-overhead;dur=([\d.]+)/.exec(last)?.[1])).toBeLessThan(90)
  }
})

test('the final figures of a chunked answer come as a trailer, after the upstream’s own', async () => {
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', trailer: 'Server-Timing, X-Sum' })
    response.write('data: 1\n\n')
    response.addTrailers({ 'Server-Timing': 'kt-provider;dur=7', 'X-Sum': 'abc' })
    response.end()
  })
  const gateway = await gatewayBefore(provider.url)
  const { message } = await post(gateway, { model: 'm' })
  expect(message.trailers['server-timing']).toMatch(/^kt-provider;dur=7, kt-routing;.*kt-overhead;dur=/)
  expect(message.trailers['x-sum']).toBe('abc')
  expect(message.headers['server-timing']).toMatch(/^kt-routing;.*kt-overhead;dur=/)
})

test('statuses and errors of the provider pass unchanged', async () => {
  const provider = await upstream((_request, response) => {
    response.setHeader('retry-after', '7')
    answerJson(response, { error: { message: 'slow down' } }, 429)
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await post(gateway, { model: 'm' })
  expect(answer.status).toBe(429)
  expect(answer.message.headers['retry-after']).toBe('7')
  expect(JSON.parse(answer.body.toString())).toEqual({ error: { message: 'slow down' } })
})

test('answers without a body pass: 204, 304, HEAD', async () => {
  const provider = await upstream((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 5 }).end()
    else response.writeHead(request.method === 'DELETE' ? 204 : 304).end()
  })
  const gateway = await gatewayBefore(provider.url)
  expect((await ask(`${gateway.url}/v1/files/f`, { method: 'DELETE' })).status).toBe(204)
  expect((await ask(`${gateway.url}/v1/files/f`)).status).toBe(304)
  const head = await ask(`${gateway.url}/v1/models`, { method: 'HEAD' })
  expect(head.message.headers['content-length']).toBe('5')
})

test('a large answer of known length is passed on as it comes, with its length', async () => {
  const payload = Buffer.alloc(3_000_000, 'abcdefg')
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-length': payload.length }).end(payload)
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await post(gateway, { model: 'm' })
  expect(answer.message.headers['content-length']).toBe(String(payload.length))
  expect(answer.body.equals(payload)).toBe(true)
})

test('routing: exact before prefix before *; no model: the first provider; unknown model: 404', async () => {
  const [a, b, c] = await Promise.all(
    ['a', 'b', 'c'].map((name) => upstream((_request, response) => answerJson(response, { name }))),
  )
  const of = (name: string, url: string | undefined, models: string[]) => ({ name, base_url: url, models })
  const providers = [of('a', a?.url, ['gpt-*']), of('b', b?.url, ['gpt-4o-mini', 'gpt-4*']), of('c', c?.url, ['o1'])]
  const gateway = await gatewayBefore('http://unused/', { providers })
  const served = async (model: string) => JSON.parse((await post(gateway, { model })).body.toString()).name
  expect(await served('gpt-3.5')).toBe('a')
  expect(await served('gpt-4o')).toBe('b')
  expect(await served('gpt-4o-mini')).toBe('b')
  expect(await served('o1')).toBe('c')
  expect(JSON.parse((await ask(`${gateway.url}/v1/models`)).body.toString()).name).toBe('a')
  const unknown = await post(gateway, { model: 'o1-mini' })
  expect(unknown.status).toBe(404)
  expect(JSON.parse(unknown.body.toString()).error.code).toBe('model_not_found')
})
