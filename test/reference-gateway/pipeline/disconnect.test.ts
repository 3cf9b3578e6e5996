import { type ClientRequest, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { until } from '../../support/waits.ts'
import { gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, wait } from '../support/upstream.ts'

function start(gateway: RunningGateway, headers: Record<string, string> = {}): ClientRequest {
  const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false, headers })
  request.on('error', () => {})
  request.end('{"model":"m"}')
  return request
}

test('a client that leaves before the response cancels the upstream request', async () => {
  let asked = 0
  let gone = 0
  const provider = await upstream((_request, response) => {
    asked++
    response.once('close', () => gone++)
  })
  const gateway = await gatewayBefore(provider.url)
  const request = start(gateway)
  await until(() => asked === 1)
  request.destroy()
  await until(() => gone === 1)
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().recycled).toMatchObject({ aborted: 1, error: 0 })
})

test.each(['a stream', 'a long answer of known length', 'a short answer of known length'])(
  'a client that leaves in the middle of %s takes the upstream request with it',
  async (kind) => {
    let gone = 0
    let started = 0
    const provider = await upstream((_request, response) => {
      response.once('close', () => gone++)
      const size = { 'a stream': undefined, 'a long answer of known length': 1_000_000 }[kind]
      if (kind === 'a stream') response.writeHead(200, { 'content-type': 'text/event-stream' })
      else response.writeHead(200, { 'content-length': size ?? 1_000 })
      response.write('data: 1\n\n', () => started++)
    })
    const gateway = await gatewayBefore(provider.url)
    const request = start(gateway)
    if (kind === 'a short answer of known length') await until(() => started === 1)
    else await new Promise((resolve) => request.once('response', (message) => message.once('data', resolve)))
    request.destroy()
    await until(() => gone === 1)
    await until(() => gateway.poolStats().open === 0)
    expect(gateway.poolStats().recycled.aborted).toBe(1)
  },
)

test('a client that leaves the queue for a connection is never sent upstream', async () => {
  const asked: string[] = []
  let finishFirst: (() => void) | undefined
  const provider = await upstream((request, response) => {
    asked.push(String(request.headers['x-name']))
    if (asked.length === 1) finishFirst = () => answerJson(response, {})
    else answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url, { connection_pool: { max_total: 1 } })
  start(gateway, { 'x-name': 'first' })
  await until(() => asked.length === 1)
  const leaving = start(gateway, { 'x-name': 'leaving' })
  await until(() => gateway.poolStats().waiting === 1)
  leaving.destroy()
  await until(() => gateway.poolStats().waiting === 0)
  finishFirst?.()
  await post(gateway, { model: 'm' }, { headers: { 'x-name': 'last' } })
  expect(asked).toEqual(['first', 'last'])
})

test('a client that leaves during an injected delay is never sent upstream', async () => {
  let asked = 0
  const provider = await upstream((_request, response) => {
    asked++
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url, {}, { injectDelayMs: 100 })
  const leaving = start(gateway)
  await wait(40)
  leaving.destroy()
  await post(gateway, { model: 'm' })
  expect(asked).toBe(1)
})

test('a client that leaves while its connection is being opened gives the slot back', async () => {
  // An address that accepts nothing: it is reserved for documentation and leads nowhere, or is refused at once.
  const gateway = await gatewayBefore('http://192.0.2.1:9/v1')
  const request = start(gateway)
  await wait(50)
  request.destroy()
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().busy).toBe(0)
})

test('a client that leaves before its body is complete is never sent upstream', async () => {
  let asked = 0
  const provider = await upstream((_request, response) => {
    asked++
    answerJson(response, {})
  })
  const gateway = await gatewayBefore(provider.url)
  const socket = connect(gateway.port, '127.0.0.1')
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":')
  await wait(50)
  socket.destroy()
  await post(gateway, { model: 'm' })
  expect(asked).toBe(1)
})
