// The config alone decides where requests go: nothing that a client or a provider sends leads anywhere else.
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { ask, atEnd, gatewayBefore, upstream } from '../support/harness.ts'
import { answerJson } from '../support/upstream.ts'

/** A provider, a server that must not be reached, and the requests of each. */
async function places(redirect = false) {
  const asked = { provider: [] as string[], other: [] as string[] }
  const other = await upstream((request, response) => {
    asked.other.push(request.url ?? '')
    answerJson(response, { secret: true })
  })
  const provider = await upstream((request, response) => {
    asked.provider.push(`${request.headers.host}${request.url}`)
    if (redirect) response.writeHead(307, { location: `${other.url}/models` }).end()
    else answerJson(response, {})
  })
  return { gateway: await gatewayBefore(provider.url), asked, provider, other }
}

test('request targets that name another server are refused, and no server is asked', async () => {
  const { gateway, asked, other } = await places()
  const elsewhere = new URL(other.url).host
  const targets = [
    `//${elsewhere}/v1/models`,
    `\\\\${elsewhere}/v1/models`,
    `@${elsewhere}/v1/models`,
    `/v1@${elsewhere}/models`,
    `/v1/..//${elsewhere}`,
    `/v1/%2e%2e/%2e%2e//${elsewhere}`,
    '*',
  ]
  for (const target of targets) {
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () =>
        socket.write(`GET ${target} HTTP/1.1\r\nhost: ${elsewhere}\r\nconnection: close\r\n\r\n`),
      )
      atEnd(async () => void socket.destroy())
      let text = ''
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      socket.on('close', () => resolve(text))
    })
    expect(answer, target).toMatch(/^HTTP\/1\.1 40[04] /)
  }
  const tunnel = connect(gateway.port, '127.0.0.1')
  tunnel.write(`CONNECT ${elsewhere} HTTP/1.1\r\nhost: ${elsewhere}\r\n\r\n`)
  await new Promise((resolve) => tunnel.once('close', resolve).resume())
  expect(asked).toEqual({ provider: [], other: [] })
})

test('whatever Host a client sends, the provider receives its own', async () => {
  const { gateway, asked, provider, other } = await places()
  const forwarded = { 'x-forwarded-host': new URL(other.url).host, forwarded: `host=${new URL(other.url).host}` }
  for (const path of [`/v1/models?url=${other.url}`, '/v1/models//x', `/v1/models/${encodeURIComponent(other.url)}`]) {
    const answer = await ask(`${gateway.url}${path}`, { headers: { host: new URL(other.url).host, ...forwarded } })
    expect(answer.status).toBe(200)
  }
  expect(asked.other).toEqual([])
  expect(asked.provider).toHaveLength(3)
  for (const one of asked.provider) expect(one.startsWith(new URL(provider.url).host)).toBe(true)
})

test('a redirect passes to the client', async () => {
  const { gateway, asked, other } = await places(true)
  const answer = await ask(`${gateway.url}/v1/models`)
  expect([answer.status, answer.message.headers.location]).toEqual([307, `${other.url}/models`])
  expect(asked.other).toEqual([])
})
