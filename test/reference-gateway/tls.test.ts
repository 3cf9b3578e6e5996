// The listener with TLS: HTTP/2 and HTTP/1.1 by ALPN, the same answers over both, another certificate at a reload.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type ClientHttp2Session, connect, type OutgoingHttpHeaders } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import type { RunningGateway } from '../../reference-gateway/gateway.ts'
import { until } from '../support/waits.ts'
import { certificate } from './support/h2-upstream.ts'
import { atEnd, gatewayBefore, upstream } from './support/harness.ts'
import { answerJson, bodyOf } from './support/upstream.ts'

const made = certificate()
const CHAT = '/v1/chat/completions'

function filesOf(cert: NonNullable<typeof made>) {
  const key = cert.certFile.replace('cert.pem', 'key.pem')
  return { tls: { cert: cert.certFile, key } }
}

interface Seen {
  status: number
  headers: Record<string, unknown>
  body: string
  /** Of a stream that was reset. */
  code: number
}

function session(gateway: RunningGateway, ca: string): ClientHttp2Session {
  const opened = connect(gateway.url, { ca, servername: 'localhost' })
  opened.on('error', () => {})
  atEnd(async () => opened.destroy())
  return opened
}

function over(to: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string): Promise<Seen> {
  const stream = to.request({ ':path': CHAT, ':method': body === undefined ? 'GET' : 'POST', ...headers })
  const seen: Seen = { status: 0, headers: {}, body: '', code: 0 }
  stream.setEncoding('utf8').on('response', (given) => {
    seen.status = Number(given[':status'])
    seen.headers = given
  })
  stream.on('data', (part: string) => {
    seen.body += part
  })
  stream.on('error', () => {})
  stream.end(body)
  return new Promise((resolve) => stream.on('close', () => resolve({ ...seen, code: stream.rstCode })))
}

test.skipIf(!made)('HTTP/2: requests, streams and refusals are those of HTTP/1.1', async () => {
  if (!made) return
  const asked: { headers: Record<string, unknown>; body: string }[] = []
  let broken = false
  const provider = await upstream(async (incoming, response) => {
    const body = await bodyOf(incoming)
    asked.push({ headers: incoming.headers, body })
    if (!body.includes('"stream"')) return answerJson(response, { ok: true })
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    setTimeout(() => (broken ? response.destroy() : response.end('data: [DONE]\n\n')), 20)
  })
  const gateway = await gatewayBefore(provider.url, {
    listen: filesOf(made),
    limits: { max_body: '1KB' },
    auth: { keys: [{ key: 'k', tenant: 't' }] },
  })
  expect(gateway.url).toMatch(/^https:/)
  const to = session(gateway, made.cert)
  const authorization = 'Bearer k'
  const plain = await over(to, { authorization, 'x-mine': 'a', cookie: 'a=1' }, '{"model":"m"}')
  expect(plain).toMatchObject({ status: 200, body: '{"ok":true}', code: 0 })
  expect(plain.headers['x-kt-overhead-ms']).toBeDefined()
  expect(asked[0]?.body).toBe('{"model":"m"}')
  expect(asked[0]?.headers).toMatchObject({ 'x-mine': 'a', host: new URL(provider.url).host })
  expect(Object.keys(asked[0]?.headers ?? {}).join()).not.toMatch(/:|cookie|authorization/)
  expect(await over(to, { authorization }, '{"model":"m","stream":true}')).toMatchObject({
    status: 200,
    body: 'data: 1\n\ndata: [DONE]\n\n',
    code: 0,
  })
  broken = true
  const half = await over(to, { authorization }, '{"model":"m","stream":true}')
  expect([half.body, half.code]).toEqual(['data: 1\n\n', 2])
  const refused = [
    over(to, {}, '{"model":"m"}'),
    over(to, { authorization }, `{"model":"${'m'.repeat(2_000)}"}`),
    over(to, { authorization, ':path': '/v1/none' }),
    over(to, { authorization, 'sec-fetch-site': 'cross-site' }, '{"model":"m"}'),
    over(to, { ':path': '/healthz' }),
  ]
  expect((await Promise.all(refused)).map(({ status }) => status)).toEqual([401, 413, 404, 403, 200])
  const many = Array.from({ length: 50 }, () => over(to, { authorization }, '{"model":"m"}'))
  expect(new Set((await Promise.all(many)).map(({ status }) => status))).toEqual(new Set([200]))
})

test.skipIf(!made)('HTTP/1.1 over TLS, and a client that leaves over HTTP/2', async () => {
  if (!made) return
  const provider = await upstream((incoming, response) => {
    if (incoming.headers['x-hold'])
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    else answerJson(response, { ok: true })
  })
  const gateway = await gatewayBefore(provider.url, { listen: filesOf(made) })
  const asking = request(`${gateway.url}${CHAT}`, { method: 'POST', ca: made.cert, servername: 'localhost' })
  asking.end('{"model":"m"}')
  const [answer] = await once(asking, 'response')
  expect([answer.statusCode, answer.httpVersion]).toEqual([200, '1.1'])
  answer.resume()
  const to = session(gateway, made.cert)
  const leaving = to.request({ ':path': CHAT, ':method': 'POST', 'x-hold': '1' })
  leaving.end('{"model":"m"}')
  await once(leaving, 'response')
  leaving.close(8)
  await until(() => gateway.poolStats().busy === 0)
  const away = once(to, 'close')
  await gateway.close()
  await away
})

test.skipIf(!made)('a reload brings another certificate to new connections, and is refused with none', async () => {
  const other = certificate()
  if (!made || !other) return
  const provider = await upstream((_request, response) => answerJson(response, {}))
  const gateway = await gatewayBefore(provider.url, { listen: filesOf(made) })
  const shown = async (): Promise<string> => {
    const socket = connectTls({ host: '127.0.0.1', port: gateway.port, rejectUnauthorized: false })
    await once(socket, 'secureConnect')
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }
  const before = await shown()
  const open = session(gateway, made.cert)
  await once(open, 'connect')
  const config = (files: object) =>
    gatewayConfigSchema({}).parse({
      gateway: { providers: [{ name: 'p', base_url: provider.url }], warmup: { enabled: false }, listen: files },
    })
  await gateway.reload(config(filesOf(other)))
  expect(await shown()).not.toBe(before)
  expect((await over(open, {}, '{"model":"m"}')).status).toBe(200)
  const wrong = { tls: { cert: made.certFile, key: filesOf(other).tls.key } }
  expect(() => config(wrong)).toThrow(/certificate and its key/)
  writeFileSync(made.certFile, 'none')
  expect(() => config(filesOf(made))).toThrow(/certificate and its key/)
})
