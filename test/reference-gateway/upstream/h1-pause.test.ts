// A handler that has paused hears nothing until it resumes, whatever has been read by then.
import { createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { gatewayConfigSchema } from '../../../reference-gateway/config/config.ts'
import { h1Transports } from '../../../reference-gateway/upstream/h1-transport.ts'
import type { UpstreamControl, UpstreamHandler } from '../../../reference-gateway/upstream/types.ts'
import { until } from '../../support/waits.ts'
import { atEnd } from '../support/harness.ts'
import { wait } from '../support/upstream.ts'

const CHUNKED = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'
const REQUEST = { method: 'POST', path: '/', headers: [], body: Buffer.from('{}') }

/** Pauses with every piece. */
class Pausing implements UpstreamHandler {
  readonly heard: string[] = []
  control: UpstreamControl | undefined

  onRequestStart(control: UpstreamControl): void {
    this.control = control
  }

  onResponseStart(status: number): void {
    this.heard.push(String(status))
  }

  onResponseData(chunk: Buffer): void {
    this.heard.push(chunk.toString())
    this.control?.pause()
  }

  onResponseEnd(trailers: readonly string[]): void {
    this.heard.push(`end ${trailers.join(' ')}`.trim())
  }

  onResponseError(error: Error): void {
    this.heard.push('code' in error ? String(error.code) : error.message)
  }
}

async function open(answer: (socket: Socket) => void, pipelining = 1) {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', () => answer(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
  const providers = [{ name: 'a', base_url: origin }]
  const { pool, upstream } = gatewayConfigSchema({}).parse({ gateway: { providers, upstream: { pipelining } } })
  const events = { connected: () => {}, leaving: () => {}, closed: () => {}, speaksH1: () => {} }
  const transport = h1Transports(pool, upstream)(origin, events)
  atEnd(async () => {
    await transport.destroy()
    server.close()
  })
  return transport
}

async function resumeUntil(handler: Pausing, last: string): Promise<void> {
  await until(() => {
    if (handler.heard.at(-1) !== last) handler.control?.resume()
    return handler.heard.at(-1) === last
  })
}

test('several chunks, their end and its trailers in one piece', async () => {
  const transport = await open((socket) => socket.write(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\nx: y\r\n\r\n`))
  const handler = new Pausing()
  transport.dispatch(REQUEST, handler)
  await until(() => handler.heard.length === 2)
  await wait(30)
  expect(handler.heard).toEqual(['200', 'a'])
  handler.control?.resume()
  expect(handler.heard).toEqual(['200', 'a', 'b'])
  handler.control?.resume()
  expect(handler.heard).toEqual(['200', 'a', 'b', 'end x y'])
})

test('a connection that is lost meanwhile: what came before it is heard first', async () => {
  const transport = await open((socket) => {
    socket.write(`${CHUNKED}1\r\na\r\n1\r\nb\r\n`)
    setTimeout(() => socket.end(), 10)
  })
  const handler = new Pausing()
  transport.dispatch(REQUEST, handler)
  await until(() => handler.heard.length === 2)
  await wait(30)
  await resumeUntil(handler, 'KT_CLOSED')
  expect(handler.heard).toEqual(['200', 'a', 'b', 'KT_CLOSED'])
})

test('an abort while parts wait: they are never heard', async () => {
  const transport = await open((socket) => socket.write(`${CHUNKED}1\r\na\r\n1\r\nb\r\n0\r\n\r\n`))
  const handler = new Pausing()
  transport.dispatch(REQUEST, handler)
  await until(() => handler.heard.length === 2)
  handler.control?.abort()
  handler.control?.resume()
  expect(handler.heard).toEqual(['200', 'a'])
})

test('pipelined: each answer goes to its request, and a paused one holds up the next', async () => {
  let requests = 0
  const transport = await open((socket) => {
    requests++
    // Both requests may come in one piece.
    socket.write(requests === 1 ? `${CHUNKED}1\r\na\r\n0\r\n\r\n${CHUNKED}1\r\nb\r\n0\r\n\r\n` : '')
  }, 2)
  const [first, second] = [new Pausing(), new Pausing()]
  transport.dispatch(REQUEST, first)
  transport.dispatch(REQUEST, second)
  await until(() => first.heard.length === 2)
  await resumeUntil(first, 'end')
  await resumeUntil(second, 'end')
  expect(first.heard).toEqual(['200', 'a', 'end'])
  expect(second.heard).toEqual(['200', 'b', 'end'])
})

test('what cannot be sent is refused before anything is written', async () => {
  let written = 0
  const transport = await open(() => written++)
  const handler = new Pausing()
  transport.dispatch({ ...REQUEST, headers: ['x-a', 'one\r\nx-b: two'] }, handler)
  transport.dispatch({ ...REQUEST, method: 'A B' }, handler)
  transport.dispatch({ ...REQUEST, path: '/a b' }, handler)
  expect(handler.heard).toEqual(['KT_NOT_SENDABLE', 'KT_NOT_SENDABLE', 'KT_NOT_SENDABLE'])
  await wait(20)
  expect(written).toBe(0)
})
