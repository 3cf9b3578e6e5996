// What connections fail with, in words: real sockets, TLS handshakes and streams that go wrong.
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { type ConnectionOptions, connect as connectTls, createServer as createTls, type TlsOptions } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { selfSigned } from '../../src/provider/certificate.ts'
import { plainReason } from '../../src/wire/connection-errors.ts'

const open: { close(): unknown }[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

const { cert, key } = selfSigned('127.0.0.1')

async function listen(server: Server): Promise<number> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function failure(emitter: NodeJS.EventEmitter): Promise<string> {
  const [error] = await once(emitter, 'error').catch((thrown: unknown) => [thrown])
  const reason = plainReason(error)
  // No code, no address in somebody's sources.
  expect(reason).not.toMatch(/E[A-Z]{4,}|ERR_|:error:|\.c:/)
  return reason
}

async function handshake(server: TlsOptions, client: ConnectionOptions): Promise<string> {
  const listening = createTls({ cert, key, ...server }, (socket) => socket.on('error', () => {}).resume())
  listening.on('tlsClientError', () => {})
  const socket = connectTls({ port: await listen(listening), host: '127.0.0.1', ...client })
  const reason = await failure(socket.resume())
  socket.destroy()
  return reason
}

test('nobody listens, and no such name', async () => {
  const port = await listen(createServer())
  for (const server of open.splice(0)) server.close()
  expect(await failure(connect(port, '127.0.0.1'))).toBe(`nothing listens at 127.0.0.1:${port}`)
  expect(await failure(connect(80, 'no-such-host.invalid'))).toMatch(
    /^(?:no name server knows no-such-host\.invalid|no name server answered)$/,
  )
})

test('a connection that is reset', async () => {
  const port = await listen(createServer((socket) => socket.once('data', () => socket.resetAndDestroy())))
  const socket = connect(port, '127.0.0.1')
  socket.write('x')
  expect(await failure(socket.resume())).toBe('the other side reset the connection')
})

test.each<[string, TlsOptions, ConnectionOptions, string]>([
  ['self-signed', {}, {}, 'its certificate is self-signed, and not trusted'],
  ['other names', {}, { ca: cert, servername: 'other.test' }, 'its certificate is for other names than other.test'],
  ['versions of TLS', { maxVersion: 'TLSv1.2' }, { minVersion: 'TLSv1.3' }, 'no version of TLS is known to both sides'],
  [
    'a client certificate',
    { requestCert: true, ca: cert },
    { rejectUnauthorized: false },
    'the target demands a client certificate',
  ],
  [
    'ALPN',
    { ALPNProtocols: ['http/1.1'] },
    { rejectUnauthorized: false, ALPNProtocols: ['h2'] },
    'the target does not speak this version of HTTP over TLS',
  ],
])('TLS: %s', async (_, server, client, words) => {
  expect(await handshake(server, client)).toBe(words)
})

test('TLS to a port that speaks none, or closes', async () => {
  const plain = await listen(createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400\r\n\r\n'))))
  expect(await failure(connectTls(plain, '127.0.0.1'))).toBe('what came in answer to TLS is no TLS')
  const closing = await listen(createServer((socket) => socket.once('data', () => socket.end())))
  expect(await failure(connectTls(closing, '127.0.0.1'))).toBe('the connection was closed during the handshake of TLS')
})

test('HTTP/2: no HTTP/2, and a stream that is reset', async () => {
  const plain = await listen(createServer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400\r\n\r\n'))))
  expect(await failure(connectHttp2(`http://127.0.0.1:${plain}`))).toBe('what came is no HTTP/2')
  const server = createHttp2()
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.close(7)
  })
  const session = connectHttp2(`http://127.0.0.1:${await listen(server)}`)
  const request = session.request()
  expect(await failure(request.resume())).toBe('the target reset the stream: refused stream')
  session.destroy()
})

test('what is in no list keeps its words', () => {
  expect(plainReason(new Error('the answer is no HTTP/1.1'))).toBe('the answer is no HTTP/1.1')
  expect(plainReason('gone')).toBe('gone')
  const both = new AggregateError([Object.assign(new Error('connect ECONNREFUSED ::1:5'), { code: 'ECONNREFUSED' })])
  expect(plainReason(both)).toBe('nothing listens at that address')
})
