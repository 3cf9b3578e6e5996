import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, createServer as createTcp, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import type { RunningGateway } from '../../../reference-gateway/gateway.ts'
import { until } from '../../support/waits.ts'
import { certificate, type H2Upstream, h2Upstream, respond } from '../support/h2-upstream.ts'
import { ask, atEnd, errorOf, gatewayBefore, post, upstream } from '../support/harness.ts'
import { answerJson, wait } from '../support/upstream.ts'

const H2 = { upstream: { http_version: 'h2' } }

async function atOnce(gateway: RunningGateway, count: number): Promise<number[]> {
  const answers = await Promise.all(Array.from({ length: count }, () => post(gateway, { model: 'm' })))
  return answers.map(({ status }) => status)
}

function goAway({ sessions }: H2Upstream): void {
  for (const session of sessions) if (!session.destroyed) session.goaway(0)
}

test('h2c: body and headers go up, status, headers, body and trailers come down', async () => {
  let seen: { body: string; headers: Record<string, unknown> } | undefined
  const provider = await h2Upstream((stream, body, headers) => {
    seen = { body, headers }
    stream.respond(
      { ':status': 201, 'content-type': 'text/event-stream', 'x-own': ['a', 'b'] },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1', 'server-timing': 'kt-provider;dur=1' }))
    stream.write('data: 1\n\n')
    stream.end('data: 2\n\n')
  })
  const gateway = await gatewayBefore(provider.url, H2)
  const answer = await post(
    gateway,
    { model: 'm', text: 'ö' },
    { headers: { authorization: 'Bearer c', te: 'trailers' } },
  )
  expect(seen?.body).toBe('{"model":"m","text":"ö"}')
  expect(seen?.headers).toMatchObject({ ':method': 'POST', ':path': '/v1/chat/completions', authorization: 'Bearer c' })
  expect(seen?.headers).not.toHaveProperty('connection')
  expect(answer.status).toBe(201)
  expect(answer.message.headers['x-own']).toBe('a, b')
  expect(answer.body.toString()).toBe('data: 1\n\ndata: 2\n\n')
  expect(answer.message.trailers).toMatchObject({ 'x-sum': '1' })
  expect(answer.message.trailers['server-timing']).toMatch(/^kt-provider;dur=1, kt-routing/)
})

test('concurrent requests share a session up to the provider’s limit of streams; more get new sessions', async () => {
  // The provider answers only after all requests have arrived.
  const held: (() => void)[] = []
  const provider = await h2Upstream(
    (stream) => {
      held.push(() => respond(stream, {}))
      if (provider.streams >= 35) for (const answer of held.splice(0)) answer()
    },
    { settings: { maxConcurrentStreams: 10 } },
  )
  const gateway = await gatewayBefore(provider.url, H2)
  expect(new Set(await atOnce(gateway, 35))).toEqual(new Set([200]))
  expect(provider.mostStreams).toBe(10)
  expect(provider.opened).toBe(4)
  expect(gateway.poolStats()).toMatchObject({ open: 4, idle: 4, busy: 0, waiting: 0, inFlight: 0 })
  await atOnce(gateway, 8)
  expect(provider.opened).toBe(4)
})

test('max_total counts sessions: a request that does not fit waits for a stream', async () => {
  const provider = await h2Upstream((stream) => setTimeout(() => respond(stream, {}), 10), {
    settings: { maxConcurrentStreams: 3 },
  })
  const gateway = await gatewayBefore(provider.url, { ...H2, connection_pool: { max_total: 2 } })
  expect(new Set(await atOnce(gateway, 20))).toEqual(new Set([200]))
  expect(provider.opened).toBe(2)
  expect(provider.mostStreams).toBe(3)
})

test('GOAWAY, idle or with requests in flight: nothing fails, new sessions take over', async () => {
  const provider = await h2Upstream((stream) => setTimeout(() => respond(stream, {}), 60))
  const gateway = await gatewayBefore(provider.url, H2)
  await atOnce(gateway, 1)
  const inFlight = atOnce(gateway, 30)
  await until(() => provider.streams === 31)
  goAway(provider)
  const after = atOnce(gateway, 10)
  expect(new Set([...(await inFlight), ...(await after)])).toEqual(new Set([200]))
  expect(provider.opened).toBe(2)
  goAway(provider)
  await until(() => gateway.poolStats().open === 0)
  expect(await atOnce(gateway, 3)).toEqual([200, 200, 200])
  expect(gateway.poolStats().recycled.upstream).toBe(2)
})

test('a stream that the provider refused unread is sent again', async () => {
  let refusals = 1
  const provider = await h2Upstream((stream) => {
    if (refusals-- > 0) stream.close(7)
    else respond(stream, { ok: true })
  })
  const gateway = await gatewayBefore(provider.url, H2)
  const answer = await post(gateway, { model: 'm' })
  expect([answer.status, answer.body.toString()]).toEqual([200, '{"ok":true}'])
  expect(provider.streams).toBe(2)
})

test('a provider that refuses every stream is not asked forever', async () => {
  const provider = await h2Upstream((stream) => stream.close(7))
  const gateway = await gatewayBefore(provider.url, H2)
  expect((await post(gateway, { model: 'm' })).status).toBe(502)
  expect(provider.streams).toBe(3)
  expect(gateway.poolStats()).toMatchObject({ inFlight: 0, waiting: 0 })
})

test('a client that leaves cancels its own stream and no other', async () => {
  let resets = 0
  const provider = await h2Upstream((stream, body) => {
    stream.on('close', () => {
      if (stream.rstCode === 8) resets++
    })
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write('data: 1\n\n')
    if (body.includes('"short"')) setTimeout(() => stream.end('data: 2\n\n'), 80)
  })
  const gateway = await gatewayBefore(provider.url, H2)
  const leaving = new AbortController()
  const left = post(gateway, { model: 'long' }, { signal: leaving.signal })
  const stays = post(gateway, { model: 'short' })
  await until(() => provider.streams === 2)
  await wait(20)
  leaving.abort()
  expect((await left.catch(() => ({ broken: true }))).broken).toBe(true)
  expect((await stays).body.toString()).toBe('data: 1\n\ndata: 2\n\n')
  await until(() => resets === 1)
  expect(provider.opened).toBe(1)
  expect(gateway.poolStats()).toMatchObject({ open: 1, inFlight: 0 })
})

test('a lost session fails its requests: 502 before the first byte, a broken response after it', async () => {
  const provider = await h2Upstream((stream, body) => {
    if (body.includes('"begun"')) stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    if (body.includes('"begun"')) stream.write('data: 1\n\n')
  })
  const gateway = await gatewayBefore(provider.url, H2)
  const [waiting, begun] = [post(gateway, { model: 'm' }), post(gateway, { model: 'begun' })]
  await until(() => provider.streams === 2)
  await wait(20)
  for (const session of provider.sessions) session.destroy()
  expect((await waiting).status).toBe(502)
  expect((await begun).broken).toBe(true)
  await until(() => gateway.poolStats().open === 0)
})

test.each([
  ['NO_ERROR', 0],
  ['INTERNAL_ERROR', 2],
  ['CANCEL', 8],
])('a stream that is reset with %s before its end is none that has ended', async (_name, code) => {
  const frame = (type: number, flags: number, payload: number[] | Buffer, stream: number): Buffer => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(payload.length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, Buffer.from(payload)])
  }
  // HEADERS with `:status: 200` of the static table, DATA, and RST_STREAM in place of END_STREAM.
  const answer = [frame(1, 4, [0x88], 1), frame(0, 0, Buffer.from('half'), 1), frame(3, 0, [0, 0, 0, code], 1)]
  const server = createTcp((socket) => {
    socket.on('error', () => {}).write(frame(4, 0, [], 0))
    let answered = false
    socket.on('data', (bytes) => {
      if (!answered && bytes.includes('"model"')) socket.write(Buffer.concat(answer))
      answered ||= bytes.includes('"model"')
    })
  })
  server.listen(0, '127.0.0.1')
  await until(() => server.listening)
  atEnd(async () => void server.close())
  const gateway = await gatewayBefore(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, H2)
  const seen = await post(gateway, { model: 'm' })
  expect([seen.broken || seen.status]).not.toEqual([200])
})

test('a provider that refuses the connection, or speaks no HTTP: 502, and no request waits forever', async () => {
  const refusing = await gatewayBefore('http://127.0.0.1:1/v1', H2)
  expect(await atOnce(refusing, 3)).toEqual([502, 502, 502])
  const mail = createTcp((socket) => socket.on('error', () => {}).end('220 mail ready\r\n'))
  mail.listen(0, '127.0.0.1')
  await until(() => mail.listening)
  atEnd(async () => void mail.close())
  const gateway = await gatewayBefore(`http://127.0.0.1:${(mail.address() as AddressInfo).port}`, H2)
  expect(await atOnce(gateway, 2)).toEqual([502, 502])
  expect(gateway.poolStats()).toMatchObject({ busy: 0, waiting: 0 })
})

test('a provider without h2c: HTTP/1.1 is used, and reported once', async () => {
  const provider = await upstream((request, response) => answerJson(response, { over: request.httpVersion }))
  const reports: string[] = []
  const gateway = await gatewayBefore(provider.url, H2, { report: (problem) => reports.push(problem) })
  expect(await atOnce(gateway, 5)).toEqual([200, 200, 200, 200, 200])
  expect((await post(gateway, { model: 'm' })).body.toString()).toBe('{"over":"1.1"}')
  expect(reports).toEqual([expect.stringContaining('does not speak HTTP/2: HTTP/1.1 is used')])
})

test('timeouts of head and body hold over h2', async () => {
  const provider = await h2Upstream((stream, body) => {
    if (!body.includes('"begun"')) return
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write('data: 1\n\n')
  })
  const gateway = await gatewayBefore(provider.url, {
    upstream: { http_version: 'h2', response_timeout: '80ms', body_idle_timeout: '80ms' },
  })
  expect((await post(gateway, { model: 'm' })).status).toBe(504)
  expect((await post(gateway, { model: 'begun' })).broken).toBe(true)
  expect(gateway.poolStats()).toMatchObject({ open: 1, inFlight: 0 })
})

test('keep_alive: PINGs at the interval; a peer that does not acknowledge in time is disconnected', async () => {
  const provider = await h2Upstream(() => {})
  let pings = 0
  provider.server.on('session', (session) => session.on('ping', () => pings++))
  // A dead connection: bytes are accepted, and none are passed on.
  let dead = false
  const sockets: Socket[] = []
  const wire = createTcp((near) => {
    const far = connect(Number(new URL(provider.url).port), '127.0.0.1')
    sockets.push(near, far)
    near.on('data', (chunk) => dead || far.write(chunk)).on('error', () => {})
    far.on('data', (chunk) => dead || near.write(chunk)).on('error', () => {})
  })
  wire.listen(0, '127.0.0.1')
  await until(() => wire.listening)
  atEnd(async () => {
    for (const socket of sockets) socket.destroy()
    wire.close()
  })
  const gateway = await gatewayBefore(`http://127.0.0.1:${(wire.address() as AddressInfo).port}/v1`, {
    upstream: { http_version: 'h2', keep_alive: { interval: '40ms', timeout: '100ms' } },
    connection_pool: { idle_timeout: '10s' },
  })
  const waiting = post(gateway, { model: 'm' })
  await until(() => pings >= 2)
  dead = true
  const answer = await waiting
  expect([answer.status, errorOf(answer).code]).toEqual([504, 'upstream_timeout'])
  expect(errorOf(answer).message).toContain('does not answer any more')
  await until(() => gateway.poolStats().open === 0)
  expect(gateway.poolStats().recycled).toMatchObject({ error: 1, upstream: 0 })
})

test('idle_timeout, max_lifetime and keep_alive.enabled: false hold for sessions too', async () => {
  const provider = await h2Upstream((stream) => respond(stream, {}))
  const idle = await gatewayBefore(provider.url, { ...H2, connection_pool: { idle_timeout: '60ms' } })
  await atOnce(idle, 1)
  await until(() => idle.poolStats().open === 0)
  expect(idle.poolStats().recycled.idle).toBe(1)
  const old = await gatewayBefore(provider.url, { ...H2, connection_pool: { max_lifetime: '60ms' } })
  await atOnce(old, 1)
  await until(() => old.poolStats().open === 0)
  expect(old.poolStats().recycled.lifetime).toBe(1)
  const single = await gatewayBefore(provider.url, { upstream: { http_version: 'h2', keep_alive: { enabled: false } } })
  const before = provider.opened
  for (let i = 0; i < 3; i++) expect(await atOnce(single, 1)).toEqual([200])
  expect(provider.opened - before).toBe(3)
  await until(() => single.poolStats().recycled.single_use === 3)
})

test('a slow reader holds the stream back by flow control', async () => {
  let written = 0
  const provider = await h2Upstream((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    const chunk = Buffer.alloc(64 * 1024, 'x')
    const more = (): void => {
      while (written < 1_024 && !stream.destroyed) {
        written++
        if (!stream.write(chunk)) return void stream.once('drain', more)
      }
      stream.end()
    }
    more()
  })
  const gateway = await gatewayBefore(provider.url, H2)
  const socket = connect(gateway.port, '127.0.0.1')
  atEnd(async () => void socket.destroy())
  socket.pause()
  const body = '{"model":"m","stream":true}'
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await until(() => written > 0)
  await wait(300)
  const held = written
  await wait(100)
  expect(written).toBe(held)
  expect(held).toBeLessThan(400)
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.resume()
  await until(() => written === 1_024 && received > 1_024 * 64 * 1024)
})

test('a slow reader does not count as a silent provider', async () => {
  const size = 16 * 1024 * 1024
  const provider = await h2Upstream((stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.end(Buffer.alloc(size, 'x'))
  })
  const gateway = await gatewayBefore(provider.url, {
    upstream: { http_version: 'h2', body_idle_timeout: '100ms' },
  })
  const socket = connect(gateway.port, '127.0.0.1')
  atEnd(async () => void socket.destroy())
  socket.pause()
  const body = '{"model":"m","stream":true}'
  socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await until(() => provider.streams === 1)
  await wait(500)
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.resume()
  await until(() => received > size)
})

const tls = certificate()

test.skipIf(!tls)(
  'TLS: h2 by ALPN where the provider has it, HTTP/1.1 where not (skipped without openssl)',
  async () => {
    if (!tls) return
    const settings = { upstream: { http_version: 'h2', ca_file: tls.certFile } }
    const h2 = await h2Upstream((stream) => setTimeout(() => respond(stream, { over: 'h2' }), 10), { tls })
    const over2 = await gatewayBefore(h2.url, settings)
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(over2, { model: 'm' })))
    expect(answers.map(({ body }) => body.toString())).toEqual(Array(8).fill('{"over":"h2"}'))
    expect(h2.opened).toBe(1)

    const h1 = createServer(tls, (request, response) => response.end(JSON.stringify({ over: request.httpVersion })))
    h1.listen(0, '127.0.0.1')
    await until(() => h1.listening)
    atEnd(async () => {
      h1.closeAllConnections()
      h1.close()
    })
    const reports: string[] = []
    const over1 = await gatewayBefore(`https://localhost:${(h1.address() as AddressInfo).port}/v1`, settings, {
      report: (problem) => reports.push(problem),
    })
    const old = await Promise.all(Array.from({ length: 5 }, () => post(over1, { model: 'm' })))
    expect(old.map(({ body }) => body.toString())).toEqual(Array(5).fill('{"over":"1.1"}'))
    expect(reports).toEqual([expect.stringContaining('does not speak HTTP/2: HTTP/1.1 is used')])

    // By default TLS negotiates, and what comes of it is no fault.
    const byDefault = { upstream: { ca_file: tls.certFile } }
    const negotiated = await gatewayBefore(h2.url, byDefault)
    expect((await post(negotiated, { model: 'm' })).body.toString()).toBe('{"over":"h2"}')
    const quiet: string[] = []
    const older = await gatewayBefore(`https://localhost:${(h1.address() as AddressInfo).port}/v1`, byDefault, {
      report: (problem) => quiet.push(problem),
    })
    expect((await post(older, { model: 'm' })).body.toString()).toBe('{"over":"1.1"}')
    expect(quiet).toEqual([])

    const untrusting = await gatewayBefore(h2.url, H2)
    expect((await post(untrusting, { model: 'm' })).status).toBe(502)
  },
)

test('warm-up opens sessions, and opens them again after they were recycled', async () => {
  const provider = await h2Upstream((stream) => respond(stream, { data: [] }))
  const gateway = await gatewayBefore(provider.url, {
    ...H2,
    warmup: { connections_per_provider: 3 },
  })
  await gateway.warmedUp
  expect(provider.opened).toBe(3)
  expect((await ask(`${gateway.url}/readyz`)).status).toBe(200)
  goAway(provider)
  await until(() => provider.opened === 6)
  await until(() => gateway.poolStats().idle === 3)
})
