// What a request's head must be: one Host, one version, one key, one target; and what it tells the provider.
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { ask, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, bodyOf } from '../support/upstream.ts'

function raw(gateway: RunningGateway, text: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(gateway.port, '127.0.0.1', () => socket.write(text))
    atEnd(async () => void socket.destroy())
    let answer = ''
    socket.setEncoding('latin1').on('data', (part: string) => {
      answer += part
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(answer))
  })
}

async function place(settings: Record<string, unknown> = {}) {
  const asked: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[] = []
  const provider = await upstream(async (request, response) => {
    await bodyOf(request)
    asked.push({ url: request.url, headers: request.headers })
    response.setHeader('set-cookie', 'a=b').setHeader('openai-organization', 'own').setHeader('x-kt-cache', 'hit')
    answerJson(response, {})
  })
  return { gateway: await gatewayBefore(provider.url, settings), asked }
}

const GET = 'GET /v1/models HTTP/1.1\r\nconnection: close\r\n'

test.each([
  ['two Hosts', `${GET}host: a\r\nhost: a\r\n\r\n`, 400],
  ['a Host that is none', `${GET}host: a/b@c\r\n\r\n`, 400],
  ['a target of another host', `GET http://b/v1/models HTTP/1.1\r\nconnection: close\r\nhost: a\r\n\r\n`, 400],
  ['a fragment', `GET /v1/models#x HTTP/1.1\r\nconnection: close\r\nhost: a\r\n\r\n`, 400],
  ['two authorizations', `${GET}host: a\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n`, 400],
  ['HTTP/2.0 in the line', 'GET /v1/models HTTP/2.0\r\nhost: a\r\nconnection: close\r\n\r\n', 505],
  ['another coding', `${GET}host: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, 501],
  ['a tunnel', 'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n', 405],
  ['a page of another site', `${GET}host: a\r\nsec-fetch-site: cross-site\r\n\r\n`, 403],
  ['a page of another origin', `${GET}host: 127.0.0.1:1\r\norigin: https://evil.example\r\n\r\n`, 403],
  ['a public name', `${GET}host: rebind.example\r\n\r\n`, 403],
])('%s is refused, and goes nowhere', async (_, text, status) => {
  const { gateway, asked } = await place()
  expect(await raw(gateway, text)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(asked).toEqual([])
})

test.each([
  ['the absolute form', 'GET http://a/v1/models?x=1 HTTP/1.1\r\nconnection: close\r\nhost: a\r\n\r\n'],
  ['a name of the local network', `${GET}host: gateway:41002\r\n\r\n`],
  ['a page of its own origin', `${GET}host: localhost:1\r\norigin: http://localhost:1\r\n\r\n`],
])('%s is served', async (_, text) => {
  const { gateway, asked } = await place()
  expect(await raw(gateway, text)).toMatch(/^HTTP\/1\.1 200 /)
  expect(asked[0]?.url).toMatch(/^\/v1\/models/)
})

test('with keys a public name is served: a page has no key', async () => {
  const { gateway } = await place({ auth: { keys: [{ key: 'k', tenant: 't' }] } })
  const answer = await raw(gateway, `${GET}host: kt.example\r\nauthorization: Bearer k\r\n\r\n`)
  expect(answer).toMatch(/^HTTP\/1\.1 200 /)
})

test('a client that waits to send its body is told to only where the body is wanted', async () => {
  const { gateway, asked } = await place({ limits: { max_body: '1KB' } })
  const head = 'POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nconnection: close\r\nexpect: 100-continue\r\n'
  expect(await raw(gateway, `${head}content-length: 9999\r\n\r\n`)).toMatch(/^HTTP\/1\.1 413 /)
  expect(await raw(gateway, `${head}content-length: 2\r\n\r\n{}`)).toMatch(/^HTTP\/1\.1 100 .*HTTP\/1\.1 200 /s)
  expect(asked).toHaveLength(1)
})

test('what a browser or proxy said to the gateway does not pass, nor what is the provider’s account’s', async () => {
  const { gateway, asked } = await place()
  const headers = {
    ...{ cookie: 'a=b', 'x-forwarded-for': '1.2.3.4', 'x-original-url': '/admin', 'x-http-method-override': 'DELETE' },
    ...{ 'x-own': 'stays', __proto__x: 'stays', constructor: 'stays' },
  }
  const answer = await post(gateway, { model: 'm' }, { headers })
  for (const name of ['cookie', 'x-forwarded-for', 'x-original-url', 'x-http-method-override']) {
    expect(asked[0]?.headers).not.toHaveProperty(name)
  }
  expect(asked[0]?.headers).toMatchObject({ 'x-own': 'stays', constructor: 'stays' })
  expect(asked[0]?.headers.via).toMatch(/^1\.1 kt-gateway-\w{12}$/)
  for (const name of ['set-cookie', 'openai-organization', 'x-kt-cache']) {
    expect(answer.message.headers).not.toHaveProperty(name)
  }
})

test('a base_url that leads back is a loop, which one request shows', async () => {
  // A door whose address is known before the gateway is.
  let port = 0
  const door = createServer((request, response) => {
    ask(`http://127.0.0.1:${port}${request.url}`, { headers: { via: request.headers.via ?? '' } }).then((answer) =>
      response.writeHead(answer.status).end(answer.body),
    )
  })
  await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve))
  atEnd(async () => void door.close())
  const address = door.address()
  const gateway = await gatewayBefore(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/v1`)
  port = gateway.port
  const answer = await ask(`${gateway.url}/v1/models`)
  expect([answer.status, errorOf(answer).code]).toEqual([508, 'loop'])
})
