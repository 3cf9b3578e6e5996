// Connections that the provider closes while they are idle, and requests that wait for a connection.
import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { until } from '../../support/waits.ts'
import { ask, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { wait } from '../support/upstream.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

/** A provider that serves one request on each connection, and closes when the second one comes. */
async function closing(second: 'close' | 'reset' | 'later') {
  const seen = { requests: 0, connections: 0 }
  const server = createServer((socket) => {
    seen.connections++
    let own = 0
    socket.on('error', () => {})
    socket.on('data', () => {
      seen.requests++
      if (++own === 1) socket.write(OK)
      else if (second === 'close') socket.end()
      else if (second === 'reset') socket.resetAndDestroy()
      else setTimeout(() => socket.end(), 1_500)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => void server.close())
  const address = server.address()
  return { seen, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1` }
}

test.each(['close', 'reset'] as const)(
  'a request that meets a connection closed idle (%s) is asked again',
  async (how) => {
    const { seen, url } = await closing(how)
    const gateway = await gatewayBefore(url)
    expect((await post(gateway, {})).status).toBe(200)
    expect((await post(gateway, {})).status).toBe(200)
    expect(seen).toEqual({ requests: 3, connections: 2 })
  },
)

test('a provider that had time to read the request is not asked again', async () => {
  const { seen, url } = await closing('later')
  const gateway = await gatewayBefore(url)
  await post(gateway, {})
  const answer = await post(gateway, {})
  expect([answer.status, errorOf(answer).code]).toEqual([502, 'upstream_failed'])
  expect(seen.requests).toBe(2)
})

test('a new connection that fails is not asked again', async () => {
  let asked = 0
  const provider = await upstream((request) => {
    asked++
    request.socket.destroy()
  })
  expect((await post(await gatewayBefore(provider.url), {})).status).toBe(502)
  expect(asked).toBe(1)
})

test('waiting for a connection has a limit, and shows in readyz', async () => {
  const provider = await upstream(() => {})
  const pool = { max_total: 1, max_wait: '600ms' }
  const gateway = await gatewayBefore(provider.url, { connection_pool: pool })
  void post(gateway, {}).catch(() => {})
  await until(() => gateway.poolStats().busy === 1)
  const waiting = post(gateway, {})
  await wait(450)
  const ready = await ask(`${gateway.url}/readyz`)
  expect([ready.status, JSON.parse(ready.body.toString()).reason]).toEqual([503, expect.stringContaining('waited')])
  const answer = await waiting
  expect([answer.status, errorOf(answer).code]).toEqual([503, 'no_connection'])
  expect(gateway.poolStats().waiting).toBe(0)
})
