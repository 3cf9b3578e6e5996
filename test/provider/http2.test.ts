import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import { connect as connectTls, createSecureContext } from 'node:tls'
import { Agent, fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../../src/provider/certificate.ts'
import { answerText } from '../../src/provider/text.ts'
import { parseStamp } from '../../src/wire/stamp.ts'
import { until } from '../support/waits.ts'
import { post2, raw1, session2 } from './http-client.ts'
import {
  ANTHROPIC,
  chatBody,
  chatWith,
  contentsWith,
  fixedLatency,
  messagesWith,
  nonce,
  postChat,
  provider,
  truthOf,
  watched,
} from './support.ts'

const CHAT = '/v1/chat/completions'
const http2 = { maxConcurrentStreams: 10 }

test('every endpoint answers over HTTP/2, whole and streamed, as over HTTP/1.1', async () => {
  const target = await provider({ http2 })
  const session = await session2(target.url)
  const whole = await post2(session, CHAT, chatWith(nonce(1)))
  expect(whole).toMatchObject({ status: 200, ended: 'end' })
  const answer = JSON.parse(whole.body) as { system_fingerprint: string }
  expect(parseStamp(answer.system_fingerprint)).toMatchObject({ nonce: nonce(1), attempt: 1 })
  expect(whole.headers['server-timing']).toMatch(/^kt-provider;dur=/)
  const streams: [string, unknown][] = [
    [CHAT, chatWith(nonce(2), { stream: true })],
    ['/v1/messages', messagesWith(nonce(3), { stream: true })],
    ['/v1beta/models/m:streamGenerateContent?alt=sse', contentsWith(nonce(4))],
    ['/v1/responses', { model: 'm', input: `hi kt${nonce(5)}`, stream: true }],
  ]
  for (const [path, body] of streams) {
    const { status, body: text } = await post2(session, path, body, ANTHROPIC)
    expect(status).toBe(200)
    expect(watched(text)).toMatchObject({ ended: true, error: undefined, garbage: undefined, tokenEvents: 5 })
  }
  const records = await truthOf(target)
  expect(records.map(({ connection }) => connection)).toEqual([1, 1, 1, 1, 1])
})

test('both protocols share a port and are counted apart', async () => {
  const target = await provider({ http2 })
  expect((await postChat(target, chatBody('hi'))).status).toBe(200)
  const session = await session2(target.url)
  expect((await post2(session, CHAT, chatBody('hi'))).status).toBe(200)
  expect((await raw1(target.port, CHAT, chatBody('hi'), answerText(5))).text).toMatch(/^HTTP\/1\.1 200/)
  const { connections } = target.stats()
  expect(connections.http2).toEqual({ opened: 1, open: 1 })
  expect(connections.http1.opened).toBeGreaterThanOrEqual(2)
  session.destroy()
  await until(() => target.stats().connections.http2.open === 0, 'the session closes')
})

test('kt’s own view is there over HTTP/2 as well', async () => {
  const target = await provider({ http2 })
  const session = await session2(target.url)
  await post2(session, CHAT, chatWith(nonce(1)))
  const get = (path: string) => post2(session, path, '', { ':method': 'GET' })
  expect(JSON.parse((await get('/__kt/truth')).body)).toMatchObject({ nonce: nonce(1), status: 200 })
  expect(JSON.parse((await get('/__kt/stats')).body)).toMatchObject({
    requests: 1,
    connections: { http2: { open: 1 } },
  })
  expect(await post2(session, '/__kt/truth', '', { ':method': 'DELETE' })).toMatchObject({ status: 204 })
  expect((await get('/__kt/truth')).body).toBe('')
})

test('a protocol is told from its first bytes, however they come', async () => {
  const target = await provider({ http2 })
  const body = JSON.stringify(chatBody('hi'))
  const socket = connect(target.port, '127.0.0.1')
  onTestFinished(() => {
    socket.destroy()
  })
  socket.setNoDelay()
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk.toString()
  })
  for (const part of [
    'P',
    'O',
    `ST ${CHAT} HTTP/1.1\r\nhost: x\r\n`,
    `content-length: ${body.length}\r\n\r\n${body}`,
  ]) {
    socket.write(part)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until(() => text.includes(answerText(5)), 'the answer')
})

test('refusals come over HTTP/2 too, also while the client is still sending', async () => {
  const target = await provider({ http2, apiKey: 'right' })
  const session = await session2(target.url)
  const key = { authorization: 'Bearer right' }
  expect(await post2(session, CHAT, chatBody('x'.repeat(5_000_000)))).toMatchObject({ status: 401 })
  expect(await post2(session, CHAT, '{', key)).toMatchObject({ status: 400 })
  expect(await post2(session, '/v1/nothing', {}, key)).toMatchObject({ status: 404 })
  expect(await post2(session, CHAT, chatBody('x'.repeat(64 * 2 ** 20)), key)).toMatchObject({ status: 413 })
  expect(await post2(session, CHAT, chatBody('hi'), key)).toMatchObject({ status: 200 })
})

test('a client that resets its stream is noted, and its session lives on', async () => {
  const target = await provider({ http2, latency: fixedLatency(0, 50) })
  const session = await session2(target.url)
  const stream = session.request({ ':method': 'POST', ':path': CHAT })
  stream.on('error', () => undefined)
  stream.end(JSON.stringify(chatWith(nonce(1), { stream: true, max_tokens: 1_000 })))
  await new Promise((resolve) => stream.once('data', resolve))
  stream.close(8)
  await until(() => target.stats().aborted === 1 && target.stats().inFlight === 0, 'the abort is seen')
  expect(await truthOf(target)).toMatchObject([{ aborted: true, status: 200 }])
  expect(await post2(session, CHAT, chatBody('hi', { max_tokens: 1 }))).toMatchObject({ status: 200 })
})

test('a reader that does not read is waited for', async () => {
  const target = await provider({ http2 })
  const session = await session2(target.url)
  const slow = session.request({ ':method': 'POST', ':path': CHAT })
  slow.pause()
  slow.end(JSON.stringify(chatWith(nonce(1), { stream: true, max_tokens: 100_000 })))
  await new Promise((resolve) => slow.once('response', resolve))
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect((await truthOf(target))[0]?.tokens).toBeLessThan(50_000)
  let text = ''
  slow.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-100)
  })
  slow.resume()
  await new Promise((resolve) => slow.once('end', resolve))
  expect(text).toContain('[DONE]')
})

test('the limit of streams is told to clients, and more wait their turn', async () => {
  const target = await provider({ http2: { maxConcurrentStreams: 3 }, latency: fixedLatency(60, 0) })
  const session = await session2(target.url)
  expect(session.remoteSettings.maxConcurrentStreams).toBe(3)
  const answers = Promise.all(Array.from({ length: 7 }, (_, i) => post2(session, CHAT, chatWith(nonce(i)))))
  let most = 0
  const watch = setInterval(() => {
    most = Math.max(most, target.stats().inFlight)
  }, 2)
  expect((await answers).map(({ status }) => status)).toEqual(Array(7).fill(200))
  clearInterval(watch)
  expect(most).toBe(3)
})

test('GOAWAY: on demand and on closing, with what is in flight answered', async () => {
  const target = await provider({ http2, latency: fixedLatency(150, 0) })
  const first = await session2(target.url)
  const told = new Promise((resolve) => first.once('goaway', resolve))
  const answer = post2(first, CHAT, chatWith(nonce(1)))
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  target.goAway()
  expect(await told).toBe(0)
  expect(await answer).toMatchObject({ status: 200, ended: 'end' })
  const second = await session2(target.url)
  const toldAgain = new Promise((resolve) => second.once('goaway', resolve))
  const last = post2(second, CHAT, chatWith(nonce(2)))
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  const closed = target.close()
  expect(await toldAgain).toBe(0)
  expect(await last).toMatchObject({ status: 200, ended: 'end' })
  await closed
})

test('closing does not wait longer than its grace for a session', async () => {
  const target = await provider({ http2, latency: fixedLatency(60_000, 0) })
  const session = await session2(target.url)
  session.on('error', () => undefined)
  const cut = post2(session, CHAT, chatWith(nonce(1)))
  await until(() => target.stats().inFlight === 1, 'the request arrives')
  await target.close(50)
  expect((await cut).status).toBe(0)
})

test.each([
  ['h2c', {}],
  ['TLS', { tls: selfSigned('127.0.0.1') }],
])('closing does not wait for a connection that says nothing (%s)', async (_, options) => {
  const target = await provider({ http2, ...options })
  const socket = connect(target.port, '127.0.0.1')
  const gone = new Promise((resolve) => socket.once('close', resolve))
  await new Promise((resolve) => socket.once('connect', resolve))
  await target.close(100)
  await gone
})

test('TLS with a throw-away certificate: HTTP/2 by ALPN, HTTP/1.1 beside it, trusted where it is named', async () => {
  const tls = selfSigned('127.0.0.1')
  const target = await provider({ http2, tls })
  expect(target.url).toMatch(/^https:/)
  const session = await session2(target.url, { ca: tls.cert })
  expect(session.alpnProtocol).toBe('h2')
  expect(await post2(session, CHAT, chatWith(nonce(1)))).toMatchObject({ status: 200 })
  const dispatcher = new Agent({ allowH2: false, connect: { ca: tls.cert } })
  onTestFinished(() => dispatcher.close())
  const body = JSON.stringify(chatWith(nonce(2), { stream: true }))
  const response = await undiciFetch(target.url + CHAT, { method: 'POST', body, dispatcher })
  expect(watched(await response.text())).toMatchObject({ ended: true, tokenEvents: 5 })
  expect(target.stats().connections).toEqual({ http1: { opened: 1, open: 1 }, http2: { opened: 1, open: 1 } })
  await expect(session2(target.url)).rejects.toThrow(/self-signed/)
})

test('TLS without HTTP/2 speaks HTTP/1.1 alone', async () => {
  const tls = selfSigned('127.0.0.1')
  const target = await provider({ tls })
  const socket = connectTls({ host: '127.0.0.1', port: target.port, ca: tls.cert, ALPNProtocols: ['http/1.1'] })
  onTestFinished(() => {
    socket.destroy()
  })
  await new Promise((resolve) => socket.once('secureConnect', resolve))
  expect(socket.alpnProtocol).toBe('http/1.1')
  await until(() => target.stats().connections.http1.opened === 1, 'the connection is counted')
})

test('faults over TLS: a reset ends the connection', async () => {
  const tls = selfSigned('127.0.0.1')
  const faults = { shares: { reset: 1 }, retryAfterMs: 0, stallMs: 0, slowHeadersMs: 0 }
  const target = await provider({ tls, faults })
  const dispatcher = new Agent({ allowH2: false, connect: { ca: tls.cert } })
  onTestFinished(() => dispatcher.close())
  const body = JSON.stringify(chatWith(nonce(1)))
  await expect(undiciFetch(target.url + CHAT, { method: 'POST', body, dispatcher })).rejects.toThrow()
  expect(target.stats()).toMatchObject({ aborted: 0, faults: { reset: 1 } })
})

test('a certificate names this machine and the host, and its key is its own', () => {
  const { cert, key } = selfSigned('fe80::12:3')
  const parsed = new X509Certificate(cert)
  expect(parsed.subject).toBe('CN=kt simulated provider')
  expect(parsed.verify(parsed.publicKey)).toBe(true)
  expect(parsed.ca).toBe(true)
  expect(parsed.checkHost('localhost')).toBe('localhost')
  for (const ip of ['127.0.0.1', '::1', 'fe80::12:3']) expect(parsed.checkIP(ip)).toBe(ip)
  expect(parsed.checkHost('example.org')).toBeUndefined()
  expect(parsed.validFromDate.getTime()).toBeLessThan(Date.now())
  expect(parsed.validToDate.getTime()).toBeGreaterThan(Date.now() + 5 * 86_400_000)
  expect(() => createSecureContext({ cert, key })).not.toThrow()
  expect(new Set(Array.from({ length: 20 }, () => new X509Certificate(selfSigned('h').cert).serialNumber)).size).toBe(
    20,
  )
})
