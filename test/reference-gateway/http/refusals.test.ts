import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { ask, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

async function gatewayThatAsksNobody(): Promise<RunningGateway> {
  const provider = await upstream((_request, response) => answerJson(response, {}))
  return gatewayBefore(provider.url)
}

test.each([
  ['{"model":', 'invalid_json'],
  ['[1]', 'invalid_json'],
  ['"text"', 'invalid_json'],
  ['{"model":7}', 'invalid_model'],
  [Buffer.from([0x7b, 0xff, 0x7d]), 'invalid_utf8'],
])('the body %j is refused with 400 %s', async (body, code) => {
  const gateway = await gatewayThatAsksNobody()
  const answer = await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST' }, body)
  expect(answer.status).toBe(400)
  expect(errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code, param: null })
})

test('a body above 10 MiB is refused with 413, announced or not', async () => {
  const gateway = await gatewayThatAsksNobody()
  const large = Buffer.alloc(11 * 1024 * 1024, ' ')
  for (const headers of [{ 'content-length': large.length }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await ask(`${gateway.url}/v1/chat/completions`, { method: 'POST', headers }, large)
    expect(answer.status).toBe(413)
    expect(errorOf(answer).code).toBe('body_too_large')
  }
})

test('a compressed request body is refused, a form passes unread', async () => {
  const gateway = await gatewayThatAsksNobody()
  const send = (headers: Record<string, string>) =>
    ask(`${gateway.url}/v1/audio/transcriptions`, { method: 'POST', headers }, 'not json')
  expect((await send({ 'content-encoding': 'gzip' })).status).toBe(415)
  expect((await send({ 'content-type': 'multipart/form-data; boundary=x' })).status).toBe(200)
})

test('unknown paths, methods and dot segments are refused', async () => {
  const gateway = await gatewayThatAsksNobody()
  const status = async (path: string, method = 'GET') => (await ask(gateway.url, { method, path })).status
  expect(await status('/')).toBe(404)
  expect(await status('/v2/models')).toBe(404)
  expect(await status('/v1/models', 'PATCH')).toBe(405)
  for (const path of ['/v1/../admin', '/v1/%2e%2e/admin', '/v1/a%2F..%2f..', '/v1/./x', '/v1/..']) {
    expect(await status(path)).toBe(400)
  }
  expect(await status('/v1/models/gpt-4.1..x?q=../..')).toBe(200)
})

test('hop-by-hop headers stay on their connection, in both directions; the rest passes', async () => {
  let seen: NodeJS.Dict<string | string[]> = {}
  const provider = await upstream((request, response) => {
    seen = request.headers
    const body = Buffer.from('{}')
    response.writeHead(200, [
      ...['connection', 'keep-alive, x-private', 'x-private', 'p', 'proxy-authenticate', 'Basic'],
      ...['x-part', 'a=1', 'x-part', 'b=2', 'x-request-id', 'r1', 'content-length', String(body.length)],
    ])
    response.end(body)
  })
  const gateway = await gatewayBefore(provider.url)
  const headers = {
    connection: 'close, X-Secret',
    'x-secret': 's',
    te: 'trailers',
    'proxy-authorization': 'Basic x',
    'keep-alive': 'timeout=9',
    expect: '100-continue',
    authorization: 'Bearer client',
    'x-custom': 'kept',
  }
  const { message } = await post(gateway, { model: 'm' }, { headers })
  expect(seen).toMatchObject({ authorization: 'Bearer client', 'x-custom': 'kept', connection: 'keep-alive' })
  expect(seen.host).toBe(new URL(provider.url).host)
  for (const name of ['x-secret', 'te', 'proxy-authorization', 'keep-alive', 'expect'])
    expect(seen[name]).toBeUndefined()
  expect(message.headers['x-part']).toBe('a=1, b=2')
  expect(message.headers['x-request-id']).toBe('r1')
  expect(message.headers['x-private']).toBeUndefined()
  expect(message.headers['proxy-authenticate']).toBeUndefined()
})

test('a configured key replaces the client’s authorization', async () => {
  let seen: string | undefined
  const provider = await upstream((request, response) => {
    seen = request.headers.authorization
    answerJson(response, {})
  })
  const gateway = await gatewayBefore('', {
    providers: [{ name: 'openai', base_url: provider.url, api_key: 'sk-of-the-gateway' }],
  })
  await post(gateway, { model: 'm' }, { headers: { authorization: 'Bearer client' } })
  expect(seen).toBe('Bearer sk-of-the-gateway')
})

test('a provider that refuses, resets, or does not speak HTTP: 502', async () => {
  const refusing = await gatewayBefore('http://127.0.0.1:1/v1')
  const resetting = await upstream((request) => request.socket.resetAndDestroy())
  const short = await upstream((_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{', () => response.socket?.destroy())
  })
  const garbage = createServer((socket) => socket.on('error', () => {}).end('220 mail ready\r\n'))
  garbage.listen(0, '127.0.0.1')
  await new Promise((resolve) => garbage.once('listening', resolve))
  atEnd(async () => void garbage.close())
  const mail = `http://127.0.0.1:${(garbage.address() as AddressInfo).port}`
  const gateways = [refusing, ...(await Promise.all([resetting.url, short.url, mail].map((url) => gatewayBefore(url))))]
  for (const gateway of gateways) {
    const answer = await post(gateway, { model: 'm' })
    expect(answer.status).toBe(502)
    expect(errorOf(answer)).toMatchObject({ type: 'api_error', code: 'upstream_failed' })
    expect(gateway.poolStats().busy).toBe(0)
  }
})

test('a provider that does not answer in time: 504; one that stops in the middle of a stream: broken off', async () => {
  const provider = await upstream((request, response) => {
    if (request.headers['x-start']) response.writeHead(200).write('data: 1\n\n')
  })
  const gateway = await gatewayBefore(provider.url, {
    upstream: { response_timeout: '100ms', body_idle_timeout: '100ms' },
  })
  const silent = await post(gateway, { model: 'm' })
  expect(silent.status).toBe(504)
  expect(errorOf(silent).code).toBe('upstream_timeout')
  const stopped = await post(gateway, { model: 'm' }, { headers: { 'x-start': 'yes' } })
  expect(stopped.broken).toBe(true)
})

test('two lengths for one body are refused and never reach the provider', async () => {
  let asked = 0
  const provider = await upstream((_request, response) => {
    asked++
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url)
  const text = await new Promise<string>((resolve) => {
    const socket = connect(gateway.port, '127.0.0.1')
    socket.setEncoding('utf8').once('data', (part: string) => resolve(part))
    socket.write(
      'POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n' +
        'content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    )
  })
  expect(text).toMatch(/^HTTP\/1.1 400 /)
  expect(asked).toBe(0)
})
