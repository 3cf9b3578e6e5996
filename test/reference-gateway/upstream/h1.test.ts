// HTTP/1.1 to a provider, by the bytes that it writes: what is an answer, what is not, and what becomes of the
// connection.
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { until } from '../../support/waits.ts'
import { certificate } from '../support/h2-upstream.ts'
import { ask, atEnd, errorOf, gatewayBefore, post } from '../support/harness.ts'
import { wait } from '../support/upstream.ts'

const OK = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

/** A provider that calls `answer` for each request that has no body, or one that fits a piece. */
async function provider(
  answer: (socket: Socket, request: string, count: number) => void,
  make: (listener: (socket: Socket) => void) => Server = createServer,
) {
  const seen: { requests: string[]; sockets: Socket[]; open: number } = { requests: [], sockets: [], open: 0 }
  const server = make((socket) => {
    seen.sockets.push(socket)
    seen.open++
    socket.on('error', () => {})
    socket.on('close', () => seen.open--)
    socket.on('data', (bytes) => {
      seen.requests.push(bytes.toString('latin1'))
      answer(socket, bytes.toString('latin1'), seen.requests.length)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(async () => {
    server.close()
    for (const socket of seen.sockets) socket.destroy()
  })
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  return { ...seen, seen, server, url: `http://127.0.0.1:${port}/v1`, port }
}

test('an answer in single bytes, behind interim answers, with chunk extensions and trailers', async () => {
  const text =
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nX-Case: Kept\r\nx-twice: 1\r\nx-twice: 2\r\ntransfer-encoding: chunked\r\n\r\n' +
    '3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n'
  const to = await provider(async (socket) => {
    socket.setNoDelay(true)
    for (const byte of text) {
      socket.write(byte, 'latin1')
      await new Promise(setImmediate)
    }
  })
  const gateway = await gatewayBefore(to.url)
  const answers = [await post(gateway, {}, { headers: { te: 'trailers' } }), await post(gateway, {})]
  for (const { status, body, message } of answers) {
    expect([status, body.toString()]).toEqual([200, 'abcde'])
    const { rawHeaders, rawTrailers } = message
    expect(rawHeaders.join(' ')).toContain('X-Case Kept x-twice 1 x-twice 2')
    expect(rawTrailers.join(' ')).toContain('X-Trailer t')
  }
  expect(to.sockets.length).toBe(1)
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['a length and chunks', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
  ['a bare line feed', 'HTTP/1.1 200 OK\ncontent-length: 2\n\n{}'],
  ['a change of protocol', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
  ['too long a head', `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`],
])('what is no answer is none: %s', async (_, bytes) => {
  const to = await provider((socket) => void socket.write(bytes))
  const answer = await post(await gatewayBefore(to.url), {})
  expect([answer.status, errorOf(answer).code]).toEqual([502, 'upstream_failed'])
  await until(() => to.seen.open === 0)
})

test.each([
  ['by its length', 'content-length: 10\r\n\r\n{"a":'],
  ['in a chunk', 'transfer-encoding: chunked\r\n\r\n10\r\n{"a":'],
  ['between chunks', 'transfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n'],
  ['before its last line', 'transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n'],
])('half an answer is seen as half: %s', async (_, rest) => {
  const to = await provider((socket) => socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${rest}`))
  const answer = await post(await gatewayBefore(to.url), {})
  expect(answer.broken || answer.status === 502).toBe(true)
})

test.each([
  ['behind an answer', (socket: Socket) => socket.write(`${OK}HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"bad"`)],
  [
    'on an idle connection',
    (socket: Socket) => {
      socket.write(OK)
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"bad"'), 30)
    },
  ],
])('bytes that nobody asked for answer no request: %s', async (_, first) => {
  const to = await provider((socket, _request, count) => (count === 1 ? first(socket) : socket.write(OK)))
  const gateway = await gatewayBefore(to.url)
  expect((await post(gateway, {})).body.toString()).toBe('{}')
  await until(() => to.seen.open === 0)
  expect((await post(gateway, {})).body.toString()).toBe('{}')
  expect(to.sockets.length).toBe(2)
})

test('an answer to HEAD, 204 and 304 have no body, and their connection is used again', async () => {
  const heads = ['200 OK\r\ncontent-length: 7', '204 No Content', '304 Not Modified']
  const to = await provider((socket, _request, count) => {
    socket.write(`HTTP/1.1 ${heads[count - 1] ?? '200 OK\r\ncontent-length: 0'}\r\n\r\n`)
  })
  const gateway = await gatewayBefore(to.url)
  const url = `${gateway.url}/v1/models`
  const answers = [await ask(url, { method: 'HEAD' }), await ask(url), await ask(url), await ask(url)]
  expect(answers.map(({ status, body }) => [status, body.length])).toEqual([
    [200, 0],
    [204, 0],
    [304, 0],
    [200, 0],
  ])
  expect(to.sockets.length).toBe(1)
})

test('HTTP/1.0 without a length: the body ends with its connection', async () => {
  const to = await provider((socket) => socket.end('HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it'))
  const gateway = await gatewayBefore(to.url)
  for (const count of [1, 2]) {
    expect((await post(gateway, {})).body.toString()).toBe('all of it')
    expect(to.sockets.length).toBe(count)
  }
  await until(() => gateway.poolStats().open === 0)
})

test('an answer before the end of its request: the rest of the request is not sent to anybody', async () => {
  const to = await provider((socket, _request, count) => {
    if (to.sockets.length > 1) socket.write(OK)
    else if (count === 1) {
      socket.pause()
      socket.write('HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\n{}')
    }
  })
  const gateway = await gatewayBefore(to.url)
  const large = await post(gateway, { messages: [{ role: 'user', content: 'x'.repeat(8_000_000) }] })
  expect([large.status, large.body.toString()]).toEqual([413, '{}'])
  expect((await post(gateway, {})).status).toBe(200)
  expect(to.sockets.length).toBe(2)
})

test('a large request arrives whole at a provider that reads slowly', async () => {
  let bytes = 0
  const content = 'x'.repeat(4_000_000)
  const to = await provider((socket, piece) => {
    bytes += piece.length
    socket.pause()
    setTimeout(() => socket.resume(), 1)
    if (bytes > content.length) socket.write(OK)
  })
  const gateway = await gatewayBefore(to.url)
  expect((await post(gateway, { messages: [{ role: 'user', content }] })).status).toBe(200)
  const [start = ''] = to.requests
  expect(start).toContain(`host: 127.0.0.1:${to.port}\r\n`)
  expect(bytes).toBe(Number(/content-length: (\d+)/i.exec(start)?.[1]) + start.indexOf('\r\n\r\n') + 4)
})

test.each([
  ['response_timeout', 'no head', () => {}],
  ['body_idle_timeout', 'no rest', (socket: Socket) => socket.write(OK.slice(0, -1))],
])('%s: %s', async (name, _, answer) => {
  const to = await provider((socket) => answer(socket))
  const gateway = await gatewayBefore(to.url, { upstream: { [name]: '80ms' } })
  const { status, broken } = await post(gateway, {})
  expect(status === 504 || broken).toBe(true)
  await until(() => to.seen.open === 0)
  expect(gateway.poolStats().recycled.error).toBe(1)
})

test('a stream is not late while its pieces come', async () => {
  const to = await provider(async (socket) => {
    socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    for (let i = 0; i < 12; i++) {
      await wait(50)
      socket.write('1\r\nx\r\n')
    }
    socket.write('0\r\n\r\n')
  })
  const gateway = await gatewayBefore(to.url, { upstream: { response_timeout: '2s', body_idle_timeout: '400ms' } })
  expect((await post(gateway, {})).body.toString()).toBe('x'.repeat(12))
})

const made = certificate()

test.skipIf(!made)('over TLS: the certificate is checked, and the next connection resumes its session', async () => {
  if (!made) return
  const resumed: boolean[] = []
  const make = (listener: (socket: Socket) => void): Server =>
    createTlsServer({ key: made.key, cert: made.cert }, (socket) => {
      resumed.push(socket.isSessionReused())
      listener(socket)
    })
  const to = await provider((socket) => socket.end(OK.replace('\r\n', '\r\nconnection: close\r\n')), make)
  const url = `https://localhost:${to.port}/v1`
  const untrusted = await post(await gatewayBefore(url, { upstream: { http_version: 'h1' } }), {})
  expect(untrusted.status).toBe(502)
  resumed.length = 0
  const gateway = await gatewayBefore(url, { upstream: { http_version: 'h1', ca_file: made.certFile } })
  for (let i = 0; i < 3; i++) expect((await post(gateway, {})).status).toBe(200)
  expect(resumed).toEqual([false, true, true])
})
