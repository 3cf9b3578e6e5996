// kt doctor asks a gateway by any API, over any way there: what streams show is told of every API that has them, and
// what an API cannot show is said.
import { createServer, request } from 'node:http'
import { type AddressInfo, connect, createServer as createSocketServer, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { diagnose } from '../../src/doctor/doctor.ts'
import { parseDoctorOptions } from '../../src/doctor/options.ts'
import { selfSigned } from '../../src/provider/certificate.ts'
import type { SimulatedProvider } from '../../src/provider/server.ts'
import type { DoctorResult } from '../../src/report/doctor-schema.ts'
import { quickProvider } from '../support/provider.ts'
import { tempDir } from '../support/temp-dir.ts'
import { type BadGateway, badGateway } from './bad-gateway.ts'

let provider: SimulatedProvider
let gateway: BadGateway
const dir = tempDir()
const open: Server[] = []

beforeAll(async () => {
  provider = await quickProvider({ ttftMs: 5, gapMs: 2 })
  gateway = await badGateway(provider, {})
})
afterAll(async () => {
  for (const server of open) server.close()
  await gateway.close()
  await provider.close(0)
  dir.remove()
})

async function examined(flags: Record<string, unknown>): Promise<{ result: DoctorResult; notes: string[] }> {
  const notes: string[] = []
  const hooks = { note: (line: string) => notes.push(line), interrupt: new AbortController().signal }
  const { result } = await diagnose(parseDoctorOptions(flags), hooks)
  return { result, notes }
}

/** What is found at warning or above, but for the cache, which these gateways have not. */
const faults = ({ rules }: DoctorResult): string[] =>
  rules
    .filter(({ severity, rule }) => severity !== null && severity !== 'info' && rule !== 'cache-disabled')
    .map(({ rule }) => rule)
    .sort()

/** Why a rule could not be checked by the measurement. */
const untold = ({ rules }: DoctorResult, id: string): string[] =>
  rules
    .filter(({ rule }) => rule === id)
    .flatMap(({ opinions }) => opinions.flatMap((one) => (one.status === 'not-checked' ? [one.why] : [])))

describe('a gateway that passes everything on', () => {
  it.each(['completions', 'responses', 'gemini'])('has no fault by %s, and its streams are seen', async (endpoint) => {
    const { result } = await examined({ url: gateway.url, 'provider-url': provider.url, endpoint })
    expect(result.measured).toMatchObject({ endpoint, failure: null })
    expect(faults(result)).toEqual([])
    for (const rule of ['fake-streaming', 'lost-events', 'missing-usage', 'missing-done', 'disconnect-ignored']) {
      expect(untold(result, rule), rule).toEqual([])
    }
  })

  it.each(['embeddings', 'rerank'])('is asked by %s, and what its answers cannot show is said', async (endpoint) => {
    const { result } = await examined({ url: gateway.url, 'provider-url': provider.url, endpoint })
    expect(result.measured).toMatchObject({ endpoint, failure: null, requests: 25 })
    expect(faults(result)).toEqual([])
    for (const rule of ['fake-streaming', 'delayed-ack', 'disconnect-ignored', 'synchronous-events']) {
      expect(untold(result, rule), rule).toEqual([`answers of ${endpoint} are never streamed`])
    }
    expect(JSON.stringify(result)).toContain('one request, sent twice: the provider was asked twice')
  })
})

it('the faults of a gateway are found by Messages too', async () => {
  const bad = await badGateway(provider, { sleepsFirstMs: 25, ignoresLeaving: true, sharesCache: true })
  const { result } = await examined({ url: bad.url, 'provider-url': provider.url, endpoint: 'messages' })
  await bad.close()
  expect(faults(result)).toEqual(['disconnect-ignored', 'fixed-timer-ttft', 'shared-cache'])
})

async function listening(server: Server, at: string | number = 0): Promise<number> {
  open.push(server)
  await new Promise<void>((resolve) => server.listen(at, resolve))
  return typeof at === 'string' ? 0 : (server.address() as AddressInfo).port
}

/** On to the gateway, byte by byte. */
const toGateway = (): ReturnType<typeof connect> => connect(Number(new URL(gateway.url).port), '127.0.0.1')

describe('the way to the gateway', () => {
  it('is one of mutual TLS, by a certificate of its own, at an address that --resolve gives', async () => {
    const [ours, client] = [selfSigned('gateway.test'), selfSigned('client.test')]
    const demands = { ...ours, requestCert: true, rejectUnauthorized: true, ca: client.cert }
    const port = await listening(
      createTlsServer(demands, (socket) => {
        socket
          .on('error', () => {})
          .pipe(toGateway().on('error', () => {}))
          .pipe(socket)
      }),
    )
    const way = { url: `https://gateway.test:${port}`, resolve: [`gateway.test:${port}:127.0.0.1`] }
    const trusting = { ...way, endpoint: 'embeddings', ca: dir.write('ca.pem', ours.cert) }
    const shown = { cert: dir.write('c.pem', client.cert), key: dir.write('k.pem', client.key) }
    const { result, notes } = await examined({ ...trusting, ...shown })
    expect(result.measured?.failure).toBeNull()
    expect(notes.join('\n')).toContain(`gateway.test:${port} is reached at 127.0.0.1 (--resolve)`)
    const unknown = await examined(trusting)
    expect(unknown.result.measured?.failure).toContain('KT_CLIENT_CERT')
  })

  it('is a unix socket', async () => {
    const path = dir.file('gateway.sock')
    await listening(
      createSocketServer((socket) => {
        socket
          .on('error', () => {})
          .pipe(toGateway().on('error', () => {}))
          .pipe(socket)
      }),
      path,
    )
    const { result } = await examined({ url: 'http://gateway.test', endpoint: 'embeddings', 'unix-socket': path })
    expect(result.measured?.failure).toBeNull()
  })

  it('is a proxy, whose password no text shows', async () => {
    const asked: (string | undefined)[] = []
    const proxy = createServer((incoming, response) => {
      asked.push(incoming.headers['proxy-authorization'])
      const { pathname } = new URL(incoming.url ?? '')
      const up = request(gateway.url + pathname, { method: 'POST', headers: incoming.headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      incoming.pipe(up)
    })
    const port = await listening(proxy)
    const through = { proxy: `http://me:secret@127.0.0.1:${port}`, endpoint: 'embeddings' }
    const { result, notes } = await examined({ url: 'http://gateway.test', ...through })
    expect(result.measured?.failure).toBeNull()
    expect(asked[0]).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`)
    expect(notes).toEqual([`gateway.test is reached through the proxy 127.0.0.1:${port} (--proxy).`])
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

it.each<[string, Record<string, unknown>, RegExp]>([
  ['a key in the clear', { url: 'http://10.0.0.1', 'api-key': 'sk-1' }, /in the clear/],
  ['a certificate that nobody asks for', { url: 'http://10.0.0.1', cert: 'c.pem' }, /--cert goes with an https/],
  ['trust where nothing is encrypted', { url: 'http://10.0.0.1', insecure: true }, /--insecure goes with an https/],
  ['an address of nobody', { config: 'reference-gateway/gateway.yaml', resolve: ['a.test:1:::1'] }, /no target of the/],
  ['a socket and a proxy', { url: 'http://a.test', 'unix-socket': 's', proxy: 'p:1' }, /exclude each other/],
  ['an API that kt builds no request of', { url: 'http://a.test', endpoint: 'raw' }, /'raw' is none of chat/],
])('refuses %s', async (_, flags, why) => {
  await expect(examined(flags)).rejects.toThrow(why)
})
