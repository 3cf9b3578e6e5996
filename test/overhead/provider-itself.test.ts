// What is the provider itself, and what only looks like it: a gateway that passes every path on.
import { createServer, request, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isProviderItself } from '../../src/overhead/provider-records.ts'
import { quickProvider } from '../support/provider.ts'

let provider: Awaited<ReturnType<typeof quickProvider>>
const open: { close(): unknown }[] = []

beforeAll(async () => {
  provider = await quickProvider()
})

afterAll(async () => {
  for (const one of open) one.close()
  await provider.close()
})

async function listening(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('the provider, asked directly', async () => {
  expect(await isProviderItself(provider.url)).toBe(true)
})

test('a proxy that passes every path on is not', async () => {
  const proxy = createServer((asked, answer) => {
    const onward = request(`${provider.url}${asked.url}`, { method: asked.method ?? 'GET' }, (reply) => {
      answer.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(answer)
    })
    asked.pipe(onward)
  })
  const url = await listening(proxy)
  expect((await fetch(`${url}/__kt/stats`)).status).toBe(200)
  expect(await isProviderItself(url)).toBe(false)
})

test('nor is a proxy of connections, a server of another kind, or nobody', async () => {
  const { port } = new URL(provider.url)
  const relay = createTcpServer((client) => {
    const onward = connect(Number(port), '127.0.0.1')
    client.pipe(onward).pipe(client)
    for (const side of [client, onward]) side.on('error', () => {})
  })
  expect(await isProviderItself(await listening(relay))).toBe(false)
  expect(await isProviderItself(await listening(createServer((_, answer) => answer.end('{}'))))).toBe(false)
  expect(await isProviderItself('http://127.0.0.1:9')).toBe(false)
})
