import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { asEvents, streamNames, streamPayloads } from '../../support/streams.ts'
import { until } from '../../support/waits.ts'
import { ask, gatewayBefore, post, upstream } from '../support/harness.ts'
import { wait } from '../support/upstream.ts'

test.each(streamNames)('recorded stream %s passes byte for byte, however it is split', async (name) => {
  const whole = Buffer.from(asEvents([...streamPayloads(name), '[DONE]']))
  const provider = await upstream(async (request, response) => {
    const step = Number(request.headers['x-step'])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let at = 0; at < whole.length; at += step) {
      response.write(whole.subarray(at, at + step))
      if ((at / step) % 16 === 0) await new Promise(setImmediate)
    }
    response.end()
  })
  const gateway = await gatewayBefore(provider.url)
  for (const step of [Math.max(7, Math.ceil(whole.length / 1_500)), 1_021, whole.length]) {
    const answer = await post(gateway, { model: 'm', stream: true }, { headers: { 'x-step': String(step) } })
    expect(answer.message.headers['content-type']).toBe('text/event-stream')
    expect(answer.body.equals(whole)).toBe(true)
  }
})

test('every piece leaves when it arrives: the head before the body, an event before the next one', async () => {
  let next: (() => void) | undefined
  const provider = await upstream(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    for (const piece of ['data: 1\n\n', 'data: 2\n\n']) {
      await new Promise<void>((resolve) => {
        next = resolve
      })
      response.write(piece)
    }
    response.end()
  })
  const gateway = await gatewayBefore(provider.url)
  const seen: string[] = []
  const request = httpRequest(`${gateway.url}/v1/chat/completions`, { method: 'POST', agent: false }, (message) => {
    seen.push('head')
    message.setEncoding('utf8').on('data', (text: string) => seen.push(text))
    message.on('end', () => seen.push('end'))
  })
  request.end('{"model":"m"}')
  // Each step follows only after the step before has arrived: a gateway that holds anything back gets no further.
  await until(() => seen.length === 1)
  next?.()
  await until(() => seen.length === 2)
  next?.()
  await until(() => seen.length === 4)
  expect(seen).toEqual(['head', 'data: 1\n\n', 'data: 2\n\n', 'end'])
})

test('pieces of any size, one or many in a turn, then the next response on the same connection', async () => {
  const sizes = [1, 15, 16, 4_095, 4_096, 4_097, 70_000, 0, 200]
  const pieces = sizes.map((size, i) => String.fromCharCode(97 + i).repeat(size))
  const provider = await upstream(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const piece of pieces) {
      if (piece.length > 0) response.write(piece)
      if (piece.length % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    response.end()
  })
  const gateway = await gatewayBefore(provider.url)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ports = new Set<number | undefined>()
  for (let round = 0; round < 3; round++) {
    const { body, message } = await post(gateway, { model: 'm', stream: true }, { agent })
    expect(body.toString()).toBe(pieces.join(''))
    expect(message.headers['transfer-encoding']).toBe('chunked')
    expect(message.trailers['server-timing']).toMatch(/kt-overhead;dur=/)
    await until(() => Object.keys(agent.freeSockets).length === 1)
    for (const sockets of Object.values(agent.freeSockets)) ports.add(sockets?.[0]?.localPort)
  }
  expect(ports.size).toBe(1)
  agent.destroy()
})

test('a slow reader slows the upstream down, and nothing piles up in the gateway', async () => {
  const event = Buffer.from(`data: ${'x'.repeat(16_000)}\n\n`)
  const total = 100_000_000
  let written = 0
  const provider = await upstream(async (_request, response) => {
    let go = (): void => {}
    response.on('drain', () => go()).on('close', () => go())
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    while (written < total && !response.destroyed) {
      written += event.length
      if (response.write(event)) continue
      await new Promise<void>((resolve) => {
        go = resolve
      })
    }
    response.end()
  })
  const gateway = await gatewayBefore(provider.url)
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 13\r\n\r\n{"model":"m"}')
  await new Promise((resolve) => socket.once('readable', resolve))
  // Nobody reads: the buffers between fill up, then nothing moves.
  let before = -1
  while (before !== written) {
    before = written
    await wait(150)
  }
  expect(written).toBeLessThan(total / 4)
  // Reading continues where it stopped.
  let read = 0
  socket.on('data', (chunk) => {
    read += chunk.length
  })
  await until(() => read > total / 3)
  socket.destroy()
})

test('an upstream that breaks off in the middle of a stream breaks the answer off', async () => {
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    setTimeout(() => response.socket?.resetAndDestroy(), 20)
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await post(gateway, { model: 'm', stream: true })
  expect(answer.status).toBe(200)
  expect(answer.broken).toBe(true)
  expect(gateway.poolStats()).toMatchObject({ open: 0, busy: 0, recycled: { error: 1 } })
})

test('an HTTP/1.0 client gets a stream without chunks and without a trailer', async () => {
  const provider = await upstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
    response.end('data: 2\n\n')
  })
  const gateway = await gatewayBefore(provider.url)
  const text = await new Promise<string>((resolve) => {
    let received = ''
    const socket = connect(gateway.port, '127.0.0.1', () => {
      socket.write('POST /v1/chat/completions HTTP/1.0\r\ncontent-length: 13\r\n\r\n{"model":"m"}')
    })
    socket.setEncoding('utf8').on('data', (part: string) => {
      received += part
    })
    socket.on('close', () => resolve(received))
  })
  expect(text).toMatch(/\r\n\r\ndata: 1\n\ndata: 2\n\n$/)
  expect(text.toLowerCase()).not.toContain('trailer')
  expect(text.toLowerCase()).not.toContain('transfer-encoding')
})

test('a compressed body is neither decoded nor recoded', async () => {
  const packed = Buffer.from([0x1f, 0x8b, 0, 1, 2, 3, 255])
  let accepted: string | undefined
  const provider = await upstream((request, response) => {
    accepted = String(request.headers['accept-encoding'])
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed)
  })
  const gateway = await gatewayBefore(provider.url)
  const answer = await ask(`${gateway.url}/v1/models`, { headers: { 'accept-encoding': 'gzip, br' } })
  expect(accepted).toBe('gzip, br')
  expect(answer.message.headers['content-encoding']).toBe('gzip')
  expect(answer.body.equals(packed)).toBe(true)
})

test('passthrough_chunked: false: a stream leaves whole, with its length and final figures', async () => {
  const provider = await upstream(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (let i = 0; i < 3; i++) {
      response.write(`data: ${i}\n\n`)
      await wait(5)
    }
    response.end()
  })
  const gateway = await gatewayBefore(provider.url, { streaming: { passthrough_chunked: false } })
  const { message, body } = await post(gateway, { model: 'm', stream: true })
  expect(body.toString()).toBe('data: 0\n\ndata: 1\n\ndata: 2\n\n')
  expect(message.headers['content-length']).toBe(String(body.length))
  expect(Number(/kt-upstream;dur=([\d.]+)/.exec(String(message.headers['server-timing']))?.[1])).toBeGreaterThan(9)
})
